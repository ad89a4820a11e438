"""Private torrents: one claim, for whoever presents the .torrent, and no word about anybody else."""

from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import User
from torrents import engine_records, services
from torrents.engines.base import EngineFile
from torrents.metainfo import Source, parse_magnet, parse_torrent
from torrents.models import Claim, ClaimEvent, Removal, Tombstone, Torrent
from torrents.services import TorrentRefused, changes_since
from torrents.states import state_of
from torrents.tests.factories import State, add, at_once, client_of, finish, magnet, person
from torrents.tests.metainfo_samples import real_torrent
from torrents.tests.reconciler_box import Box, seen

pytestmark = pytest.mark.usefixtures("downloads")

MINE = "https://tracker.example.org/alices-passkey/announce"
THEIRS = "https://tracker.example.org/bobs-passkey/announce"
TELLING = ("somebody", "someone", "another", "already", "else", "other people", "user")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "swarm"


def with_passkey(folder: Path, tracker: str) -> Source:
    """A private hybrid, as its tracker hands it to one of its members."""
    return parse_torrent(real_torrent(folder, 0, tracker=tracker, private=True))


@pytest.fixture
def mine(folder: Path) -> Source:
    return with_passkey(folder, MINE)


@pytest.fixture
def theirs(folder: Path) -> Source:
    return with_passkey(folder, THEIRS)


def bare(source: Source, *, v1: bool = True) -> Source:
    return magnet(v1=source.infohash_v1) if v1 else magnet(v2=source.infohash_v2)


def metadata_arrives(claim: Claim, source: Source) -> None:
    engine_records.record_metadata(
        torrent_id=claim.torrent_id,
        source=source,
        name=source.name,
        files=[EngineFile(index=0, path="show/episode.mkv", size=5, progress=0)],
    )


def tells_nothing(words: str) -> bool:
    return not any(word in words.lower() for word in TELLING)


def test_a_private_torrent_is_for_one_person(alice: User, bob: User, mine: Source, theirs: Source) -> None:
    assert mine.infohash_v1 == theirs.infohash_v1
    claim = add(alice, mine)
    before = Torrent.objects.values().get()
    with pytest.raises(TorrentRefused) as refused:
        add(bob, theirs)
    assert refused.value.code == "private"
    assert tells_nothing(str(refused.value))
    assert Claim.with_removed.get() == claim
    assert Torrent.objects.values().get() == before


def test_its_owner_presents_it_again_with_a_new_passkey(alice: User, mine: Source, theirs: Source) -> None:
    claim = add(alice, mine)
    assert add(alice, theirs) == claim
    torrent = Torrent.objects.get()
    assert (torrent.pk, torrent.trackers) == (claim.torrent_id, [THEIRS])
    assert torrent.metainfo == theirs.metainfo


def test_the_trackers_of_a_private_torrent_stay_its_own(alice: User, bob: User, mine: Source) -> None:
    add(alice, mine)
    public = parse_magnet(f"{bare(mine).magnet}&tr=https%3A%2F%2Fpublic.example.org%2Fannounce")
    add(alice, public)
    with pytest.raises(TorrentRefused):
        add(bob, public)
    assert Torrent.objects.get().trackers == [MINE]


@pytest.mark.parametrize("v1", [True, False])
def test_a_magnet_for_a_known_private_torrent_is_refused_in_the_same_words_whoever_has_it(
    alice: User, bob: User, mine: Source, v1: bool
) -> None:
    claim = add(alice, mine)
    words = []
    for _ in ("held", "given up"):
        answer = client_of(bob).post("/api/v1/torrents/", {"source": bare(mine, v1=v1).magnet}, format="json")
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["code"]) == (400, "private")
        words.append(error["detail"])
        if Claim.objects.exists():
            services.remove_torrent(claim=claim)
    assert words[0] == words[1]
    assert tells_nothing(words[0])
    assert ".torrent" in words[0]


@pytest.mark.parametrize("metadata_is_known", [False, True])
@pytest.mark.parametrize("v1", [True, False])
def test_whoever_presents_the_torrent_goes_before_a_magnet(
    alice: User, bob: User, mine: Source, v1: bool, metadata_is_known: bool
) -> None:
    before = add(bob, bare(mine, v1=v1))
    if metadata_is_known:
        metadata_arrives(before, mine)
    claim = add(alice, mine)
    assert Claim.with_removed.get() == claim
    assert Torrent.objects.get().trackers == [MINE]
    assert Torrent.objects.get().metainfo == mine.metainfo
    news = changes_since(user=bob, change=before.change, limit=10)
    assert (news.claims, news.removed) == ([], [before.pk])
    event = ClaimEvent.objects.get(user=bob, kind="removed")
    assert event.claim_id == before.pk
    assert tells_nothing(event.detail)


def test_nothing_of_a_magnets_torrent_passes_to_whoever_presents_the_torrent(
    alice: User, bob: User, mine: Source
) -> None:
    before = add(bob, parse_magnet(f"{bare(mine).magnet}&tr={THEIRS.replace(':', '%3A')}"))
    claim = add(alice, mine)
    assert claim.torrent_id != before.torrent_id
    assert Torrent.objects.get().trackers == [MINE]
    assert Removal.objects.get().pk == before.torrent_id


