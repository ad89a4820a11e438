"""`manage.py run_qbittorrent`: a contained qBittorrent, set up from our settings and kept running."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from proxy_site.supervisor import CANNOT_WORK
from torrents.engines.qbittorrent_profile import NoQBittorrent, ProfileError, ProfileOptions, run


def profile_options() -> ProfileOptions:
    return ProfileOptions(
        profile_dir=Path(settings.DATA_DIR) / "qbittorrent",
        data_root=Path(settings.DOWNLOADS_DIR),
        web_port=urlsplit(settings.QBITTORRENT_URL).port or 80,
        username=settings.QBITTORRENT_USERNAME,
        password=settings.QBITTORRENT_PASSWORD,
        torrent_port=settings.TORRENT_PORT,
        interface=settings.TORRENT_INTERFACE,
        discovery=settings.TORRENT_DISCOVERY,
        loopback_peers=tuple(settings.TORRENT_LOOPBACK_PEERS),
    )


class Command(BaseCommand):
    help = (
        "Run qBittorrent with a profile written from our settings: reachable from this machine only, with a password "
        "of its own, unable to reach private networks. Starts it again when it dies; stop with Ctrl-C or SIGTERM. "
        f"Exit code {CANNOT_WORK}: there is no qBittorrent to run."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run(profile_options(), binary=settings.QBITTORRENT_BINARY)
        except NoQBittorrent as error:
            raise CommandError(str(error), returncode=CANNOT_WORK) from error
        except ProfileError as error:
            raise CommandError(str(error)) from error
