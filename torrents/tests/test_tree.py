"""A person's tree: what is in it, by which names, and what is not there."""

import unicodedata
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import User
from torrents import engine_records, services, tree
from torrents.engines.base import EngineFile
from torrents.metainfo import parse_torrent
from torrents.models import TorrentFile
from torrents.tests.factories import add, finish, finished, fresh_magnet, hybrid_torrent, magnet
from torrents.tree import NotThere, Tree, safe_name

pytestmark = pytest.mark.usefixtures("downloads")


def names(user: User, path: str = "/") -> list[str]:
    return [entry.name for entry in Tree(user).listing(path)]


def test_a_torrent_of_one_file_is_that_file(alice: User) -> None:
    finished(alice, {"folder/film.mkv": b"film"}, name="Some film")
    (entry,) = Tree(alice).listing("/")
    assert (entry.name, entry.is_directory, entry.size) == ("film.mkv", False, 4)


def test_a_torrent_of_several_files_is_a_folder_of_its_name(alice: User) -> None:
    finished(alice, {"a": b"1", "b/c": b"2"}, name="Two things")
    assert names(alice) == ["Two things"]
    assert names(alice, "/Two things") == ["a", "b"]
    assert names(alice, "/Two things/b") == ["c"]


def test_a_torrents_own_top_folder_is_not_shown_twice(alice: User) -> None:
    finished(alice, {"Show/1.mkv": b"1", "Show/2.mkv": b"2"}, name="Show")
    assert names(alice, "/Show") == ["1.mkv", "2.mkv"]


def test_a_path_leads_to_the_rows(alice: User) -> None:
    claim = finished(alice, {"Show/1.mkv": b"1", "Show/s/2.mkv": b"22"}, name="Show")
    found, file = Tree(alice).file("/Show/s/2.mkv")
    assert (found.pk, file.path, file.size) == (claim.pk, "Show/s/2.mkv", 2)


def test_a_torrent_that_is_not_finished_is_not_there(alice: User) -> None:
    add(alice)
    assert names(alice) == []


def test_what_others_have_is_not_there(alice: User, bob: User) -> None:
    finished(bob, {"film.mkv": b"film"}, name="film.mkv")
    assert names(alice) == []
    with pytest.raises(NotThere):
        Tree(alice).file("/film.mkv")


def test_torrents_of_the_same_name_are_numbered_and_the_oldest_keeps_it(alice: User) -> None:
    for content in (b"1", b"22", b"333"):
        finished(alice, {"film.mkv": content}, name="film")
    assert [(entry.name, entry.size) for entry in Tree(alice).listing("/")] == [
        ("film.mkv", 1),
        ("film (2).mkv", 2),
        ("film (3).mkv", 3),
    ]


def test_a_name_is_kept_for_one_that_may_come_back(alice: User, settings: Settings) -> None:
    first, second = (finished(alice, {"film.mkv": content}, name="film") for content in (b"1", b"22"))
    services.remove_torrent(claim=first)
    assert names(alice) == ["film (2).mkv"]
    finished(alice, {"film.mkv": b"333"}, name="film")
    services.restore_torrent(claim=first)
    assert names(alice) == ["film.mkv", "film (2).mkv", "film (3).mkv"]
    services.remove_torrent(claim=first)
    settings.REMOVAL_GRACE_SECONDS = 0
    services.retire_unclaimed_torrents()
    assert names(alice) == ["film.mkv", "film (2).mkv"]
    assert Tree(alice).file("/film.mkv")[0] == second


def test_one_that_finishes_later_takes_nobodys_name(alice: User) -> None:
    late = add(alice, fresh_magnet(name="film"))
    finished(alice, {"film": b"1"}, name="film")
    TorrentFile.objects.create(torrent=late.torrent, index=0, path="film", size=9)
    finish([late.torrent])
    assert [(entry.name, entry.size) for entry in Tree(alice).listing("/")] == [("film", 1), ("film (2)", 9)]


def test_names_stay_as_they_were_listed(
    alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "FRESH_SECONDS", 0.0)
    settings.REMOVAL_GRACE_SECONDS = 0
    first, second = (finished(alice, {"film.mkv": content}, name="film") for content in (b"1", b"22"))
    listed = Tree(alice)
    assert [entry.name for entry in listed.listing("/")] == ["film.mkv", "film (2).mkv"]
    services.remove_torrent(claim=first)
    services.retire_unclaimed_torrents()
    assert listed.file("/film (2).mkv")[0] == second
    finished(alice, {"film.mkv": b"333"}, name="film")
    assert [(entry.name, entry.size) for entry in listed.listing("/")] == [
        ("film (2).mkv", 2),
        ("film.mkv", 3),
    ]


def test_claims_that_a_merge_brings_together_have_a_name_each(alice: User, bob: User, tmp_path: Path) -> None:
    hybrid = parse_torrent(hybrid_torrent(tmp_path / "swarm"))
    finished(alice, {"a": b"1", "b": b"2"}, name="show")
    learning = add(bob, magnet(v1=hybrid.infohash_v1))
    claim = add(alice, magnet(v2=hybrid.infohash_v2))
    assert hybrid.files is not None
    files = [EngineFile(index, path, size, 1) for index, (path, size) in enumerate(hybrid.files)]
    engine_records.record_metadata(
        torrent_id=learning.torrent_id, source=hybrid, name=hybrid.name, files=files
    )
    finish([learning.torrent])
    assert names(alice) == ["show", "show (2)"]
    assert Tree(alice).file("/show (2)/episode.mkv")[0].pk == claim.pk


