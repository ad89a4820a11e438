"""Who may download: each limit alone, several people on one torrent, the order, and that nothing starves."""

from dataclasses import replace

import pytest

from torrents.budgets import LOOKUP_TURN, Box, Held, Person
from torrents.tests.budget_samples import (
    ALICE,
    BOB,
    CHARLIE,
    HOUR,
    NOW,
    PLENTY,
    a_box,
    after,
    also,
    complete,
    decided,
    held,
    person,
    running,
    waits,
)

# --- each limit alone


def test_what_fits_is_let_in_for_its_size() -> None:
    claim = held(size=10)
    decision = decided([claim])[claim.id]
    assert (decision.waits_for, decision.admitted_size, decision.completes) == ("", 10, False)


def test_the_quota_may_be_filled_to_the_last_byte_and_no_further() -> None:
    assert waits([complete(size=90), held(size=10)], alice=person(disk_quota=100)) == [""]
    assert waits([complete(size=91), held(size=10)], alice=person(disk_quota=100)) == ["user_disk"]


def test_what_is_let_in_takes_its_whole_size_of_the_quota_before_it_is_there() -> None:
    claims = [running(size=95, progress=0.1), held(size=10)]
    assert waits(claims, alice=person(disk_quota=100)) == ["", "user_disk"]


def test_what_waits_takes_nothing_of_the_quota() -> None:
    claims = [held(size=200, hours=2), held(size=10)]
    assert waits(claims, alice=person(disk_quota=100)) == ["user_disk", ""]


def test_what_is_paused_takes_what_is_there_of_it() -> None:
    paused = held(size=100, running=False, progress=0.5)
    assert waits([paused, held(size=50)], alice=person(disk_quota=100)) == ["", ""]
    assert waits([paused, held(size=51)], alice=person(disk_quota=100)) == ["", "user_disk"]


def test_as_many_torrents_of_a_person_run_as_they_may() -> None:
    claims = [running(), held(hours=2), held(hours=1)]
    assert waits(claims, alice=person(active_limit=2)) == ["", "", "user_active"]


def test_a_finished_torrent_takes_no_place_among_the_active() -> None:
    assert waits([complete(), held()], alice=person(active_limit=1)) == [""]


def test_what_was_fetched_and_what_is_still_to_be_fetched_both_count_as_traffic() -> None:
    claims = [complete(size=30, handed_over=10), running(size=40), held(size=20)]
    assert waits(claims, alice=person(traffic_limit=90, sent=10)) == ["", ""]
    assert waits(claims, alice=person(traffic_limit=90, sent=11)) == ["", "user_traffic"]


def test_the_box_keeps_its_floor_free_after_all_that_is_still_to_come() -> None:
    claims = [running(BOB, size=40, progress=0.5), held(size=30)]
    assert waits(claims, a_box(free_space=60, floor=10)) == ["", ""]
    assert waits(claims, a_box(free_space=59, floor=10)) == ["", "box_disk"]


def test_space_that_nobody_knows_limits_nothing() -> None:
    assert waits([held(size=PLENTY)], a_box(free_space=None, floor=10)) == [""]


def test_the_box_runs_as_many_torrents_as_it_may() -> None:
    claims = [running(BOB), held(ALICE, hours=1), held(CHARLIE)]
    assert waits(claims, a_box(active_limit=2)) == ["", "", "box_active"]


def test_what_the_box_has_sent_and_will_have_to_send_counts_for_its_month() -> None:
    claims = [running(BOB, size=40), complete(BOB, size=20, handed_over=15), held(size=10)]
    assert waits(claims, a_box(egress=45, egress_limit=100)) == ["", ""]
    assert waits(claims, a_box(egress=46, egress_limit=100)) == ["", "box_traffic"]


@pytest.mark.parametrize(
    ("limits", "box", "expected"),
    [
        (
            person(disk_quota=5, active_limit=0, traffic_limit=5),
            a_box(active_limit=0, free_space=0),
            "user_disk",
        ),
        (person(active_limit=0, traffic_limit=5), a_box(active_limit=0, free_space=0), "user_active"),
        (person(traffic_limit=5), a_box(active_limit=0, free_space=0), "user_traffic"),
        (person(), a_box(active_limit=0, egress_limit=0, free_space=0), "box_traffic"),
        (person(), a_box(active_limit=0, free_space=0), "box_active"),
        (person(), a_box(free_space=0), "box_disk"),
    ],
)
def test_of_several_limits_the_one_that_the_person_can_change_is_named(
    limits: Person, box: Box, expected: str
) -> None:
    assert waits([held(size=10)], box, alice=limits) == [expected]


