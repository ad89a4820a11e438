"""What the engine gets when two or three people want different things of one torrent."""

import uuid
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrents.wishes import ClaimWish, EngineWish, HeldWish, UserLimits, merge, merge_all, share_out

ALL = None


def wish(
    files: Sequence[int] | None = ALL,
    *,
    running: bool = True,
    down: int | None = None,
    up: int | None = None,
    sequential: bool = False,
) -> ClaimWish:
    return ClaimWish(running, None if files is None else frozenset(files), down, up, sequential)


def files_of(*wishes: ClaimWish) -> set[int] | None:
    files = merge(wishes).files
    return None if files is None else set(files)


def test_the_files_are_those_that_any_of_them_chose() -> None:
    assert files_of(wish([0])) == {0}
    assert files_of(wish([0]), wish([2, 3])) == {0, 2, 3}
    assert files_of(wish([0]), wish([2]), wish([2, 5])) == {0, 2, 5}


def test_who_wants_all_files_gets_all() -> None:
    assert files_of(wish(ALL), wish([1])) is ALL
    assert files_of(wish([1]), wish([2]), wish(ALL)) is ALL


def test_the_choice_of_who_paused_or_waits_counts_for_nothing() -> None:
    assert files_of(wish([0]), wish(ALL, running=False)) == {0}
    assert files_of(wish([0]), wish([1], running=False), wish([2])) == {0, 2}


def test_it_is_paused_only_when_all_are() -> None:
    assert not merge([]).running
    assert not merge([wish(running=False), wish(running=False)]).running
    assert merge([wish(running=False), wish(), wish(running=False)]).running


def test_the_highest_limit_wins_and_none_is_higher_than_any() -> None:
    assert merge([wish(down=5, up=7)]).download_limit == 5
    assert merge([wish(down=5, up=7), wish(down=9, up=2)]) == EngineWish(True, None, 9, 7, False, ())
    limits = merge([wish(down=5, up=7), wish(down=9, up=2), wish(up=3)])
    assert (limits.download_limit, limits.upload_limit) == (None, 7)


def test_the_limit_of_who_paused_counts_for_nothing() -> None:
    assert merge([wish(down=5), wish(running=False), wish(down=9, running=False)]).download_limit == 5


def test_it_is_sequential_if_any_wants_it_so() -> None:
    assert merge([wish(), wish(sequential=True), wish()]).sequential
    assert not merge([wish(), wish(sequential=True, running=False)]).sequential


def test_trackers_are_passed_on() -> None:
    assert merge([wish(), wish()], trackers=["http://a.example/announce"]).trackers == (
        "http://a.example/announce",
    )


A, B, C = (uuid.uuid4() for _ in range(3))
ALICE, BOB, CHARLIE = 1, 2, 3


def held(torrent: uuid.UUID, user: int, wish: ClaimWish, *, finished: bool = False) -> HeldWish:
    return HeldWish(torrent, user, finished, wish)


def download_limits(*claims: HeldWish, **limits: int) -> dict[uuid.UUID, int | None]:
    users = {"alice": ALICE, "bob": BOB, "charlie": CHARLIE}
    of = {users[name]: UserLimits(download=limit, upload=limit) for name, limit in limits.items()}
    return {
        torrent: wish.download_limit for torrent, wish in merge_all(claims, limits=of, trackers={}).items()
    }


def test_a_persons_limit_is_shared_out_over_what_only_they_hold() -> None:
    claims = [held(A, ALICE, wish()), held(B, ALICE, wish())]
    assert download_limits(*claims, alice=100) == {A: 50, B: 50}
    assert download_limits(*claims) == {A: None, B: None}


def test_what_others_hold_too_is_not_slowed_down_and_takes_no_share() -> None:
    claims = [held(A, ALICE, wish()), held(B, ALICE, wish()), held(B, BOB, wish())]
    assert download_limits(*claims, alice=100) == {A: 100, B: None}
    assert download_limits(*claims, alice=100, bob=60) == {A: 100, B: None}
    paused = [held(A, ALICE, wish()), held(A, BOB, wish(running=False))]
    assert download_limits(*paused, alice=100) == {A: None}


def test_each_of_three_people_has_their_own_limit() -> None:
    claims = [held(A, ALICE, wish()), held(B, BOB, wish()), held(C, CHARLIE, wish())]
    assert download_limits(*claims, alice=100, bob=60) == {A: 100, B: 60, C: None}


def test_paused_torrents_take_no_share() -> None:
    claims = [held(A, ALICE, wish()), held(B, ALICE, wish(running=False))]
    assert download_limits(*claims, alice=100)[A] == 100


def test_finished_torrents_take_no_share_but_keep_within_the_limit() -> None:
    claims = [held(A, ALICE, wish()), held(B, ALICE, wish(), finished=True)]
    (unfinished, finished) = merge_all(claims, limits={ALICE: UserLimits(upload=100)}, trackers={}).values()
    assert (unfinished.upload_limit, finished.upload_limit) == (100, 100)


def test_a_torrents_own_lower_limit_leaves_the_rest_to_the_others() -> None:
    claims = [held(A, ALICE, wish(down=10)), held(B, ALICE, wish()), held(C, ALICE, wish(down=500))]
    assert download_limits(*claims, alice=100) == {A: 10, B: 45, C: 45}


def test_a_torrent_gets_its_own_trackers_only() -> None:
    claims = [held(A, ALICE, wish()), held(B, ALICE, wish())]
    wishes = merge_all(claims, limits={}, trackers={A: ["http://a.example/announce"]})
    assert (wishes[A].trackers, wishes[B].trackers) == (("http://a.example/announce",), ())


@pytest.mark.parametrize("own", [{}, {"a": None}, {"a": 5, "b": None}])
def test_no_limit_leaves_everybody_what_they_wish(own: dict[str, int | None]) -> None:
    assert share_out(None, own) == own


limits = st.none() | st.integers(1, 10**7)


@given(st.integers(1, 10**7), st.lists(limits, max_size=30))
def test_shares_stay_within_the_limit_and_use_it_up(limit: int, own: list[int | None]) -> None:
    shares = share_out(limit, dict(enumerate(own)))
    assert shares.keys() == set(range(len(own)))
    given_out = [share or 0 for share in shares.values()]
    assert all(share >= 1 for share in given_out)
    assert sum(given_out) <= max(limit, len(own))
    assert all(lowest is None or (shares[key] or 0) <= lowest for key, lowest in enumerate(own))
    if None in own:
        assert sum(given_out) >= limit - len(own)  # what does not divide evenly


@given(st.integers(1, 10**7), st.lists(limits, max_size=30))
def test_nobody_who_wants_more_gets_less_than_another(limit: int, own: list[int | None]) -> None:
    shares = share_out(limit, dict(enumerate(own)))
    most = max((share or 0 for share in shares.values()), default=0)
    for key, lowest in enumerate(own):
        assert (shares[key] or 0) >= min(most - 1, lowest if lowest is not None else most)