def test_names_that_differ_only_in_how_they_are_composed_are_numbered(alice: User) -> None:
    finished(alice, {"x/\u00e9": b"1", "x/e\u0301": b"2"}, name="x")
    assert names(alice, "/x") == ["\u00e9", "e\u0301 (2)"]


def test_names_that_differ_only_in_case_are_numbered(alice: User) -> None:
    finished(alice, {"x/README": b"1", "x/readme": b"2"}, name="x")
    assert names(alice, "/x") == ["README", "readme (2)"]


def test_folders_that_look_the_same_when_safe_stay_apart(alice: User) -> None:
    finished(alice, {"a:b/1": b"1", "a?b/2": b"2"}, name="x")
    assert names(alice, "/x") == ["a_b", "a_b (2)"]
    assert names(alice, "/x/a_b (2)") == ["2"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("..", "_"),
        (".", "_"),
        ("", "_"),
        ("a/b", "a_b"),
        ("a\x00b\x1bc\nd\x9be", "a_b_c_d_e"),
        ("\udcff", "_"),
        ("evil\u202egnp.exe", "evil_gnp.exe"),
        ("dots...", "dots"),
        ("NUL", "_NUL"),
        ("com1.txt", "_com1.txt"),
        ("contents", "contents"),
        ("it's [b] -x 進撃の巨人", "it's [b] -x 進撃の巨人"),
        ("-rf", "-rf"),
        (".hidden", ".hidden"),
    ],
)
def test_a_name_is_safe_and_otherwise_as_it_was(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_long_name_is_shortened_and_keeps_its_extension() -> None:
    safe = safe_name("進" * 200 + ".mkv")
    assert len(safe.encode()) <= tree.NAME_BYTES
    assert safe.endswith("進.mkv")
    assert unicodedata.is_normalized("NFC", safe)


@pytest.mark.parametrize("path", ["/x/../../y", "/../..", "/x/./..//"])
def test_a_path_never_leads_above_the_top(alice: User, path: str) -> None:
    finished(alice, {"y": b"1"}, name="y")
    assert tree.parts_of(path) in ([], ["y"])


@pytest.mark.parametrize("path", ["/nothing", "/x/nothing", "/x/1/below", "/X/1", "x" * 10_000, "/x\x00"])
def test_what_does_not_exist_is_not_there(alice: User, path: str) -> None:
    finished(alice, {"x/1": b"1", "x/2": b"2"}, name="x")
    with pytest.raises(NotThere):
        Tree(alice).entry(path)


def test_a_directory_is_no_file_and_a_file_no_directory(alice: User) -> None:
    finished(alice, {"x/1": b"1", "x/2": b"2"}, name="x")
    with pytest.raises(NotThere):
        Tree(alice).file("/x")
    with pytest.raises(NotThere):
        Tree(alice).listing("/x/1")


def test_a_removed_torrent_cannot_be_opened_by_a_listing_that_still_shows_it(alice: User) -> None:
    claim = finished(alice, {"film.mkv": b"film"}, name="film")
    shown = Tree(alice)
    assert shown.entry("/film.mkv").size == 4
    services.remove_torrent(claim=claim)
    with pytest.raises(NotThere):
        shown.file("/film.mkv")


def test_a_listing_is_renewed_after_two_seconds(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Tree(alice)
    assert list(seen.listing("/")) == []
    finished(alice, {"film.mkv": b"film"}, name="film")
    monkeypatch.setattr(tree, "FRESH_SECONDS", 0.0)
    assert [entry.name for entry in seen.listing("/")] == ["film.mkv"]


def test_files_that_are_recorded_anew_are_seen(alice: User) -> None:
    claim = finished(alice, {"x/1": b"1", "x/2": b"2"}, name="x")
    assert names(alice, "/x") == ["1", "2"]
    claim.torrent.files.all().delete()
    TorrentFile.objects.bulk_create(
        TorrentFile(torrent=claim.torrent, index=index, path=f"x/new {index}", size=1) for index in range(2)
    )
    assert names(alice, "/x") == ["new 0", "new 1"]


def test_looking_at_many_paths_takes_few_queries(alice: User) -> None:
    for number in range(5):
        finished(alice, {f"t/{index}": b"x" for index in range(20)}, name=f"t{number}")
    seen = Tree(alice)
    with CaptureQueriesContext(connection) as queries:
        for number in range(5):
            for index in range(20):
                assert seen.entry(f"/t{number}/{index}").size == 1
    assert len(queries) == 6


def test_a_path_as_deep_as_a_disk_takes_is_found(alice: User, downloads: Path) -> None:
    claim = finished(alice, {"x": b"1", "y": b"2"}, name="deep")
    TorrentFile.objects.filter(torrent=claim.torrent, index=0).update(path="d/" * 2000 + "x")
    assert Tree(alice).entry("/deep/" + "d/" * 2000 + "x").size == 1
