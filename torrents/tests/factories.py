"""People, torrents and clients to test with."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import TypeVar

import libtorrent
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.factories import access_token
from torrents import engine_records, services
from torrents.engines.base import EngineFile
from torrents.metainfo import Source, build_magnet, parse_magnet
from torrents.models import Claim, LiveState, Torrent
from torrents.tests.metainfo_samples import real_torrent

T = TypeVar("T")
State = LiveState.State


def magnet(*, v1: str | None = None, v2: str | None = None, name: str = "") -> Source:
    return parse_magnet(build_magnet(infohash_v1=v1, infohash_v2=v2, name=name))


def fresh_magnet(name: str = "") -> Source:
    """A torrent that nobody has seen yet."""
    return magnet(v1=secrets.token_hex(20), name=name)


def hybrid_torrent(folder: Path) -> bytes:
    return real_torrent(folder, 0)


def v1_torrent(folder: Path, *, private: bool = False) -> bytes:
    return real_torrent(folder, libtorrent.create_torrent.v1_only, private=private)


def person(name: str) -> User:
    """Somebody who never logs in, so no time goes into hashing a password."""
    return User.objects.create(username=name, password="!")


def add(user: User, source: Source | None = None, *, paused: bool = False) -> Claim:
    wanted = Claim.Wanted.PAUSED if paused else Claim.Wanted.RUNNING
    return services.add_torrent(user=user, source=source or fresh_magnet(), wanted=wanted)[0]


def live(torrent: Torrent, state: str, *, progress: float = 0.5, download_speed: int = 0) -> LiveState:
    return LiveState(torrent=torrent, state=state, progress=progress, download_speed=download_speed)


def finish(torrents: Iterable[Torrent]) -> None:
    engine_records.record_live_states([live(torrent, State.FINISHED, progress=1) for torrent in torrents])


def finished(user: User, files: Mapping[str, bytes], *, name: str = "") -> Claim:
    """A claim on a finished torrent whose files lie on the disk."""
    claim = add(user, fresh_magnet(name=name))
    torrent = claim.torrent
    for path, content in files.items():
        target = torrent.data_dir / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    engine_records.record_metadata(
        torrent_id=torrent.pk,
        source=None,
        name=name,
        files=[
            EngineFile(index=index, path=path, size=len(content), progress=1)
            for index, (path, content) in enumerate(files.items())
        ],
    )
    finish([torrent])
    return Claim.objects.of(user).get(pk=claim.pk)


def client_of(user: User) -> APIClient:
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {access_token(user)}")
    return api


def at_once(*calls: Callable[[], T]) -> list[T]:
    """What the calls return, each made in a thread of its own at the same moment; raises what one of them raises."""
    start = Barrier(len(calls), timeout=30)

    def run(call: Callable[[], T]) -> T:
        try:
            connection.ensure_connection()
            start.wait()
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(run, call) for call in calls]]