def test_among_magnets_the_one_who_presents_the_torrent_keeps_their_claim(
    alice: User, bob: User, mine: Source
) -> None:
    add(bob, bare(mine))
    claim = add(alice, bare(mine), paused=True)
    assert add(alice, mine) == claim
    assert Claim.with_removed.get() == claim
    assert state_of(seen(claim)) == State.PAUSED
    assert seen(claim).torrent.metainfo == mine.metainfo
    assert not Tombstone.objects.filter(user=alice).exists()


def test_a_magnets_data_stays_when_its_owner_presents_the_torrent(alice: User, mine: Source) -> None:
    claim = add(alice, bare(mine))
    metadata_arrives(claim, mine)
    finish([claim.torrent])
    assert add(alice, mine).torrent_id == claim.torrent_id
    assert state_of(seen(claim)) == State.FINISHED
    assert Torrent.objects.get().trackers == [MINE]


def test_metadata_that_shows_a_torrent_private_leaves_the_oldest_claim(
    alice: User, bob: User, charlie: User, mine: Source
) -> None:
    first, second, third = (add(user, bare(mine)) for user in (bob, alice, charlie))
    services.remove_torrent(claim=second)
    metadata_arrives(first, mine)
    assert Claim.with_removed.get() == first
    assert Tombstone.objects.filter(claim_id=third.pk).exists()
    assert tells_nothing(ClaimEvent.objects.get(user=charlie, kind="removed").detail)
    answer = client_of(alice).post(f"/api/v1/torrents/{second.pk}/restore/")
    assert (answer.status_code, tells_nothing(answer.json()["errors"][0]["detail"])) == (404, True)


def test_a_claim_that_was_given_up_is_not_the_one_that_stays(alice: User, bob: User, mine: Source) -> None:
    first, second = add(alice, bare(mine)), add(bob, bare(mine))
    services.remove_torrent(claim=first)
    metadata_arrives(second, mine)
    assert Claim.with_removed.get() == second


def test_both_halves_of_a_private_hybrid_leave_one_claim(alice: User, bob: User, mine: Source) -> None:
    first, second = add(bob, bare(mine)), add(alice, bare(mine, v1=False))
    metadata_arrives(second, mine)
    assert Claim.with_removed.get() == first
    assert Torrent.objects.get() == Torrent.objects.get(pk=second.torrent_id)


def test_the_metadata_of_a_private_torrent_that_nobody_holds_ends_nothing(alice: User, mine: Source) -> None:
    claim = add(alice, bare(mine))
    services.remove_torrent(claim=claim)
    metadata_arrives(claim, mine)
    assert services.restore_torrent(claim=claim).pk == claim.pk


def test_a_private_torrent_that_was_given_up_can_be_taken_back(alice: User, mine: Source) -> None:
    claim = add(alice, mine)
    services.remove_torrent(claim=claim)
    assert services.restore_torrent(claim=claim) == claim
    services.remove_torrent(claim=claim)
    assert add(alice, bare(mine)) == claim


def test_one_that_was_given_up_is_free_for_others_and_then_cannot_be_taken_back(
    alice: User, bob: User, mine: Source, theirs: Source
) -> None:
    former = add(bob, theirs)
    finish([former.torrent])
    services.remove_torrent(claim=former)
    claim = add(alice, mine)
    assert state_of(seen(claim)) == State.WAITING  # the data was fetched by another's passkey
    assert (Torrent.objects.get().trackers, claim.torrent_id != former.torrent_id) == ([MINE], True)
    assert client_of(bob).get("/api/v1/torrents/removed/").json()["results"] == []
    answer = client_of(bob).post(f"/api/v1/torrents/{former.pk}/restore/")
    assert (answer.status_code, tells_nothing(answer.json()["errors"][0]["detail"])) == (404, True)
    with pytest.raises(TorrentRefused):
        add(bob, theirs)


def test_the_engine_starts_afresh_for_whoever_presents_the_torrent(
    box: Box, alice: User, bob: User, mine: Source
) -> None:
    before = add(bob, bare(mine))
    box.rounds()
    claim = add(alice, mine)
    box.rounds(3)
    assert set(box.held()) == {claim.torrent_id}
    assert not before.torrent.data_dir.exists()
    assert not Removal.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_present_it_at_once_one_gets_it(folder: Path, settings: Settings) -> None:
    settings.REMOVAL_GRACE_SECONDS = 0
    alice, bob, charlie = person("alice"), person("bob"), person("charlie")
    mine, theirs = with_passkey(folder, MINE), with_passkey(folder, THEIRS)
    for _ in range(20):
        add(charlie, bare(mine))

        def present(user: User, source: Source) -> bool:
            try:
                add(user, source)
            except TorrentRefused:
                return False
            return True

        assert sorted(at_once(lambda: present(alice, mine), lambda: present(bob, theirs))) == [False, True]
        holder = Claim.with_removed.get()
        assert holder.torrent.trackers == [MINE if holder.user_id == alice.pk else THEIRS]
        services.remove_torrent(claim=holder)
        services.retire_unclaimed_torrents()
