"""fetch(): what it sends, what it gives back, and how it says what went wrong."""

import socket
import threading

import pytest

from proxy_site.outbound import OutboundError, fetch, redact
from proxy_site.tests.outbound.hostile_server import HostileServer, get, refusal


def test_a_file_is_fetched(server: HostileServer) -> None:
    response = get(server.url + "/hello")
    assert (response.status, response.body, response.headers["etag"]) == (200, b"hello", '"one"')
    assert response.url == server.url + "/hello"


def test_a_compressed_file_is_unpacked(server: HostileServer) -> None:
    assert get(server.url + "/zipped").body == b"hello"


def test_a_server_sees_who_asks_and_for_what(server: HostileServer) -> None:
    fetch(server.url + "/hello", max_bytes=10, deadline=5, allow_private=True, accept="text/xml")
    sent = server.requests[0].headers
    assert (sent["User-Agent"], sent["Accept"]) == ("oci-torrent-proxy", "text/xml")


def test_an_unchanged_file_is_not_sent_again(server: HostileServer) -> None:
    response = fetch(
        server.url + "/conditional",
        max_bytes=10,
        deadline=5,
        allow_private=True,
        headers={"If-None-Match": '"one"'},
    )
    assert (response.status, response.body) == (304, b"")


def test_a_header_cannot_smuggle_another_one(server: HostileServer) -> None:
    with pytest.raises(OutboundError):
        fetch(
            server.url,
            max_bytes=10,
            deadline=5,
            allow_private=True,
            headers={"If-None-Match": "x\r\nHost: evil"},
        )
    assert server.requests == []


def test_a_proxy_of_the_environment_is_not_used(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:1")
    assert get(server.url + "/hello").body == b"hello"


@pytest.mark.parametrize(
    ("status", "words", "permanent"),
    [
        (404, "404 (not found)", True),
        (403, "403 (forbidden)", True),
        (429, "429", False),
        (503, "503", False),
    ],
)
def test_an_error_status_is_told_in_words(
    server: HostileServer, status: int, words: str, permanent: bool
) -> None:
    error = refusal(f"{server.url}/status/{status}?key=secret")
    assert words in str(error)
    assert "secret" not in str(error)
    assert (error.code, error.permanent) == ("http_status", permanent)


def test_a_port_where_nothing_listens_is_told(server: HostileServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = refusal(f"http://127.0.0.1:{port}/")
    assert (error.code, error.permanent) == ("no_connection", False)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "bad_url"),
        ("one piece 1080p", "bad_url"),
        ("example.org/file.torrent", "bad_url"),
        ("http://", "bad_url"),
        ("http:///path", "bad_url"),
        ("http://exa mple.org/", "bad_url"),
        ("http://[::1/", "bad_url"),
        ("http://example.org:99999/", "bad_url"),
        ("http://example.org:0/", "bad_url"),
        ("http://example.org/\nhttp://127.0.0.1/", "bad_url"),
        ("http://example.org/\r\nHost: x", "bad_url"),
        ("http://example.org/\x00", "bad_url"),
        ("http://\ud800/", "bad_url"),
        ("http://example.org/\ud800", "bad_url"),
        ("http://example.org/" + "x" * 8000, "bad_url"),
        ("http://user:word@example.org/", "credentials_in_url"),
        ("http://user@example.org/", "credentials_in_url"),
        ("ftp://example.org/", "unsupported_scheme"),
        ("file:///etc/passwd", "unsupported_scheme"),
        ("/etc/passwd", "bad_url"),
    ],
)
def test_what_is_no_web_address_is_refused(url: str, code: str) -> None:
    error = refusal(url)
    assert (error.code, error.permanent) == (code, True)


def test_a_name_that_does_not_exist_is_told() -> None:
    assert refusal("http://no-such-name.invalid/?k=secret").code == "unknown_host"


def test_characters_outside_ascii_are_encoded(server: HostileServer) -> None:
    get(server.url + "/hello/日本 語?q=ü")
    assert server.requests[0].path == "/hello/%E6%97%A5%E6%9C%AC%20%E8%AA%9E?q=%C3%BC"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org:8443/rss?passkey=s3cret#s3cret", "https://example.org:8443/rss"),
        ("https://user:s3cret@example.org/", "https://example.org/"),
        ("http://[::1", "(unreadable address)"),
        ("magnet:?xt=s3cret", "magnet:…"),
        ("s3cret", "(unreadable address)"),
    ],
)
def test_redact_leaves_no_secret(url: str, safe: str) -> None:
    assert redact(url) == safe


def test_many_threads_fetch_at_once(server: HostileServer) -> None:
    bodies: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: bodies.append(get(server.url + "/hello").body)) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == [b"hello"] * 16
