"""Torrents in the engine that are nobody's here are shown to admins and left alone."""

import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from torrents import foreign
from torrents.blocking import block_infohash
from torrents.metainfo import Source
from torrents.models import ForeignTorrent
from torrents.services import default_engine
from torrents.tests.factories import add, fresh_magnet
from torrents.tests.reconciler_box import Box


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "LOOK_EVERY", 0)


def put(box: Box, folder: Path | str, source: Source | None = None) -> str:
    """Somebody else adds a torrent to the engine. Its key."""
    source = source or fresh_magnet()
    box.engine.add(metainfo=source.metainfo, magnet=source.magnet, save_path=str(folder), stopped=True)
    return (source.infohash_v2 or source.infohash_v1 or "")[:40]


def shown() -> set[str]:
    return set(ForeignTorrent.objects.values_list("key", flat=True))


def test_what_is_not_ours_is_shown_with_its_folder_and_size(box: Box, alice: User, show: Source) -> None:
    add(alice)
    put(box, "/srv/other", show)
    box.rounds()
    row = ForeignTorrent.objects.get()
    assert (row.name, row.save_path, row.size) == ("show", "/srv/other", show.size)


def test_a_folder_beside_ours_of_which_nobody_knows_is_not_ours(box: Box, downloads: Path) -> None:
    key = put(box, downloads / "t" / str(uuid.uuid4()))
    box.rounds()
    assert shown() == {key}


def test_what_is_about_to_be_removed_was_ours(box: Box, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = add(alice)
    box.rounds()
    monkeypatch.setattr(box.engine, "remove", lambda keys, delete_data: None)  # takes its time
    block_infohash(infohash=claim.torrent.infohash_v1 or "")
    box.rounds()
    assert shown() == set()


def test_it_is_never_touched_and_forgotten_when_it_goes(box: Box) -> None:
    key = put(box, "/srv/other")
    box.rounds(3)
    assert [torrent.key for torrent in box.engine.peek()] == [key]
    box.engine.lose(key)
    box.rounds()
    assert shown() == set()


def test_nothing_is_written_while_nothing_changes(box: Box) -> None:
    put(box, "/srv/other")
    box.rounds(2)
    with CaptureQueriesContext(connection) as queries:
        box.rounds(1, woken=False)
    assert not [entry["sql"] for entry in queries if "torrents_foreigntorrent" in entry["sql"]]


def test_a_restarted_reconciler_forgets_what_went_meanwhile(box: Box) -> None:
    gone, stays = put(box, "/srv/a"), put(box, "/srv/b")
    box.rounds()
    box.engine.lose(gone)
    box.restart()
    box.rounds()
    assert shown() == {stays}


def test_it_is_looked_at_now_and_then_only(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "LOOK_EVERY", 3600)
    box.rounds()
    put(box, "/srv/other")
    box.rounds(3)
    assert shown() == set()


def test_odd_names_and_folders_are_stored(box: Box) -> None:
    put(box, "/srv/other")
    (torrent,) = box.engine.peek()
    odd = replace(torrent, name="a\0b\ud800\u202ec", save_path="/srv/\0\ud800x")
    foreign.ForeignTorrents(default_engine()).record([odd])
    row = ForeignTorrent.objects.get()
    assert (row.name, row.save_path) == ("abc", "/srv/?x")
