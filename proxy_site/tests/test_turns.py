"""People take turns, in a bounded time."""

from types import SimpleNamespace

import pytest

from proxy_site import turns
from proxy_site.turns import Busy, in_turns


def test_everybody_has_a_turn_before_anybody_has_another() -> None:
    left = {1: 3, 2: 1, 3: 2}
    order = []

    def turn(person: int) -> int | None:
        if not left[person]:
            return None
        order.append(person)
        left[person] -= 1
        return 10

    assert in_turns([1, 2, 3], turn, seconds=60, what="the work") == 60
    assert order == [1, 2, 3, 1, 3, 1]


def test_who_fails_has_no_other_turn_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    had = []

    def turn(person: int) -> int | None:
        had.append(person)
        if person == 1:
            raise RuntimeError("strange rows")
        return None if had.count(person) > 1 else 5

    assert in_turns([1, 2], turn, seconds=60, what="the work") == 5
    assert had == [1, 2, 2]
    assert "the work of user 1" in caplog.text


def test_when_the_time_is_over_nobody_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(turns, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def turn(person: int) -> int | None:
        now[0] += 3
        return 1

    assert in_turns([1, 2], turn, seconds=8, what="the work") == 3


def test_who_is_busy_comes_again_after_the_others_until_they_have_their_turn() -> None:
    asked = []

    def turn(person: int) -> int | None:
        asked.append(person)
        if asked.count(person) > 3 - person:
            return None
        if person == 1 and asked.count(person) == 1:
            raise Busy
        return 1

    assert in_turns([1, 2], turn, seconds=60, what="the work") == 2
    assert asked == [1, 2, 1, 2, 1]


def test_who_stays_busy_is_left_to_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.1)
    had = []

    def turn(person: int) -> int | None:
        if person == 1:
            raise Busy
        had.append(person)
        return 1 if len(had) < 3 else None

    assert in_turns([1, 2], turn, seconds=60, what="the work") == 2
    assert had == [2, 2, 2]
