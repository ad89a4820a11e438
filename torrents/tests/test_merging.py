"""One torrent under two infohashes: however it is named, and by whom first, it ends as one row."""

import secrets
from functools import partial
from itertools import permutations

import pytest
from pytest_django import Settings

from accounts.models import User
from torrents import engine_records, services
from torrents.engines.base import EngineFile
from torrents.metainfo import Source, parse_torrent
from torrents.models import ChangeCounter, Claim, ClaimAlias, Removal, Tombstone, Torrent
from torrents.services import changes_since
from torrents.states import state_of
from torrents.tests.factories import (
    State,
    add,
    at_once,
    client_of,
    finish,
    fresh_magnet,
    hybrid_torrent,
    live,
    magnet,
    person,
)

pytestmark = pytest.mark.usefixtures("downloads")


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return parse_torrent(hybrid_torrent(tmp_path_factory.mktemp("hybrid")))


def ways(hybrid: Source) -> dict[str, Source]:
    """All that people may hold of one hybrid."""
    return {
        "v1 magnet": magnet(v1=hybrid.infohash_v1),
        "v2 magnet": magnet(v2=hybrid.infohash_v2),
        "hybrid magnet": magnet(v1=hybrid.infohash_v1, v2=hybrid.infohash_v2),
        "torrent": hybrid,
    }


@pytest.mark.parametrize(("first", "second"), [*permutations(["v1 magnet", "hybrid magnet", "torrent"], 2)])
def test_two_people_who_name_a_hybrid_differently_hold_one_torrent(
    hybrid: Source, alice: User, bob: User, first: str, second: str
) -> None:
    named = ways(hybrid)
    mine, theirs = add(alice, named[first]), add(bob, named[second])
    assert mine.torrent == theirs.torrent
    assert (Torrent.objects.count(), Claim.objects.count()) == (1, 2)


@pytest.mark.parametrize(("first", "second"), [("v2 magnet", "hybrid magnet"), ("torrent", "v2 magnet")])
def test_the_v2_infohash_finds_what_is_there(
    hybrid: Source, alice: User, bob: User, first: str, second: str
) -> None:
    named = ways(hybrid)
    assert add(alice, named[first]).torrent == add(bob, named[second]).torrent


@pytest.mark.parametrize("order", [*permutations(["v1 magnet", "v2 magnet", "torrent"])], ids=" then ".join)
def test_three_people_in_any_order_end_with_one_torrent_and_a_claim_each(
    hybrid: Source, alice: User, bob: User, charlie: User, order: tuple[str, ...]
) -> None:
    claims = [add(user, ways(hybrid)[way]) for user, way in zip((alice, bob, charlie), order, strict=True)]
    torrent = Torrent.objects.get()
    assert (torrent.infohash_v1, torrent.infohash_v2) == (hybrid.infohash_v1, hybrid.infohash_v2)
    assert torrent.metainfo == hybrid.metainfo
    assert {claim.pk for claim in Claim.objects.filter(torrent=torrent)} == {claim.pk for claim in claims}
    assert not ClaimAlias.objects.exists()


@pytest.fixture
def both(hybrid: Source, alice: User) -> tuple[Claim, Claim]:
    """Alice holds one hybrid twice and nobody knows."""
    return add(alice, magnet(v1=hybrid.infohash_v1)), add(alice, magnet(v2=hybrid.infohash_v2))


def merged(claims: tuple[Claim, Claim]) -> tuple[Claim, Claim]:
    """The claim that stayed, and the one that became its alias."""
    kept = Claim.objects.get()
    return kept, claims[0] if claims[1] == kept else claims[1]


def test_whoever_held_both_halves_holds_one_and_hears_of_it(
    hybrid: Source, alice: User, bob: User, both: tuple[Claim, Claim]
) -> None:
    before = changes_since(user=alice, change=0, limit=10).change
    add(bob, hybrid)
    kept = Claim.objects.get(user=alice)
    gone = next(claim for claim in both if claim != kept)
    news = changes_since(user=alice, change=before, limit=10)
    assert (news.removed, [claim.pk for claim in news.claims]) == ([gone.pk], [kept.pk])
    assert Removal.objects.get().pk == gone.torrent_id


