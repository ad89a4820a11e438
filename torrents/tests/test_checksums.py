"""Checksums of finished files, computed beside everything else."""

import contextlib
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from torrents import engine_records
from torrents.checksums import Checksums
from torrents.models import TorrentFile
from torrents.tests.factories import State, add, finish, finished, live, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("downloads")]
FILES = {"show/a.mkv": b"a" * 100_000, "show/empty": b"", "show/b.txt": b"b"}


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def thread(stop: threading.Event) -> Iterator[Checksums]:
    thread = Checksums(stop)
    yield thread
    stop.set()
    if thread.ident is not None:
        thread.join(10)
    assert not thread.is_alive()


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def open_files() -> set[str]:
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(str(descriptor.readlink()))
    return found


def unhashed() -> set[str]:
    return set(TorrentFile.objects.filter(sha256="").values_list("path", flat=True))


def test_every_finished_file_gets_its_checksum(thread: Checksums) -> None:
    claim = finished(person("alice"), FILES)
    thread.start()
    assert within(10, lambda: not unhashed())
    stored = dict(claim.torrent.files.values_list("path", "sha256"))
    assert stored == {path: hashlib.sha256(content).hexdigest() for path, content in FILES.items()}


def test_what_is_not_finished_is_not_read(thread: Checksums) -> None:
    claim = finished(person("alice"), FILES)
    engine_records.record_live_states([live(claim.torrent, State.DOWNLOADING)])
    assert TorrentFile.objects.without_checksum().first() is None
    finish([claim.torrent])
    assert TorrentFile.objects.without_checksum().count() == len(FILES)


def test_a_vanished_file_does_not_keep_the_others_waiting(thread: Checksums) -> None:
    alice = person("alice")
    broken = finished(alice, FILES)
    (broken.torrent.data_dir / "show/a.mkv").unlink()
    (broken.torrent.data_dir / "show/b.txt").write_bytes(b"other size")
    finished(alice, {"fine": b"1"})
    thread.start()
    assert within(10, lambda: unhashed() == {"show/a.mkv", "show/b.txt"})


def test_a_file_that_came_back_is_looked_at_again(
    thread: Checksums, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("torrents.checksums.LOOK_EVERY", 0.01)
    monkeypatch.setattr("torrents.checksums.RETRY_EVERY", 0.05)
    claim = finished(person("alice"), {"a": b"12"})
    (claim.torrent.data_dir / "a").write_bytes(b"1")
    thread.start()
    with caplog.at_level(logging.WARNING):
        assert within(10, lambda: "No checksum" in caplog.text)
    (claim.torrent.data_dir / "a").write_bytes(b"12")
    assert within(10, lambda: not unhashed())


def test_a_torrent_that_is_completed_anew_meanwhile_gets_no_checksum_of_the_old_file(
    thread: Checksums,
) -> None:
    claim = finished(person("alice"), {"a": b"12"})
    file = TorrentFile.objects.without_checksum().get()
    engine_records.record_live_states([live(claim.torrent, State.DOWNLOADING)])
    finish([claim.torrent])  # completed again, with other contents, since the file was chosen
    thread.compute(file)
    assert unhashed() == {"a"}


def test_a_disk_that_fails_to_read_does_not_end_the_thread(
    thread: Checksums, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = person("alice")
    finished(alice, {"broken": b"1"})
    finished(alice, {"fine": b"22"})
    actual = hashlib.sha256

    class Failing:
        def update(self, block: bytes) -> None:
            raise OSError(5, "Input/output error")

    made: list[object] = []

    def first_fails() -> object:
        made.append(1)
        return Failing() if len(made) == 1 else actual()

    monkeypatch.setattr("torrents.checksums.hashlib.sha256", first_fails)
    thread.start()
    assert within(10, lambda: unhashed() == {"broken"})


def test_it_stops_quickly_in_the_middle_of_a_large_file(thread: Checksums, stop: threading.Event) -> None:
    claim = finished(person("alice"), {"large": b""})
    with (claim.torrent.data_dir / "large").open("wb") as file:
        file.truncate(2**40)  # sparse: hours to read, nothing to store
    TorrentFile.objects.update(size=2**40)
    thread.start()
    large = str(claim.torrent.data_dir / "large")
    assert within(10, lambda: large in open_files())
    started = time.monotonic()
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - started < 5


def test_with_nothing_to_do_it_stops_at_once(thread: Checksums, stop: threading.Event) -> None:
    add(person("alice"))
    thread.start()
    started = time.monotonic()
    stop.set()
    thread.join(10)
    assert time.monotonic() - started < 5


def test_looking_for_work_does_not_read_all_the_files_there_are(thread: Checksums) -> None:
    claim = finished(person("alice"), FILES)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO torrents_torrentfile (torrent_id, index, path, size, sha256, progress)
            SELECT %s, number, 'show/' || number, 1, repeat('a', 64), 1 FROM generate_series(100, 20000) AS number
            """,
            [claim.torrent_id],
        )
        cursor.execute("ANALYZE torrents_torrentfile, torrents_torrent")
    looking = TorrentFile.objects.without_checksum().exclude(pk__in=set())[:1]
    assert len(looking) == 1
    assert "file_without_checksum" in looking.explain()
