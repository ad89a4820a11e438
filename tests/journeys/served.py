"""The real web and SFTP processes on the tests' database, with finished torrents that tests put there; no engine."""

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from accounts.models import User
from accounts.tests.factories import UserFactory
from deploy.box import free_ports
from proxy_site.tests import processes
from torrents.checksums import Checksums
from torrents.tests.caddy_box import database_url, running
from torrents.tests.factories import finished


@dataclass
class Served:
    """`sftp_announced` is the port that the API names, for a relay; the SFTP server itself is at `sftp_port`."""

    directory: Path
    web_port: int
    sftp_port: int
    sftp_announced: int
    more_settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._web = ExitStack()

    @property
    def downloads(self) -> Path:
        return self.directory / "downloads"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "DATABASE_URL": database_url(),
            "DATA_DIR": str(self.directory / "data"),
            "DOWNLOADS_DIR": str(self.downloads),
            "SECRET_KEY": settings.SECRET_KEY,
            "WEB_ADDRESS": f"127.0.0.1:{self.web_port}",
            "WEB_WORKERS": "1",
            "SFTP_ADDRESS": f"127.0.0.1:{self.sftp_port}",
            "SFTP_PUBLIC_HOST": f"127.0.0.1:{self.sftp_announced}",
            "ENGINE": "fake",
            "ANILIST_URL": settings.ANILIST_URL,  # where nobody answers
            **self.more_settings,
        }

    def start_web(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "-c", "proxy_site/gunicorn.conf.py"]
        log = self.directory / "web.log"
        self._web.enter_context(running(command, log, **self.settings))
        processes.wait_until(lambda: processes.listens(self.web_port), f"the web process: {log}", 60)

    def stop_web(self) -> None:
        self._web.close()


@contextmanager
def served(directory: Path, *, sftp: bool = False, **more_settings: str) -> Iterator[Served]:
    """Web, and the SFTP server if `sftp`; the settings go to both."""
    web, own, announced = free_ports(3)
    box = Served(directory, web, own, announced, more_settings)
    box.downloads.mkdir(parents=True)
    with ExitStack() as stack:
        stack.callback(box.stop_web)
        box.start_web()
        if sftp:
            log = directory / "sftp.log"
            stack.enter_context(running(processes.manage("run_sftp"), log, **box.settings))
            processes.wait_until(lambda: processes.listens(box.sftp_port), f"the SFTP server: {log}", 60)
        yield box


def torrent_of_alice(name: str, files: Mapping[str, bytes]) -> str:
    """Finished, with the SHA-256 that the box computes; gives its id."""
    alice = User.objects.filter(username="alice").first() or UserFactory.create(username="alice")
    claim = finished(alice, files, name=name)
    for file in claim.torrent.files.all():
        Checksums(threading.Event()).compute(file)
    return str(claim.pk)
