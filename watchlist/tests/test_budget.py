"""One budget and one breaker for everybody, by rows of a real PostgreSQL."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from django.db import connections
from pytest_django import Settings

from watchlist import budget
from watchlist.budget import Purpose, open_provider, provider_states
from watchlist.models import Provider
from watchlist.providers import UnknownProvider
from watchlist.providers.base import ProviderError, Trouble
from watchlist.tests import anilist_server as faults
from watchlist.tests.anilist_server import AniListServer, Fault
from watchlist.tests.clock import Clock


def ask(purpose: Purpose = Purpose.AIRING) -> Trouble | None:
    """What came of one request."""
    try:
        open_provider("anilist", purpose).search("lighthouse")
    except ProviderError as error:
        return error.trouble
    return None


def asked_until_refused(purpose: Purpose) -> int:
    count = 0
    while ask(purpose) is None:
        count += 1
    return count


@pytest.fixture
def service(anilist: AniListServer, clock: Clock, db: None) -> AniListServer:
    """It counts by the same clock."""
    anilist.clock = clock.seconds
    return anilist


def test_no_more_is_asked_in_a_minute_than_is_allowed(service: AniListServer, clock: Clock) -> None:
    assert asked_until_refused(Purpose.LISTS) == 8
    assert asked_until_refused(Purpose.AIRING) == 2
    assert ask() is Trouble.BUSY
    assert len(service.asked) == 10


def test_after_a_minute_it_may_be_asked_again(service: AniListServer, clock: Clock) -> None:
    asked_until_refused(Purpose.LISTS)
    clock.move(seconds=66)
    assert asked_until_refused(Purpose.LISTS) == 8


def test_what_keeps_a_promise_finds_a_slot_that_others_leave(service: AniListServer) -> None:
    assert asked_until_refused(Purpose.LISTS) == 8
    assert asked_until_refused(Purpose.SEARCH) == 1
    assert asked_until_refused(Purpose.AIRING) == 1


def test_what_has_time_takes_no_more_than_its_share(service: AniListServer) -> None:
    assert asked_until_refused(Purpose.DETAILS) == 2


def test_airing_times_leave_slots_to_lists(service: AniListServer) -> None:
    assert asked_until_refused(Purpose.AIRING) == 6
    assert asked_until_refused(Purpose.LISTS) == 2


def test_people_who_link_take_no_more_than_their_share(service: AniListServer) -> None:
    assert asked_until_refused(Purpose.PERSON) == 3


def test_searches_take_no_more_than_their_share(service: AniListServer) -> None:
    assert asked_until_refused(Purpose.SEARCH) == 3
    assert asked_until_refused(Purpose.LISTS) == 5


@pytest.mark.parametrize("purpose", Purpose)
def test_with_the_smallest_budget_everything_still_gets_a_turn(
    service: AniListServer, settings: Settings, purpose: Purpose
) -> None:
    settings.ANILIST_REQUESTS_PER_MINUTE = 1
    assert asked_until_refused(purpose) == 1


def test_being_asked_to_wait_is_obeyed_by_everybody(service: AniListServer, clock: Clock) -> None:
    service.fail(faults.LIMITED)
    assert ask() is Trouble.LIMITED
    clock.move(seconds=59)
    assert ask() is Trouble.BLOCKED
    assert len(service.asked) == 1
    clock.move(seconds=3)
    assert ask() is None


def test_a_closed_service_is_left_alone_for_ten_minutes(service: AniListServer, clock: Clock) -> None:
    service.fail(faults.DISABLED)
    assert ask() is Trouble.DISABLED
    clock.move(minutes=9, seconds=59)
    assert ask() is Trouble.BLOCKED
    clock.move(seconds=2)
    assert ask() is None
    assert ask() is None


def test_one_request_alone_tries_whether_it_works_again(
    service: AniListServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.fail(faults.DISABLED)
    ask()
    clock.move(minutes=11)
    others: list[Trouble | None] = []

    def while_it_is_tried(*_question: object) -> tuple[int, dict[str, str], bytes]:
        others.append(ask())  # as another process does, while the first one waits for its answer
        return 200, {}, b'{"data": {"Page": {"media": []}}}'

    provider = open_provider("anilist", Purpose.PERSON)
    monkeypatch.setattr(provider, "_post", while_it_is_tried)
    provider.search("lighthouse")
    assert others == [Trouble.BLOCKED]


def test_a_service_that_stays_closed_is_tried_every_five_minutes(
    service: AniListServer, clock: Clock
) -> None:
    service.always(faults.DISABLED)
    ask()
    for _minute in range(60):
        clock.move(minutes=1)
        ask()
    assert [round(asked.at / 60) for asked in service.asked] == [
        0,
        10,
        15,
        20,
        25,
        30,
        35,
        40,
        45,
        50,
        55,
        60,
    ]


def test_a_fault_or_two_close_nothing(service: AniListServer) -> None:
    service.fail(faults.DOWN, faults.DOWN, None)
    assert [ask(), ask(), ask()] == [Trouble.BROKEN, Trouble.BROKEN, None]
    assert Provider.objects.get().failures == 0


def test_after_three_faults_in_a_row_it_is_left_alone(service: AniListServer, clock: Clock) -> None:
    service.fail(faults.DOWN, Fault(200, b"<html>"), faults.DOWN)
    assert [ask(), ask(), ask(), ask()] == [Trouble.BROKEN] * 3 + [Trouble.BLOCKED]


def test_one_persons_mistake_is_nothing_the_service_has_done(service: AniListServer) -> None:
    service.always(faults.NOT_FOUND)
    assert [ask() for _time in range(5)] == [Trouble.NOT_FOUND] * 5
    assert Provider.objects.get().blocked_until is None


def test_a_late_answer_from_before_the_trouble_does_not_end_it(service: AniListServer, clock: Clock) -> None:
    sent_at = clock.now()
    clock.move(seconds=1)
    service.fail(faults.DISABLED)
    ask()
    budget._note_answer("anilist", sent_at)
    assert ask() is Trouble.BLOCKED


def test_people_are_told_since_when_and_until_when(service: AniListServer, clock: Clock) -> None:
    began = clock.now()
    service.fail(faults.DISABLED)
    ask()
    clock.move(minutes=3)
    [state] = [state for state in provider_states() if state.name == "anilist"]
    assert state.message.startswith("AniList has closed its service")
    assert (state.failing_since, state.blocked_until) == (began, began + timedelta(minutes=10))
    with pytest.raises(ProviderError, match="asked again at 12:10 UTC"):
        open_provider("anilist", Purpose.PERSON).search("lighthouse")


def test_what_works_again_is_said_to_work(service: AniListServer, clock: Clock) -> None:
    service.fail(faults.DISABLED)
    ask()
    clock.move(minutes=11)
    ask()
    [state] = [state for state in provider_states() if state.name == "anilist"]
    assert (state.message, state.failing_since, state.blocked_until) == ("", None, None)


def test_providers_that_this_box_does_not_use_are_unknown(settings: Settings, db: None) -> None:
    settings.WATCHLIST_PROVIDERS = ["manual"]
    with pytest.raises(UnknownProvider):
        open_provider("anilist", Purpose.PERSON)
    assert [state.name for state in provider_states()] == ["manual"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", [1, 7, 10])
def test_eight_at_once_never_get_more_slots_in_any_minute(
    clock: Clock, settings: Settings, limit: int
) -> None:
    """Some twenty minutes pass, as fast as they can take slots."""
    settings.ANILIST_REQUESTS_PER_MINUTE = limit
    ready = threading.Barrier(8)

    def as_often_as_possible(number: int) -> list[datetime]:
        purpose = list(Purpose)[number % len(Purpose)]
        taken = []
        try:
            ready.wait(30)
            for _time in range(150):
                clock.move(seconds=1)
                with suppress(ProviderError):
                    taken.append(budget._take_slot("anilist", purpose))
        finally:
            connections.close_all()
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = sorted(at for times in pool.map(as_often_as_possible, range(8)) for at in times)
    assert len(taken) > 8 * limit
    for first, beyond in zip(taken, taken[limit:], strict=False):
        assert beyond - first > timedelta(seconds=60)
