"""Two and three people choose different files of one torrent: each is complete with their own, and gets no others."""

import io
import tarfile
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from accounts.models import User
from torrents import services
from torrents.checksums import Checksums
from torrents.claim_wishes import change_wishes
from torrents.engines.base import EngineFile
from torrents.file_progress import record_file_progress
from torrents.metainfo import Source
from torrents.models import Claim, Torrent, TorrentFile
from torrents.states import state_of
from torrents.tests.factories import State, add, client_of
from torrents.tests.reconciler_box import EVERYTHING, Box, seen
from torrents.tree import NotThere, Tree

NOTES, EPISODE = 0, 1  # of `show`: 5 and 100,000 bytes


@pytest.fixture(autouse=True)
def _read_files_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torrents.file_progress.READ_EVERY", 0.0)


@pytest.fixture
def offered(box: Box, show: Source, tmp_path: Path) -> Source:
    """A torrent that somebody in the swarm has."""
    assert show.metainfo is not None
    box.engine.offer(show.metainfo, tmp_path / "swarm" / "show")
    return show


def choose(claim: Claim, *files: int) -> None:
    change_wishes(claim=claim, wishes={"files": files or None})


def passes(box: Box, received: int = EVERYTHING) -> None:
    """Time, in which so many bytes arrive."""
    box.rounds(3)
    box.engine.advance(received)
    box.rounds(3)


def shown(claim: Claim) -> dict[str, Any]:
    answer: dict[str, Any] = client_of(claim.user).get(f"/api/v1/torrents/{claim.pk}/").json()
    return answer


def files_shown(claim: Claim) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = client_of(claim.user).get(f"/api/v1/torrents/{claim.pk}/files/").json()
    return answer


def status_of(claim: Claim, path: str) -> int:
    response: Any = client_of(claim.user).get(f"/api/v1/torrents/{claim.pk}/{path}")
    if response.streaming:
        b"".join(response.streaming_content)
    return int(response.status_code)


def complete(*claims: Claim) -> list[bool]:
    return [seen(claim).completed_at is not None for claim in claims]


def test_each_claim_is_complete_when_its_own_files_are(
    box: Box, alice: User, bob: User, charlie: User, offered: Source
) -> None:
    small, large, whole = add(alice, offered), add(bob, offered), add(charlie, offered)
    choose(small, NOTES)
    choose(large, EPISODE)
    passes(box, 5)
    assert complete(small, large, whole) == [True, False, False]
    assert state_of(seen(small)) == State.FINISHED
    assert state_of(seen(large)) == State.DOWNLOADING
    passes(box)
    assert complete(small, large, whole) == [True, True, True]


def test_a_torrent_of_which_some_files_are_wanted_is_complete_for_those_who_want_them_only(
    box: Box, alice: User, bob: User, offered: Source
) -> None:
    mine, theirs = add(alice, offered), add(bob, offered, paused=True)
    choose(mine, NOTES)
    passes(box)
    assert complete(mine, theirs) == [True, False]
    assert Torrent.objects.get().completed_at is None
    services.resume_torrent(claim=theirs)
    assert state_of(seen(theirs)) == State.WAITING
    passes(box)
    assert complete(mine, theirs) == [True, True]
    assert Torrent.objects.get().completed_at is not None


def test_choosing_more_files_takes_completion_back_until_they_are_there(
    box: Box, alice: User, bob: User, offered: Source
) -> None:
    mine, theirs = add(alice, offered), add(bob, offered)
    choose(mine, NOTES)
    choose(theirs, NOTES)
    passes(box)
    assert complete(mine, theirs) == [True, True]
    choose(mine, NOTES, EPISODE)
    assert complete(mine, theirs) == [False, True]
    box.rounds(3)
    assert complete(mine, theirs) == [False, True]
    passes(box)
    assert complete(mine, theirs) == [True, True]


def test_choosing_fewer_files_can_complete_it_at_once(box: Box, alice: User, offered: Source) -> None:
    claim = add(alice, offered)
    choose(claim, NOTES)
    passes(box)
    choose(claim, NOTES, EPISODE)
    assert complete(claim) == [False]
    choose(claim, NOTES)
    assert complete(claim) == [True]


def test_choosing_while_paused_completes_nothing(box: Box, alice: User, bob: User, offered: Source) -> None:
    mine, theirs = add(alice, offered), add(bob, offered, paused=True)
    passes(box)
    choose(theirs, NOTES)
    assert complete(mine, theirs) == [True, False]
    services.resume_torrent(claim=theirs)
    assert complete(theirs) == [True]


