"""A private box, as `manage.py up` starts it, with people and torrents in it.

Torrents come in by the services and reach qBittorrent through the reconciler: the rows are those that it wrote.
"""

import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import bencode2
import django
from django.conf import settings
from django.db import connections

from benchmarks.usage import cpu_seconds, parts_of
from deploy.box import PEER_ADDRESS, Box
from deploy.swarm import Peer
from proxy_site import embedded_postgres

if TYPE_CHECKING:
    from accounts.models import User
    from torrents.models import Claim

PIECE = 256 * 1024
SETTLE_SECONDS = 600.0
ENGINE_PASSWORD = secrets.token_urlsafe(16)


@contextmanager
def running_box(**chosen: str) -> Iterator[Box]:
    """A box of its own, with settings that are chosen, gone afterwards. One in a process: Django reads them once."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        box = Box(Path(directory), QBITTORRENT_PASSWORD=ENGINE_PASSWORD, **chosen)
        try:
            box.start()
            os.environ |= box.environment
            url = embedded_postgres.running_url(Path(directory, "data", "postgres"))
            assert url is not None
            os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "proxy_site.settings"}
            django.setup()
            yield box
        finally:
            if settings.configured:
                connections.close_all()
            box.stop()


def metainfo(name: str, size: int, *, pieces: bytes | None = None) -> bytes:
    """The .torrent of a file of `size` bytes that nobody has, unless `pieces` are the hashes of one that exists."""
    count = -(-size // PIECE)
    info = {
        b"name": name.encode(),
        b"length": size,
        b"piece length": PIECE,
        b"pieces": pieces or secrets.token_bytes(20 * count),
    }
    return bencode2.bencode({b"info": info})


def person(name: str) -> "User":
    from accounts.models import User

    return User.objects.create(username=name, password="!")  # noqa: S106  no password opens it


def access_token(user: "User") -> str:
    from accounts import sessions

    return str(sessions.access_token(sessions.open_session(user=user)))


def add(user: "User", torrent: bytes, *, paused: bool) -> str:
    """Returns the infohash."""
    from torrents import services
    from torrents.metainfo import parse_torrent
    from torrents.models import Claim

    source = parse_torrent(torrent)
    wanted = Claim.Wanted.PAUSED if paused else Claim.Wanted.RUNNING
    services.add_torrent(user=user, source=source, wanted=wanted)
    return source.infohash_v1 or ""


def add_stopped(user: "User", numbers: Sequence[int]) -> list[str]:
    return [
        add(user, metainfo(f"Some Show - {number:05}.mkv", 64 * 2**20 + number), paused=True)
        for number in numbers
    ]


def wait_until_stopped(count: int) -> None:
    """Until the engine has taken `count` stopped torrents, and nothing has changed for two seconds."""
    from torrents.models import ChangeCounter, LiveState

    def settled() -> bool:
        before = sorted(ChangeCounter.objects.values_list("pk", "value"))
        if LiveState.objects.filter(state=LiveState.State.PAUSED).count() < count:
            return False
        time.sleep(2)
        return before == sorted(ChangeCounter.objects.values_list("pk", "value"))

    _wait_until(settled, f"the engine to take {count} torrents")


def analyze() -> None:
    """What PostgreSQL does by itself within a minute of a table's growth. Until then plans are those for a table that
    was next to empty."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def wait_until_finished(count: int) -> None:
    """Until the engine has `count` torrents complete, and has stopped seeding them where nobody wants that."""
    from torrents.models import LiveState

    finished = LiveState.objects.filter(state=LiveState.State.FINISHED)
    _wait_until(lambda: finished.count() >= count, f"{count} torrents to be complete")


def wait_until_moving(count: int) -> None:
    """Until each of `count` torrents has received something."""
    from torrents.models import LiveState

    _wait_until(
        lambda: LiveState.objects.filter(progress__gt=0, progress__lt=1).count() >= count,
        f"{count} torrents to download",
    )


def finished_claim(user: "User") -> "Claim":
    """The person's one torrent, once it is complete and its files' checksums are known."""
    from torrents.models import Claim, TorrentFile

    claims = Claim.objects.filter(user=user, completed_at__isnull=False)
    _wait_until(
        lambda: claims.exists() and not TorrentFile.objects.filter(sha256="").exists(),
        "a download and its checksums",
    )
    return claims.get()


def _wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {SETTLE_SECONDS:.0f} s in vain for {what}.")
        time.sleep(0.5)


def current_change(user: "User") -> int:
    from torrents.models import ChangeCounter

    return ChangeCounter.objects.get(pk=user.pk).value


def touch(infohashes: Sequence[str]) -> None:
    """A change of these torrents, as the reconciler writes one."""
    from torrents import engine_records
    from torrents.models import LiveState

    states = list(LiveState.objects.filter(torrent__infohash_v1__in=infohashes))
    for live in states:
        live.seeds += 1
    engine_records.record_live_states(states)


@contextmanager
def active_torrents(box: Box, people: Sequence["User"], count: int, *, each: int) -> Iterator[list[str]]:
    """`count` torrents that download from a real peer at 20 kB/s each; everybody of `people` holds `each` of them,
    and the first person's infohashes
    are given.

    Zeros, in sparse files large enough that none of them is finished while we measure.
    """
    size = 128 * 2**20
    zeros = hashlib.sha1(bytes(PIECE)).digest() * (size // PIECE)  # noqa: S324  BitTorrent v1
    with (
        tempfile.TemporaryDirectory(prefix="bench-peer-") as folder,
        Peer(PEER_ADDRESS, upload_limit=20_000 * count) as peer,
    ):
        torrents = []
        for number in range(count):
            path = Path(folder, f"Active {number:03}.mkv")
            with path.open("wb") as file:
                file.truncate(size)
            torrents.append(metainfo(path.name, size, pieces=zeros))
            peer.seed(torrents[-1], path)
        peer.knock_at(box.torrent_port)
        infohashes = [add(people[0], torrent, paused=False) for torrent in torrents[:each]]
        for place, user in enumerate(people[1:], start=1):
            for step in range(min(each, count)):
                add(user, torrents[(place + step) % count], paused=False)
        wait_until_moving(count)
        yield infohashes


class WebProcesses:
    """The box's gunicorn: the master and its workers."""

    def __init__(self, box: Box) -> None:
        self._pids = [process.pid for process in parts_of(box)["web"]]

    def cpu_seconds(self) -> float:
        return cpu_seconds(self._pids)
