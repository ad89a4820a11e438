"""However people name a hybrid, and in whatever order, it ends as one torrent, and nobody loses anything."""

from datetime import timedelta
from itertools import product

import pytest
from django.db.models import F

from accounts.models import User
from torrents import engine_records, services
from torrents.claim_wishes import change_wishes
from torrents.engines.base import EngineFile
from torrents.metainfo import Source, parse_magnet, parse_torrent
from torrents.models import Claim, ClaimAlias, ClaimEvent, Removal, Torrent
from torrents.services import changes_since
from torrents.states import state_of
from torrents.tests.factories import State, add, finish, hybrid_torrent, magnet
from torrents.tests.reconciler_box import seen
from torrents.traffic import record_handover

pytestmark = pytest.mark.usefixtures("downloads")

WAYS = ("v1", "v2", "both", "torrent")


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return parse_torrent(hybrid_torrent(tmp_path_factory.mktemp("hybrid")))


def named(hybrid: Source, way: str) -> Source:
    if way == "torrent":
        return hybrid
    return magnet(
        v1=hybrid.infohash_v1 if way != "v2" else None, v2=hybrid.infohash_v2 if way != "v1" else None
    )


def metadata_arrives(claim: Claim, hybrid: Source) -> None:
    """For the torrent that was claimed, as the reconciler notes it: first the infohashes, then the files."""
    engine_records.record_infohashes(
        torrent_id=claim.torrent_id, v1=hybrid.infohash_v1, v2=hybrid.infohash_v2
    )
    engine_records.record_metadata(
        torrent_id=claim.torrent_id,
        source=hybrid,
        name=hybrid.name,
        files=[EngineFile(index=0, path="show/episode.mkv", size=5, progress=0)],
    )


def is_one(hybrid: Source, claims: list[Claim]) -> None:
    torrent = Torrent.objects.get()
    assert (torrent.infohash_v1, torrent.infohash_v2) == (hybrid.infohash_v1, hybrid.infohash_v2)
    assert torrent.metainfo == hybrid.metainfo
    assert set(Claim.objects.filter(torrent=torrent)) == set(claims)
    assert not Removal.objects.filter(pk=torrent.pk).exists()
    assert torrent.unclaimed_at is None


@pytest.mark.parametrize("learned_by", ["first", "last"])
@pytest.mark.parametrize(
    "ways", [*product(WAYS, repeat=2), *product(WAYS, repeat=3)], ids=lambda ways: "-".join(ways)
)
def test_people_who_name_it_in_any_order_end_with_one_torrent_and_a_claim_each(
    hybrid: Source, alice: User, bob: User, charlie: User, ways: tuple[str, ...], learned_by: str
) -> None:
    claims = [add(user, named(hybrid, way)) for user, way in zip((alice, bob, charlie), ways, strict=False)]
    claims = [Claim.objects.get(pk=claim.pk) for claim in claims]
    for claim in claims if learned_by == "first" else reversed(claims):
        metadata_arrives(claim, hybrid)
    is_one(hybrid, claims)
    assert not ClaimAlias.objects.exists()


@pytest.mark.parametrize("ways", [*product(WAYS, repeat=3)], ids="-".join)
def test_one_person_who_names_it_in_any_order_ends_with_one_claim_by_all_its_ids(
    hybrid: Source, alice: User, ways: tuple[str, ...]
) -> None:
    claims = [add(alice, named(hybrid, way)) for way in ways]
    for claim in list(Claim.objects.select_related("torrent")):
        record_handover(claim_id=claim.pk, channel="https", sent=5)
    held = Claim.objects.count()
    for claim in claims:
        metadata_arrives(claim, hybrid)
    is_one(hybrid, [Claim.objects.get()])
    for claim in claims:
        assert Claim.objects.of(alice).named(claim.pk).get() == Claim.objects.get()
    assert Claim.objects.of(alice).get().handed_over == 5 * held


@pytest.mark.parametrize("ways", [*product(("v1", "v2"), repeat=3)], ids="-".join)
def test_what_people_gave_up_is_carried_along(
    hybrid: Source, alice: User, bob: User, charlie: User, ways: tuple[str, ...]
) -> None:
    people = (alice, bob, charlie)
    claims = [add(user, named(hybrid, way)) for user, way in zip(people, ways, strict=True)]
    for claim in claims[:2]:
        services.remove_torrent(claim=claim)
    metadata_arrives(claims[0], hybrid)
    metadata_arrives(claims[2], hybrid)
    is_one(hybrid, claims[2:])
    for claim in claims[:2]:
        services.restore_torrent(claim=claim)
    is_one(hybrid, claims)


def test_a_torrent_that_nobody_holds_stays_so_in_a_merge(hybrid: Source, alice: User, bob: User) -> None:
    claims = [add(alice, named(hybrid, "v1")), add(bob, named(hybrid, "v2"))]
    for claim in claims:
        services.remove_torrent(claim=claim)
    metadata_arrives(claims[1], hybrid)
    assert Torrent.objects.get().unclaimed_at is not None
    assert Claim.with_removed.filter(torrent=claims[1].torrent).count() == 2