def test_resuming_a_choice_that_others_completed_is_handed_over_soon(
    box: Box, alice: User, bob: User, offered: Source
) -> None:
    mine, theirs = add(alice, offered), add(bob, offered, paused=True)
    choose(mine, NOTES)
    passes(box)
    choose(theirs, NOTES)
    services.resume_torrent(claim=theirs)
    box.rounds(2)
    assert complete(theirs) == [True]


def test_who_has_all_files_is_not_disturbed_by_a_choice_of_others(
    box: Box, alice: User, bob: User, offered: Source
) -> None:
    mine, theirs = add(alice, offered), add(bob, offered)
    passes(box)
    before = seen(mine).completed_at
    choose(theirs, EPISODE)
    services.pause_torrent(claim=mine)
    box.rounds(3)
    assert seen(mine).completed_at == before
    assert complete(theirs) == [True]
    assert Torrent.objects.get().completed_at is not None


def test_completion_is_taken_back_from_those_whose_files_went_missing(
    box: Box, alice: User, bob: User, offered: Source
) -> None:
    mine, theirs = add(alice, offered), add(bob, offered)
    choose(mine, NOTES)
    choose(theirs, EPISODE)
    passes(box)
    assert complete(mine, theirs) == [True, True]
    (mine.torrent.data_dir / "show" / "episode.mkv").unlink()
    box.engine.recheck([box.held()[mine.torrent_id].key])
    box.rounds(3)
    assert complete(mine, theirs) == [True, False]
    passes(box)
    assert complete(mine, theirs) == [True, True]


def test_what_is_still_being_checked_is_not_taken_for_missing(box: Box, alice: User, offered: Source) -> None:
    claim = add(alice, offered)
    choose(claim, NOTES)
    passes(box)
    unread = [
        EngineFile(NOTES, "show/extra/notes.txt", 5, 0.0),
        EngineFile(EPISODE, "show/episode.mkv", 100_000, 0.0),
    ]
    record_file_progress(torrent_id=claim.torrent_id, files=unread, settled=False)
    assert complete(claim) == [True]
    record_file_progress(torrent_id=claim.torrent_id, files=unread, settled=True)
    assert complete(claim) == [False]


def test_an_unwanted_file_inside_the_pieces_of_others_does_not_count_as_there(
    box: Box, alice: User, offered: Source
) -> None:
    claim = add(alice, offered)
    choose(claim, EPISODE)
    passes(box)
    along = [
        EngineFile(NOTES, "show/extra/notes.txt", 5, 1.0, wanted=False),
        EngineFile(EPISODE, "show/episode.mkv", 100_000, 1.0),
    ]
    record_file_progress(torrent_id=claim.torrent_id, files=along, settled=True)
    choose(claim, NOTES)
    assert complete(claim) == [False]


def test_figures_are_those_of_ones_own_files(box: Box, alice: User, bob: User, offered: Source) -> None:
    (
        mine,
        theirs,
    ) = add(alice, offered), add(bob, offered)
    choose(mine, EPISODE)
    passes(box, 50_005)
    mine_shown, theirs_shown = shown(mine), shown(theirs)
    assert (mine_shown["size"], theirs_shown["size"]) == (100_000, 100_005)
    assert mine_shown["progress"] == pytest.approx(0.5)
    assert theirs_shown["progress"] == pytest.approx(50_005 / 100_005)
    assert mine_shown["eta"] == 1
    passes(box)
    assert shown(mine)["progress"] == 1.0


def test_progress_of_files_reaches_those_who_poll(box: Box, alice: User, offered: Source) -> None:
    claim = add(alice, offered)
    choose(claim, EPISODE)
    passes(box, 10)
    before = seen(claim).change
    passes(box, 50_000)
    changes = services.changes_since(user=alice, change=before, limit=9)
    assert [claim.pk for claim in changes.claims] == [claim.pk]


def test_the_list_of_files_says_which_are_ones_own(box: Box, alice: User, bob: User, offered: Source) -> None:
    mine, theirs = add(alice, offered), add(bob, offered)
    choose(mine, NOTES)
    passes(box)
    files, theirs_files = files_shown(mine), files_shown(theirs)
    assert [file["wanted"] for file in files] == [True, False]
    assert [file["progress"] for file in files] == [1.0, 1.0]
    assert [file["content_url"] is not None for file in files] == [True, False]
    assert [file["content_url"] is not None for file in theirs_files] == [True, True]