def test_only_some_magnets_of_a_person_look_for_their_metadata_at_a_time() -> None:
    claims = [held(size=None) for _ in range(5)] + [held(BOB, size=None)]
    looking = waits(claims, a_box(lookups=2))
    assert sorted(looking[:5]) == ["", "", "user_active", "user_active", "user_active"]
    assert looking[5] == ""


def test_every_magnet_gets_its_turn_to_look() -> None:
    claims = [held(size=None) for _ in range(5)]
    looked = set()
    for turn in range(3):
        decisions = decided(claims, a_box(lookups=2), now=NOW + turn * LOOKUP_TURN)
        looked |= {id for id, decision in decisions.items() if not decision.waits_for}
    assert looked == {claim.id for claim in claims}


def test_a_magnet_needs_no_space_and_no_place_to_look() -> None:
    box = a_box(free_space=0, floor=10, active_limit=0, egress_limit=0)
    assert waits([held(size=None)], box, alice=person(active_limit=0)) == [""]


def test_a_magnet_whose_size_comes_to_light_is_decided_on_like_a_new_torrent() -> None:
    magnet = held(size=None)
    (looking,) = after([magnet], decided([magnet]))
    known = replace(looking, size=200, torrent_size=200)
    assert waits([known], alice=person(disk_quota=100)) == ["user_disk"]


def test_what_the_engine_refuses_neither_waits_nor_counts() -> None:
    claims = [
        running(size=90, refused=True),
        held(size=50, refused=True, waits_for="user_disk"),
        held(size=60),
    ]
    assert waits(claims, alice=person(disk_quota=100, active_limit=1)) == ["", "", ""]


# --- what runs stays


def test_what_runs_is_not_pushed_out_when_a_limit_becomes_smaller() -> None:
    limits = person(disk_quota=1, active_limit=1, traffic_limit=1, sent=PLENTY)
    box = a_box(active_limit=1, egress=PLENTY, egress_limit=1)
    assert waits([running(), running(), running()], box, alice=limits) == ["", "", ""]


def test_whoever_chooses_more_of_a_running_torrent_is_decided_on_anew() -> None:
    claim = running(size=50, torrent_size=200)
    assert waits([replace(claim, size=100)], alice=person(disk_quota=100)) == [""]
    assert waits([replace(claim, size=101)], alice=person(disk_quota=100)) == ["user_disk"]


def test_choosing_less_gives_the_rest_back_for_good() -> None:
    claim = running(size=50)
    (less,) = after([claim], decided([replace(claim, size=20)]))
    assert less.admitted_size == 20


def test_a_paused_torrent_gives_its_place_up_and_is_let_in_anew() -> None:
    paused = running(running=False)
    (given_up,) = after([paused], decided([paused]))
    assert given_up.admitted_size is None
    claims = [replace(given_up, running=True), running()]
    assert waits(claims, alice=person(active_limit=1)) == ["user_active", ""]


def test_below_the_floor_everything_unfinished_waits() -> None:
    claims = [running(ALICE), running(BOB), held(CHARLIE), complete(), held(size=None)]
    assert waits(claims, a_box(free_space=9, floor=10)) == ["box_disk", "box_disk", "box_disk", ""]


def test_what_waited_for_the_disk_starts_only_well_above_the_floor() -> None:
    claim = held(size=10, waits_for="box_disk")
    assert waits([claim], a_box(free_space=119, floor=80)) == [""]
    assert waits([claim], a_box(free_space=99, floor=80)) == ["box_disk"]
    assert waits([claim], a_box(free_space=100, floor=80)) == [""]
    assert waits([held(size=10)], a_box(free_space=90, floor=80)) == [""]


# --- several people on one torrent


def test_a_torrent_of_two_takes_the_boxs_space_and_place_once() -> None:
    first = running(ALICE, size=60)
    claims = [first, also(first, BOB)]
    assert waits(claims, a_box(free_space=60, active_limit=1)) == ["", ""]


def test_a_torrent_of_three_takes_each_persons_quota_on_its_own() -> None:
    first = running(ALICE, size=60)
    claims = [first, also(first, BOB), also(first, CHARLIE)]
    tight, other = person(disk_quota=59), person(active_limit=0)
    assert waits(claims, alice=person(disk_quota=60), bob=tight, charlie=other) == [
        "",
        "user_disk",
        "user_active",
    ]


