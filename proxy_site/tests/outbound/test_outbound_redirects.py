"""fetch() follows redirects, but not everywhere and not for ever."""

import pytest

from proxy_site.tests.outbound.hostile_server import HostileServer, get, refusal


def test_a_redirect_is_followed(server: HostileServer, other_server: HostileServer) -> None:
    server.location = other_server.url + "/hello"
    response = get(server.url + "/to")
    assert (response.body, response.url) == (b"hello", other_server.url + "/hello")


def test_a_relative_redirect_is_followed(server: HostileServer) -> None:
    server.location = "../hello"
    assert get(server.url + "/to/x").body == b"hello"


def test_a_redirect_loop_ends(server: HostileServer) -> None:
    assert refusal(server.url + "/loop").code == "too_many_redirects"
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "magnet:?xt=urn:btih:0"]
)
def test_a_redirect_to_another_scheme_is_refused(server: HostileServer, location: str) -> None:
    server.location = location
    assert refusal(server.url + "/to").code == "unsupported_scheme"


@pytest.mark.parametrize("location", ["http://[::1", "//[x"])
def test_a_redirect_to_nonsense_is_refused(server: HostileServer, location: str) -> None:
    server.location = location
    assert refusal(server.url + "/to").code == "bad_redirect"


def test_a_redirect_to_a_magnet_is_handed_to_who_asked_for_it(server: HostileServer) -> None:
    server.location = "magnet:?xt=urn:btih:" + "a" * 40
    assert get(server.url + "/to", stop_at_magnet=True).magnet == server.location
