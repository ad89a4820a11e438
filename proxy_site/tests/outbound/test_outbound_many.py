"""fetch_many(): each as guarded as by fetch(), and none delayed by another."""

import base64
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from proxy_site.outbound_many import Limits, Outcome, Request, fetch_many
from proxy_site.tests.outbound.hostile_server import MAX_BYTES, HostileServer


def outcomes(
    *requests: Request[str], deadline: float = 10.0, allow_private: bool = True, **limits: int
) -> dict[str, Outcome[str]]:
    """By key, in the order in which they ended."""
    found = fetch_many(
        requests, Limits(deadline=deadline, max_bytes=MAX_BYTES, **limits), allow_private=allow_private
    )
    return {outcome.key: outcome for outcome in found}


def eventually(holds: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 10
    while not holds() and time.monotonic() < ends_at:
        time.sleep(0.02)


def code(outcome: Outcome[Any]) -> str:
    assert outcome.error is not None
    return outcome.error.code


def test_many_are_fetched_and_each_ends_as_it_deserves(server: HostileServer) -> None:
    server.location = "/hello"
    paths = {
        "hello": "",
        "zipped": "",
        "to": "",
        "bomb": "too_large",
        "endless": "too_large",
        "headers": "too_large",
        "drip": "timed_out",
        "loop": "too_many_redirects",
        "status/404": "http_status",
        "cut": "broken_answer",
        "no_http": "broken_answer",
    }
    found = outcomes(*(Request(path, f"{server.url}/{path}") for path in paths), deadline=3)
    assert {
        path: "" if outcome.error is None else outcome.error.code for path, outcome in found.items()
    } == paths
    for path in ("hello", "zipped", "to"):
        response = found[path].response
        assert response is not None
        assert response.body == b"hello"


def test_what_hangs_delays_nothing_else(server: HostileServer, other_server: HostileServer) -> None:
    hanging = [Request(f"drip {number}", server.url + "/drip") for number in range(3)]
    quick = [Request(f"hello {number}", other_server.url + "/hello") for number in range(5)]
    ended = list(outcomes(*hanging, *quick, deadline=2, at_once=5))
    assert all(key.startswith("hello") for key in ended[:5])


def test_one_host_is_not_asked_for_more_at_once_than_is_polite(server: HostileServer) -> None:
    found = fetch_many(
        [Request(number, server.url + "/drip") for number in range(6)],
        Limits(deadline=1, max_bytes=MAX_BYTES, at_once_per_host=2),
        allow_private=True,
    )
    asked = [len(server.requests) for _outcome in found]
    assert max(asked[:2]) <= 3  # two, and the one that took the place of the first
    assert asked[-1] == 6


def test_private_addresses_are_refused_before_connecting(server: HostileServer) -> None:
    found = outcomes(Request("a", server.url + "/hello"), allow_private=False)
    assert code(found["a"]) == "private_address"
    assert server.requests == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "not an address", "http://[::1"])
def test_what_is_no_address_ends_in_words_and_stops_nobody(url: str, server: HostileServer) -> None:
    found = outcomes(Request("bad", url), Request("good", server.url + "/hello"))
    assert found["bad"].error is not None
    assert found["good"].error is None


def test_large_bodies_share_what_memory_there_is(server: HostileServer) -> None:
    found = outcomes(
        *(Request(str(number), server.url + "/endless") for number in range(4)),
        Request("small", server.url + "/hello"),
        at_once_per_host=5,
        buffered_bytes=1024 * 1024,
    )
    assert found["small"].error is None
    assert {code(found[str(number)]) for number in range(4)} <= {"busy", "too_large"}


def test_a_temporary_move_is_not_told_as_a_permanent_one(
    server: HostileServer,
) -> None:
    server.location = "/hello"
    assert outcomes(Request("a", server.url + "/to"))["a"].moved_to is None


def test_giving_up_ends_what_is_under_way(server: HostileServer) -> None:
    found = fetch_many(
        [Request("hello", server.url + "/hello"), Request("drip", server.url + "/drip")],
        Limits(deadline=30, max_bytes=MAX_BYTES),
        allow_private=True,
    )
    assert next(found).key == "hello"
    begun = time.monotonic()
    found.close()
    assert time.monotonic() - begun < 10
    assert not any(thread.name == "fetch-many" for thread in threading.enumerate())


def test_another_thread_can_end_what_nobody_else_could(server: HostileServer) -> None:
    stop = threading.Event()
    found = fetch_many(
        [Request(number, server.url + "/drip") for number in range(2)],
        Limits(deadline=600, max_bytes=MAX_BYTES),
        allow_private=True,
        stop=stop,
    )

    def stop_them() -> None:
        eventually(lambda: len(server.requests) == 2)
        stop.set()

    threading.Thread(target=stop_them).start()
    assert list(found) == []


def test_what_is_not_taken_yet_keeps_others_from_starting(server: HostileServer) -> None:
    found = fetch_many(
        [Request(number, server.url + "/hello") for number in range(10)],
        Limits(deadline=10, max_bytes=MAX_BYTES, at_once=2, at_once_per_host=10),
        allow_private=True,
    )
    next(found)
    time.sleep(0.5)
    assert len(server.requests) <= 3
    assert len(list(found)) == 9


def test_bodies_that_nobody_has_taken_yet_use_up_the_memory_there_is(server: HostileServer) -> None:
    large = [Request(number, server.url + "/large") for number in range(6)]
    found = fetch_many(
        [*large, Request(6, server.url + "/hello")],
        Limits(
            deadline=10,
            max_bytes=MAX_BYTES,
            at_once=10,
            at_once_per_host=1,  # one after the other, so that none is refused for what another only tries
            buffered_bytes=4 * 2**20,
        ),
        allow_private=True,
    )
    first = next(found)  # while the others come in
    eventually(lambda: len(server.requests) == 7)  # so all that are large have ended, one way or the other
    outcomes = [first, *found]
    assert [outcome.key for outcome in outcomes if outcome.response is not None] == [0, 1, 6]
    assert {code(outcome) for outcome in outcomes if outcome.error is not None} == {"busy"}


@pytest.mark.parametrize("header", ['"é"', "two\nlines"])
def test_a_header_that_cannot_be_sent_ends_its_own_request_only(header: str, server: HostileServer) -> None:
    found = outcomes(
        Request("bad", server.url + "/hello", {"If-None-Match": header}),
        Request("good", server.url + "/hello"),
    )
    assert code(found["bad"]) == "bad_header"
    assert found["good"].error is None


def test_credentials_are_in_any_script(server: HostileServer) -> None:
    found = outcomes(Request("a", server.url + "/hello", credentials=("jürgen", "пароль")))
    assert found["a"].error is None
    sent = server.requests[0].headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent).decode() == "jürgen:пароль"
