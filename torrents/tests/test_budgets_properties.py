"""What holds of every decision, whoever holds whatever."""

import uuid
from collections import Counter, defaultdict
from dataclasses import replace
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from torrents.budgets import Box, Held, Person, decide
from torrents.tests.budget_samples import NOW, after, held

SIZES = st.integers(0, 60)
PEOPLE = st.fixed_dictionaries(
    {
        user: st.builds(
            Person,
            disk_quota=st.integers(1, 150),
            active_limit=st.integers(1, 4),
            traffic_limit=st.integers(1, 300),
            sent=st.integers(0, 200),
        )
        for user in (1, 2, 3)
    }
)
BOXES = st.builds(
    Box,
    free_space=st.none() | st.integers(0, 150),
    floor=st.integers(0, 40),
    active_limit=st.integers(1, 5),
    egress=st.integers(0, 300),
    egress_limit=st.integers(1, 600),
    lookups=st.integers(1, 3),
)


@st.composite
def holdings(draw: st.DrawFn) -> list[Held]:
    """Claims of three people on a few torrents, each at most once, in any state that the rows can have."""
    claims = []
    for _ in range(draw(st.integers(1, 6))):
        size = draw(st.none() | SIZES)
        finished = size is not None and draw(st.booleans())
        torrent = {
            "torrent_id": uuid.UUID(int=draw(st.integers(0, 2**64))),
            "torrent_size": size,
            "torrent_complete": finished,
            "progress": 1.0 if finished else draw(st.sampled_from([0.0, 0.3, 0.9])) if size else 0.0,
            "refused": draw(st.sampled_from([False, False, False, True])),
        }
        for user in sorted(draw(st.sets(st.integers(1, 3), min_size=1))):
            chosen = None if size is None else draw(st.just(size) | st.integers(0, size))
            waits_for = draw(st.sampled_from(["", "", "user_disk", "user_active", "box_disk"]))
            let_in = chosen is not None and not waits_for and draw(st.booleans())
            claims.append(
                held(
                    user,
                    chosen,
                    hours=draw(st.integers(0, 60)),
                    running=draw(st.sampled_from([True, True, True, False])),
                    complete=finished and not waits_for and draw(st.booleans()),
                    waits_for=waits_for,
                    admitted_size=chosen if let_in else None,
                    handed_over=draw(st.integers(0, 20)),
                    **torrent,
                )
            )
    return [replace(claim, id=uuid.UUID(int=number)) for number, claim in enumerate(claims)]


def to_come(claims: list[Held]) -> int:
    """Bytes that are still to be written for all that was let in."""
    wanted: Counter[uuid.UUID] = Counter()
    torrents = {claim.torrent_id: claim for claim in claims}
    for claim in claims:
        if claim.admitted and not claim.torrent_complete:
            wanted[claim.torrent_id] += claim.size or 0
    return sum(
        ceil(min(size, torrents[id].torrent_size or 0) * (1 - torrents[id].progress))
        for id, size in wanted.items()
    )


def let_in(before: list[Held], now: list[Held]) -> list[Held]:
    """Those that were not in before, as they are now."""
    return [new for old, new in zip(before, now, strict=True) if new.admitted and not old.admitted]


@given(holdings(), PEOPLE, BOXES)
def test_nobody_is_let_in_beyond_their_limits(
    claims: list[Held], people: dict[int, Person], box: Box
) -> None:
    now = after(claims, decide(claims, people, box, NOW))
    for user in {claim.user_id for claim in let_in(claims, now)}:
        mine = [claim for claim in now if claim.user_id == user]
        active = [claim for claim in mine if claim.admitted and not claim.torrent_complete]
        assert sum(claim.disk for claim in mine) <= people[user].disk_quota
        if any(not claim.torrent_complete for claim in let_in(claims, now) if claim.user_id == user):
            assert len(active) <= people[user].active_limit
            assert people[user].sent < people[user].traffic_limit or not any(c.to_fetch for c in active)


@given(holdings(), PEOPLE, BOXES)
def test_the_box_is_never_promised_more_than_it_has(
    claims: list[Held], people: dict[int, Person], box: Box
) -> None:
    now = after(claims, decide(claims, people, box, NOW))
    before = to_come(claims)
    if box.free_space is not None and to_come(now) > before:
        assert box.free_space - to_come(now) >= box.floor
    active = {claim.torrent_id for claim in now if claim.admitted and not claim.torrent_complete}
    were = {claim.torrent_id for claim in claims if claim.admitted and not claim.torrent_complete}
    assert len(active) <= box.active_limit or active <= were


@given(holdings(), PEOPLE, BOXES)
def test_what_runs_goes_on_unless_the_disk_is_full(
    claims: list[Held], people: dict[int, Person], box: Box
) -> None:
    decisions = decide(claims, people, box, NOW)
    for claim in claims:
        if claim.admitted:
            stops = box.full and not claim.torrent_complete
            assert decisions[claim.id].waits_for == ("box_disk" if stops else "")


@given(holdings(), PEOPLE, BOXES)
def test_what_waits_has_not_been_let_in(claims: list[Held], people: dict[int, Person], box: Box) -> None:
    for decision in decide(claims, people, box, NOW).values():
        assert not decision.waits_for or (decision.admitted_size is None and not decision.completes)


@given(holdings(), PEOPLE, BOXES)
@settings(max_examples=200)
def test_deciding_again_in_the_same_moment_comes_to_rest(
    claims: list[Held], people: dict[int, Person], box: Box
) -> None:
    for _ in range(len(claims) + 3):
        again = after(claims, decide(claims, people, box, NOW))
        if again == claims:
            return
        claims = again
    raise AssertionError(f"it never rests: {claims}")


@given(holdings(), PEOPLE, BOXES)
def test_somebody_elses_claims_never_change_what_a_person_waits_for_of_their_own(
    claims: list[Held], people: dict[int, Person], box: Box
) -> None:
    """Alone on the box they wait for their own limits exactly where they do so among others' claims, unless the box
    keeps something of theirs waiting that would have taken their own room."""
    mine = [claim for claim in claims if claim.user_id == 1]
    roomy = replace(box, free_space=None, active_limit=10**6, egress_limit=10**9)
    alone, among = decide(mine, people, roomy, NOW), decide(claims, people, roomy, NOW)
    assert {id: among[id] for id in alone} == alone


@given(holdings(), PEOPLE, BOXES)
def test_no_person_goes_empty_while_another_gets_two_places(
    claims: list[Held], people: dict[int, Person], box: Box
) -> None:
    """Round-robin: of those who wait for nothing but a place on the box, nobody has two fewer than who was let in."""
    fresh = [replace(claim, waits_for="", admitted_size=None) for claim in claims]
    roomy = replace(box, free_space=None, egress_limit=10**9)
    wide = {
        id: replace(one, disk_quota=10**6, active_limit=99, traffic_limit=10**6) for id, one in people.items()
    }
    now = after(fresh, decide(fresh, wide, roomy, NOW))
    places: dict[int, int] = defaultdict(int)
    for claim in now:
        places[claim.user_id] += claim.admitted and not claim.torrent_complete
    hungry = {claim.user_id for claim in now if claim.waits_for == "box_active"}
    shared = {id for id, count in Counter(claim.torrent_id for claim in now).items() if count > 1}
    if not shared:  # joining a running torrent takes no place
        for user in hungry:
            assert max(places.values()) <= places[user] + 1