def test_whoever_wants_more_of_it_needs_the_boxs_space_for_the_rest_only() -> None:
    first = running(ALICE, size=20, torrent_size=60)
    claims = [first, also(first, BOB, size=60)]
    assert waits(claims, a_box(free_space=60)) == ["", ""]
    assert waits(claims, a_box(free_space=59)) == ["", "box_disk"]


def test_a_torrent_that_others_completed_is_handed_over_when_it_fits_and_not_before() -> None:
    theirs = complete(BOB, size=60)
    mine = also(theirs, ALICE, waits_for="user_disk")
    tight = [theirs, complete(ALICE, size=50), mine]
    assert decided(tight, alice=person(disk_quota=100))[mine.id].waits_for == "user_disk"
    decision = decided([theirs, mine], alice=person(disk_quota=100))[mine.id]
    assert (decision.waits_for, decision.completes) == ("", True)


def test_what_others_completed_needs_no_place_and_nothing_of_the_box() -> None:
    theirs = complete(BOB, size=60)
    mine = also(theirs, ALICE)
    box = a_box(free_space=0, floor=10, active_limit=0, egress=PLENTY)
    assert decided([theirs, mine], box, alice=person(active_limit=0))[mine.id].completes


# --- the order


def test_the_oldest_of_a_person_is_first() -> None:
    claims = [held(hours=1), held(hours=3), held(hours=2)]
    assert waits(claims, alice=person(active_limit=1)) == ["user_active", "", "user_active"]


def test_a_hundred_adds_of_one_person_do_not_keep_another_waiting() -> None:
    claims = [held(ALICE, hours=5) for _ in range(100)] + [held(BOB), held(CHARLIE)]
    decisions = waits(claims, a_box(active_limit=4))
    assert decisions[100:] == ["", ""]
    assert decisions[:100].count("") == 2


def test_a_place_that_becomes_free_goes_to_whom_has_fewest() -> None:
    claims = [running(ALICE), running(ALICE), running(BOB), held(ALICE, hours=9), held(BOB, hours=1)]
    assert waits(claims, a_box(active_limit=4))[3:] == ["box_active", ""]


def test_what_fits_passes_what_does_not() -> None:
    claims = [held(ALICE, size=80, hours=2), held(BOB, size=10, hours=1)]
    assert waits(claims, a_box(free_space=50)) == ["box_disk", ""]


# --- nothing starves


def days_until_it_starts(large: Held, *, newcomers: int, box: Box, alice: Person) -> int:
    """For `large`, added when small torrents had filled what there is. Each stays for a day, and every hour one more
    comes."""
    small = [running(newcomers, size=4, hours=hours) for hours in range(1, 25)]
    for hour in range(10 * 24):
        now = NOW + hour * HOUR
        small = [claim for claim in small if now - claim.added_at < 24 * HOUR]
        small.append(held(newcomers, size=4, hours=-hour))
        claims = [large, *small]
        large, *small = after(claims, decided(claims, box, now=now, alice=alice))
        if large.admitted:
            return hour // 24
    raise AssertionError("it starves")


def test_a_large_torrent_gets_the_boxs_space_although_small_ones_keep_coming() -> None:
    large = held(ALICE, size=90)
    assert days_until_it_starts(large, newcomers=BOB, box=a_box(free_space=100), alice=person()) == 1


def test_a_large_torrent_gets_its_owners_space_although_their_small_ones_keep_coming() -> None:
    large = held(ALICE, size=90)
    assert days_until_it_starts(large, newcomers=ALICE, box=a_box(), alice=person(disk_quota=100)) == 1


def test_a_large_torrent_that_nothing_makes_room_for_lets_small_ones_pass_every_other_day() -> None:
    large = held(ALICE, size=90, waits_for="box_disk")
    claims = [large, running(BOB, size=20)]
    passes = [
        waits(
            [*claims, held(CHARLIE, size=4, hours=-day * 24)],
            a_box(free_space=100),
            now=NOW + day * 24 * HOUR,
        )[2]
        for day in range(4)
    ]
    assert passes == ["", "box_disk", "", "box_disk"]


@pytest.mark.parametrize("waits_for", ["user_disk", "box_disk"])
def test_nothing_is_kept_for_what_can_never_fit(waits_for: str) -> None:
    never = held(ALICE, size=200, hours=36, waits_for=waits_for)
    claims = [never, held(ALICE, size=10)]
    limits = person(disk_quota=100 if waits_for == "user_disk" else PLENTY)
    assert waits(claims, a_box(free_space=100), alice=limits) == [waits_for, ""]