def test_links_to_the_merged_claim_go_on_working(
    hybrid: Source, alice: User, bob: User, both: tuple[Claim, Claim]
) -> None:
    add(alice, hybrid)
    kept, gone = merged(both)
    link = f"/api/v1/torrents/{gone.pk}/"
    answer = client_of(alice).get(link)
    assert (answer.status_code, answer.json()["id"]) == (200, str(kept.pk))
    assert client_of(alice).post(f"{link}pause/").json()["state"] == "paused"
    assert client_of(alice).get(f"{link}files/").status_code == 200
    assert client_of(bob).get(link).status_code == 404
    assert client_of(alice).delete(link).status_code == 204
    assert client_of(alice).get(link).status_code == 404
    assert client_of(alice).get(f"/api/v1/torrents/{kept.pk}/").status_code == 404


def test_metadata_from_the_swarm_merges_like_a_torrent_file(
    hybrid: Source, alice: User, bob: User, both: tuple[Claim, Claim]
) -> None:
    theirs = add(bob, magnet(v2=hybrid.infohash_v2))
    first, second = both
    engine_records.record_metadata(
        torrent_id=first.torrent_id,
        source=hybrid,
        name=hybrid.name,
        files=[EngineFile(index=0, path="show/episode.mkv", size=5, progress=0)],
    )
    assert Claim.objects.get(user=alice) == first
    assert ClaimAlias.objects.get().pk == second.pk
    assert Claim.objects.get(pk=theirs.pk).torrent_id == first.torrent_id
    assert Removal.objects.get().pk == second.torrent_id


def test_the_engines_word_about_the_other_infohash_merges_too(
    hybrid: Source, alice: User, both: tuple[Claim, Claim]
) -> None:
    first, _ = both
    engine_records.record_infohashes(
        torrent_id=first.torrent_id, v1=hybrid.infohash_v1, v2=hybrid.infohash_v2
    )
    assert Claim.objects.get() == first
    assert Torrent.objects.get().infohash_v2 == hybrid.infohash_v2


def test_a_claim_that_moves_to_a_finished_torrent_is_finished(hybrid: Source, alice: User, bob: User) -> None:
    mine = add(alice, magnet(v1=hybrid.infohash_v1))
    theirs = add(bob, magnet(v2=hybrid.infohash_v2))
    paused = add(alice, magnet(v2=hybrid.infohash_v2), paused=True)
    services.remove_torrent(claim=paused)
    finish([mine.torrent])
    engine_records.record_infohashes(torrent_id=mine.torrent_id, v1=hybrid.infohash_v1, v2=hybrid.infohash_v2)
    assert state_of(Claim.objects.get(pk=theirs.pk)) == State.FINISHED
    assert Claim.objects.get(pk=theirs.pk).completed_at is not None


def test_a_torrent_in_its_grace_period_is_held_again_by_those_who_move_to_it(
    hybrid: Source, alice: User, bob: User, settings: Settings
) -> None:
    settings.REMOVAL_GRACE_SECONDS = 0
    mine = add(alice, magnet(v1=hybrid.infohash_v1))
    theirs = add(bob, magnet(v2=hybrid.infohash_v2))
    services.remove_torrent(claim=mine)
    engine_records.record_infohashes(torrent_id=mine.torrent_id, v1=hybrid.infohash_v1, v2=hybrid.infohash_v2)
    assert Torrent.objects.get().unclaimed_at is None
    assert services.retire_unclaimed_torrents() == 0
    assert Claim.objects.get(pk=theirs.pk).torrent_id == mine.torrent_id


def test_aliases_of_a_merged_claim_move_on(alice: User, hybrid: Source, both: tuple[Claim, Claim]) -> None:
    former = secrets.token_hex(16)
    for claim in both:
        ClaimAlias.objects.create(pk=former[:31] + str(both.index(claim)), claim=claim)
    add(alice, hybrid)
    kept, gone = merged(both)
    assert set(ClaimAlias.objects.values_list("claim_id", flat=True)) == {kept.pk}
    assert ClaimAlias.objects.count() == 3
    assert ClaimAlias.objects.filter(pk=gone.pk).exists()


