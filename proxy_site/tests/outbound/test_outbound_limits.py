"""fetch() against a server that sends too much, too slowly or nonsense."""

import socket
import time

import pytest

from proxy_site.outbound import OutboundError, fetch
from proxy_site.tests.outbound.hostile_server import HostileServer, refusal


def test_a_gzip_bomb_is_stopped_at_the_cap(server: HostileServer) -> None:
    assert refusal(server.url + "/bomb").code == "too_large"


def test_an_endless_body_is_stopped_at_the_cap_with_a_sentence(server: HostileServer) -> None:
    error = refusal(server.url + "/endless?passkey=secret")
    assert (error.code, error.permanent) == ("too_large", True)
    assert str(error) == f"{server.url}/endless sends more than 5 MiB, the most accepted here."


def test_a_body_of_exactly_the_cap_is_accepted(server: HostileServer) -> None:
    assert fetch(server.url + "/hello", max_bytes=5, deadline=5, allow_private=True).body == b"hello"
    with pytest.raises(OutboundError):
        fetch(server.url + "/hello", max_bytes=4, deadline=5, allow_private=True)


def test_a_server_that_drips_bytes_is_left_at_the_deadline(server: HostileServer) -> None:
    started = time.monotonic()
    error = refusal(server.url + "/drip", deadline=1.2)
    assert (error.code, error.permanent) == ("timed_out", False)
    assert time.monotonic() - started < 5


def test_the_deadline_covers_all_redirects_together(
    server: HostileServer, other_server: HostileServer
) -> None:
    server.location = other_server.url + "/drip"
    started = time.monotonic()
    assert refusal(server.url + "/to", deadline=1).code == "timed_out"
    assert time.monotonic() - started < 4


def test_a_server_that_accepts_and_says_nothing_is_left_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert refusal(f"http://127.0.0.1:{silent.getsockname()[1]}/", deadline=0.5).code == "timed_out"


def test_endless_headers_are_refused(server: HostileServer) -> None:
    assert refusal(server.url + "/headers").code == "too_large"


def test_a_body_that_breaks_off_is_not_taken_for_whole(server: HostileServer) -> None:
    error = refusal(server.url + "/cut")
    assert (error.code, error.permanent) == ("broken_answer", False)


def test_what_does_not_speak_http_is_refused(server: HostileServer) -> None:
    assert refusal(server.url + "/no_http").code == "broken_answer"


def test_an_endless_error_page_is_not_read(server: HostileServer) -> None:
    started = time.monotonic()
    assert refusal(server.url + "/endless_404").code == "http_status"
    assert time.monotonic() - started < 4
