"""Trackers that magnets named before anybody knew that their torrent is private: only those of its one owner stay."""

from pathlib import Path

import pytest

from accounts.models import User
from torrents import services
from torrents.metainfo import Source, build_magnet, parse_magnet, parse_torrent, with_trackers
from torrents.models import Claim, Torrent
from torrents.tests.factories import add, v1_torrent
from torrents.tests.metainfo_samples import real_torrent
from torrents.tests.reconciler_box import EVERYTHING, Box, seen

MINE = "https://tracker.example.org/alices-passkey/announce"
THEIRS = "https://tracker.example.org/bobs-passkey/announce"


def naming(source: Source, tracker: str) -> Source:
    return parse_magnet(
        build_magnet(infohash_v1=source.infohash_v1, infohash_v2=source.infohash_v2, trackers=[tracker])
    )


@pytest.fixture
def private(tmp_path: Path) -> Source:
    return parse_torrent(v1_torrent(tmp_path / "swarm", private=True))


def announced_to(box: Box, claim: Claim) -> tuple[str, ...]:
    (held,) = [
        held for held in box.engine._torrents.values() if held.save_path == str(claim.torrent.data_dir)
    ]
    return held.trackers


def metadata_arrives(box: Box, source: Source) -> None:
    assert source.metainfo is not None
    box.engine.offer(source.metainfo)
    box.rounds()
    box.engine.advance()
    box.rounds()


def test_of_several_magnets_trackers_those_of_the_one_who_keeps_a_private_torrent_stay(
    box: Box, alice: User, bob: User, private: Source
) -> None:
    claim = add(alice, naming(private, MINE))
    add(bob, naming(private, THEIRS))
    box.rounds()
    assert announced_to(box, claim) == (MINE, THEIRS)
    metadata_arrives(box, private)

    torrent = Torrent.objects.get()
    assert torrent.trackers == [MINE]
    assert parse_torrent(bytes(torrent.metainfo or b"")).trackers == (MINE,)
    assert announced_to(box, claim) == (MINE,)
    box.engine.advance(EVERYTHING)
    box.rounds()
    assert seen(claim).completed_at is not None


def test_the_trackers_of_somebody_who_gave_it_up_before_are_left_too(
    box: Box, alice: User, bob: User, private: Source
) -> None:
    services.remove_torrent(claim=add(bob, naming(private, THEIRS)))
    claim = add(alice, naming(private, MINE))
    metadata_arrives(box, private)
    assert announced_to(box, claim) == (MINE,)
    assert Torrent.objects.get().trackers == [MINE]


def test_all_trackers_of_a_public_torrent_stay(box: Box, alice: User, bob: User, show: Source) -> None:
    claim = add(alice, naming(show, MINE))
    add(bob, naming(show, THEIRS))
    metadata_arrives(box, show)
    assert set(announced_to(box, claim)) == {MINE, THEIRS} == set(seen(claim).torrent.trackers)


def test_both_links_of_one_person_count_as_theirs(box: Box, alice: User, tmp_path: Path) -> None:
    hybrid = parse_torrent(real_torrent(tmp_path / "swarm", 0, private=True))
    links = [(hybrid.infohash_v1, None, MINE), (None, hybrid.infohash_v2, THEIRS)]
    for v1, v2, tracker in links:
        add(alice, parse_magnet(build_magnet(infohash_v1=v1, infohash_v2=v2, trackers=[tracker])))
    metadata_arrives(box, hybrid)
    assert set(Torrent.objects.get().trackers) == {MINE, THEIRS}


def test_a_torrent_file_that_comes_after_its_magnet_ends_the_search_for_metadata(
    box: Box, alice: User, private: Source
) -> None:
    claim = add(alice, naming(private, THEIRS))
    box.rounds()
    assert not box.held()[claim.torrent_id].has_metadata
    assert private.metainfo is not None
    add(alice, parse_torrent(with_trackers(private.metainfo, [MINE])))
    box.rounds()
    assert box.held()[claim.torrent_id].has_metadata
    assert announced_to(box, claim) == (MINE,)


def test_a_torrent_file_gets_other_trackers_and_stays_the_same_torrent(private: Source) -> None:
    assert private.metainfo is not None
    both = parse_torrent(with_trackers(private.metainfo, [MINE, THEIRS]))
    assert (both.infohash_v1, both.trackers) == (private.infohash_v1, (MINE, THEIRS))
    assert both.metainfo is not None
    assert with_trackers(both.metainfo, []) == private.metainfo