def test_nobody_is_handed_a_file_that_they_did_not_choose(
    box: Box, alice: User, bob: User, charlie: User, offered: Source
) -> None:
    mine, theirs, third = add(alice, offered), add(bob, offered), add(charlie, offered)
    choose(mine, NOTES)
    choose(theirs, EPISODE)
    passes(box)
    expected = {mine: (200, 404), theirs: (404, 200), third: (200, 200)}
    for claim, statuses in expected.items():
        asked = tuple(status_of(claim, f"files/{index}/content/") for index in (NOTES, EPISODE))
        assert asked == statuses


def test_the_archive_holds_ones_own_files(box: Box, alice: User, bob: User, offered: Source) -> None:
    mine, theirs = add(alice, offered), add(bob, offered)
    choose(mine, NOTES)
    passes(box)
    assert archived(mine) == ["show/extra/notes.txt"]
    assert archived(theirs) == ["show/extra/notes.txt", "show/episode.mkv"]


def archived(claim: Claim) -> list[str]:
    response: Any = client_of(claim.user).get(f"/api/v1/torrents/{claim.pk}/archive/")
    with tarfile.open(fileobj=io.BytesIO(b"".join(response.streaming_content))) as archive:
        return archive.getnames()


def test_links_lead_to_chosen_files_only_also_when_the_choice_comes_later(
    box: Box, alice: User, offered: Source
) -> None:
    claim = add(alice, offered)
    passes(box)
    api = client_of(alice)
    links = f"/api/v1/torrents/{claim.pk}/links/"
    url = api.post(links, {"index": EPISODE}, format="json").json()["url"]
    choose(claim, NOTES)
    assert api.get(url).status_code == 404
    assert api.post(links, {"index": EPISODE}, format="json").status_code == 404
    assert api.post(links, {"index": NOTES}, format="json").status_code == 201


def test_the_tree_shows_ones_own_files(
    box: Box, alice: User, bob: User, charlie: User, offered: Source
) -> None:
    mine, theirs, third = add(alice, offered), add(bob, offered), add(charlie, offered)
    choose(mine, NOTES)
    choose(theirs, EPISODE)
    passes(box)
    assert [entry.name for entry in Tree(alice).listing("/")] == ["notes.txt"]
    assert [entry.name for entry in Tree(bob).listing("/")] == ["episode.mkv"]
    assert [entry.name for entry in Tree(charlie).listing("/show")] == ["extra", "episode.mkv"]
    assert Tree(alice).file("/notes.txt")[1].index == NOTES
    assert Tree(charlie).path_of(third.pk) == "/show"


def test_a_tree_that_was_read_before_hands_over_nothing_that_is_not_chosen_any_more(
    box: Box, alice: User, offered: Source
) -> None:
    claim = add(alice, offered)
    passes(box)
    tree = Tree(alice)
    assert [entry.name for entry in tree.listing("/show/extra")] == ["notes.txt"]
    choose(claim, EPISODE)
    with pytest.raises(NotThere):
        tree.file("/show/extra/notes.txt")


def test_checksums_are_computed_for_what_is_complete_of_a_torrent(
    box: Box, alice: User, bob: User, offered: Source
) -> None:
    mine, theirs = add(alice, offered), add(bob, offered, paused=True)
    choose(mine, NOTES)
    passes(box)
    assert [file.index for file in TorrentFile.objects.without_checksum()] == [NOTES]
    Checksums(Event()).compute(TorrentFile.objects.without_checksum().get())
    assert files_shown(mine)[NOTES]["sha256"] is not None
    assert files_shown(mine)[EPISODE]["sha256"] is None
    choose(theirs, EPISODE)
    assert files_shown(theirs)[NOTES]["sha256"] is None


def test_files_are_read_while_somebody_looks(box: Box, alice: User, offered: Source) -> None:
    claim = add(alice, offered)
    passes(box, 50_005)
    assert [file["progress"] for file in files_shown(claim)] == [0.0, 0.0]
    box.rounds(2)  # looking was asking for them
    assert [file["progress"] for file in files_shown(claim)] == [1.0, 0.5]


def test_a_complete_torrent_is_not_asked_for_its_files_again(
    box: Box, alice: User, offered: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = add(alice, offered)
    choose(claim, NOTES)
    passes(box)
    asked: list[str] = []
    monkeypatch.setattr(box.engine, "files", asked.append)
    box.rounds(5)
    assert asked == []