class TestTwoClaimsOfOnePerson:
    """Alice adds both halves, and what becomes of them when they turn out to be one."""

    @pytest.fixture(params=["v1", "v2"])
    def halves(self, request: pytest.FixtureRequest, hybrid: Source, alice: User) -> tuple[Claim, Claim]:
        """The claim on the torrent that learns of the other, and the claim on that other."""
        other = "v2" if request.param == "v1" else "v1"
        return add(alice, named(hybrid, request.param)), add(alice, named(hybrid, other))

    def test_the_one_that_is_held_stays(
        self, hybrid: Source, alice: User, halves: tuple[Claim, Claim]
    ) -> None:
        learning, other = halves
        services.remove_torrent(claim=learning)
        before = Claim.objects.get().change
        metadata_arrives(learning, hybrid)
        is_one(hybrid, [other])
        assert Claim.with_removed.of(alice).named(learning.pk).get() == other
        assert [claim.pk for claim in changes_since(user=alice, change=before, limit=9).claims] == [other.pk]

    def test_one_that_was_given_up_takes_nothing_from_the_other(
        self, hybrid: Source, alice: User, halves: tuple[Claim, Claim]
    ) -> None:
        learning, other = halves
        services.remove_torrent(claim=other)
        metadata_arrives(learning, hybrid)
        is_one(hybrid, [learning])
        assert services.restore_torrent(claim=Claim.with_removed.of(alice).named(other.pk).get()) == learning

    def test_both_given_up_can_be_taken_back_as_long_as_the_later_one(
        self, hybrid: Source, alice: User, halves: tuple[Claim, Claim]
    ) -> None:
        learning, other = halves
        services.remove_torrent(claim=learning)
        Claim.with_removed.filter(pk=learning.pk).update(removed_at=F("removed_at") - timedelta(minutes=1))
        services.remove_torrent(claim=other)
        later = Claim.with_removed.get(pk=other.pk).removed_at
        metadata_arrives(learning, hybrid)
        assert Claim.with_removed.get().removed_at == later
        assert services.restore_torrent(claim=learning) == learning

    @pytest.mark.parametrize("paused", [0, 1])
    def test_it_runs_if_one_of_the_two_ran(
        self, hybrid: Source, halves: tuple[Claim, Claim], paused: int
    ) -> None:
        services.pause_torrent(claim=halves[paused])
        metadata_arrives(halves[0], hybrid)
        assert seen(halves[0]).wanted == Claim.Wanted.RUNNING

    def test_it_is_paused_if_both_were(self, hybrid: Source, halves: tuple[Claim, Claim]) -> None:
        for claim in halves:
            services.pause_torrent(claim=claim)
        metadata_arrives(halves[0], hybrid)
        assert state_of(seen(halves[0])) == State.PAUSED

    def test_a_paused_one_that_joins_a_running_one_is_finished_with_the_torrent(
        self, hybrid: Source, halves: tuple[Claim, Claim]
    ) -> None:
        services.pause_torrent(claim=halves[0])
        finish([halves[0].torrent])
        metadata_arrives(halves[0], hybrid)
        assert state_of(seen(halves[0])) == State.FINISHED

    def test_what_was_wished_of_either_holds_and_the_higher_of_two_limits(
        self, hybrid: Source, halves: tuple[Claim, Claim]
    ) -> None:
        change_wishes(claim=halves[0], wishes={"download_limit": 2000, "upload_limit": 5000})
        change_wishes(claim=halves[1], wishes={"download_limit": 3000, "sequential": True, "seed_ratio": 0})
        metadata_arrives(halves[0], hybrid)
        claim = Claim.objects.get()
        assert (claim.download_limit, claim.upload_limit) == (3000, 5000)
        assert (claim.sequential, claim.seed_ratio, claim.seed_seconds) == (True, 0, None)

    def test_history_and_label_are_inherited(
        self, hybrid: Source, alice: User, halves: tuple[Claim, Claim]
    ) -> None:
        learning, other = halves
        Claim.objects.filter(pk=other.pk).update(label="to see")
        metadata_arrives(learning, hybrid)
        assert set(ClaimEvent.objects.values_list("claim_id", flat=True)) == {learning.pk}
        assert seen(learning).label == "to see"


@pytest.mark.parametrize("first", ["v1", "v2"])
def test_trackers_of_public_halves_are_joined(hybrid: Source, alice: User, bob: User, first: str) -> None:
    links = {"v1": "https://one.example.org/announce", "v2": "https://two.example.org/announce"}
    claims = {
        way: add(user, parse_magnet(f"{named(hybrid, way).magnet}&tr={url.replace(':', '%3A')}"))
        for user, (way, url) in zip((alice, bob), links.items(), strict=True)
    }
    metadata_arrives(claims[first], hybrid)
    assert set(Torrent.objects.get().trackers) == set(links.values())