def test_a_magnet_that_names_two_torrents_cannot_make_them_one(alice: User, bob: User, charlie: User) -> None:
    one, other = magnet(v1=secrets.token_hex(20)), magnet(v2=secrets.token_hex(32))
    mine, theirs = add(alice, one), add(bob, other)
    add(charlie, magnet(v1=one.infohash_v1, v2=other.infohash_v2))
    assert Torrent.objects.count() == 2
    assert Claim.objects.get(pk=mine.pk).torrent_id == mine.torrent_id
    assert Claim.objects.get(pk=theirs.pk).torrent_id == theirs.torrent_id
    assert not Removal.objects.exists()


def test_a_magnet_cannot_lay_claim_to_an_infohash_before_its_torrent_comes(
    alice: User, charlie: User, hybrid: Source
) -> None:
    unrelated = magnet(v1=secrets.token_hex(20))
    trap = add(charlie, magnet(v1=unrelated.infohash_v1, v2=hybrid.infohash_v2))
    assert add(alice, hybrid).torrent_id != trap.torrent_id
    assert add(alice, magnet(v2=hybrid.infohash_v2)).torrent_id != trap.torrent_id


@pytest.mark.django_db(transaction=True)
class TestRaces:
    ROUNDS = 50

    def test_adding_the_same_magnet_at_once_gives_one_torrent(self) -> None:
        people = [person(f"user{number}") for number in range(3)]
        for _ in range(self.ROUNDS):
            source = fresh_magnet()
            at_once(*(lambda user=user, source=source: add(user, source) for user in people))
            assert Claim.objects.filter(torrent__infohash_v1=source.infohash_v1).count() == 3
        assert Torrent.objects.count() == self.ROUNDS

    def test_one_person_adding_twice_at_once_gets_one_claim(self) -> None:
        alice = person("alice")
        for _ in range(self.ROUNDS):
            source = fresh_magnet()
            first, second = at_once(*[lambda source=source: add(alice, source)] * 2)
            assert first == second

    def test_all_ways_to_name_a_hybrid_at_once_end_as_one(self, hybrid: Source) -> None:
        people = [person(f"user{number}") for number in range(4)]
        for _ in range(self.ROUNDS):
            at_once(
                *(
                    lambda user=user, source=source: add(user, source)
                    for user, source in zip(people, ways(hybrid).values(), strict=True)
                )
            )
            torrent = Torrent.objects.get()
            assert torrent.claims.count() == 4
            Claim.objects.all().delete()
            Torrent.objects.all().delete()

    def test_adding_each_others_torrents_at_once_does_not_deadlock(self) -> None:
        alice, bob = person("alice"), person("bob")
        for _ in range(self.ROUNDS):
            first, second = fresh_magnet(), fresh_magnet()
            torrents = [add(alice, first).torrent, add(bob, second).torrent]

            def watch(torrents: list[Torrent] = torrents) -> None:
                engine_records.record_live_states([live(torrent, State.STALLED) for torrent in torrents])

            at_once(partial(add, alice, second), partial(add, bob, first), watch)
        assert Claim.objects.count() == 4 * self.ROUNDS

    def test_merging_while_everything_moves_does_not_deadlock(self, hybrid: Source) -> None:
        people = [person(f"user{number}") for number in range(4)]
        other = add(people[0])
        for user in people[1:]:
            Claim.objects.create(user=user, torrent=other.torrent, change=0)
        for _ in range(self.ROUNDS):
            first = add(people[3], magnet(v1=hybrid.infohash_v1))
            add(people[2], magnet(v1=hybrid.infohash_v1))
            add(people[1], magnet(v2=hybrid.infohash_v2))

            def watch(first: Claim = first) -> None:
                states = [live(first.torrent, State.STALLED), live(other.torrent, State.STALLED)]
                engine_records.record_live_states(states)

            def pause(first: Claim = first) -> None:
                services.pause_torrent(claim=first)

            at_once(lambda: add(people[0], hybrid) and None, watch, pause)
            assert Claim.objects.exclude(torrent=other.torrent).values("torrent").distinct().count() == 1
            Claim.objects.exclude(torrent=other.torrent).delete()
            Torrent.objects.exclude(pk=other.torrent_id).delete()
        for user in people:
            numbers = Tombstone.objects.filter(user=user).values_list("change", flat=True)
            assert all(number <= ChangeCounter.objects.get(pk=user.pk).value for number in numbers)
