"""fetch() against a server that means harm. Everything here is on loopback."""

import contextlib
import socket
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from proxy_site import outbound
from proxy_site.outbound import OutboundError, Response, fetch, is_public_address, redact

MAX_BYTES = 5 * 2**20


class HostileHandler(BaseHTTPRequestHandler):
    """Does what the first part of the path names."""

    server: "HostileServer"

    def do_GET(self) -> None:
        self.server.requests.append(self)
        with contextlib.suppress(
            BrokenPipeError, ConnectionResetError
        ):  # the client had enough, as it should
            getattr(self, "serve_" + urlsplit(self.path).path.split("/")[1])()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def serve_hello(self) -> None:
        self.answer(200, b"hello", ETag='"one"', Content_Length="5")

    def serve_conditional(self) -> None:
        self.answer(304 if self.headers["If-None-Match"] == '"one"' else 200)

    def serve_zipped(self) -> None:
        packer = zlib.compressobj(wbits=31)
        self.answer(200, packer.compress(b"hello") + packer.flush(), Content_Encoding="gzip")

    def serve_bomb(self) -> None:
        packer = zlib.compressobj(9, wbits=31)
        self.answer(200, Content_Encoding="gzip")
        for _ in range(512):
            self.wfile.write(packer.compress(bytes(2**20)))
        self.wfile.write(packer.flush())

    def serve_endless(self, status: int = 200) -> None:
        self.answer(status)
        while not self.server.stopping.is_set():
            self.wfile.write(bytes(65536))

    def serve_endless_404(self) -> None:
        self.serve_endless(404)

    def serve_drip(self) -> None:
        self.answer(200, Content_Length="1000")
        while not self.server.stopping.wait(0.5):
            self.wfile.write(b"x")

    def serve_headers(self) -> None:
        self.send_response(200)
        for number in range(2000):
            self.send_header(f"X-{number}", "x" * 100)
        self.end_headers()

    def serve_cut(self) -> None:
        self.answer(200, b"half", Content_Length="8")

    def serve_no_http(self) -> None:
        self.wfile.write(b"220 mail.example.org ESMTP\r\n")

    def serve_status(self) -> None:
        self.answer(int(urlsplit(self.path).path.rpartition("/")[2]))

    def serve_to(self) -> None:
        self.answer(302, b"moved", Location=self.server.location)

    def serve_loop(self) -> None:
        self.answer(302, Location="/loop")


class HostileServer(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, address: str) -> None:
        super().__init__((address, 0), HostileHandler)
        self.requests: list[HostileHandler] = []
        self.stopping = threading.Event()
        self.location = ""
        self.url = f"http://{address}:{self.server_port}"


def run_server(address: str = "127.0.0.1") -> Iterator[HostileServer]:
    with HostileServer(address) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def server() -> Iterator[HostileServer]:
    yield from run_server()


@pytest.fixture
def other_server() -> Iterator[HostileServer]:
    yield from run_server("127.0.0.6")


def get(url: str, *, deadline: float = 10.0, stop_at_magnet: bool = False) -> Response:
    return fetch(
        url, max_bytes=MAX_BYTES, deadline=deadline, allow_private=True, stop_at_magnet=stop_at_magnet
    )


def refusal(url: str, *, deadline: float = 10.0) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        get(url, deadline=deadline)
    return caught.value


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "140.238.0.1", "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450:4001::1"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:1.1.1.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1111%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "localhost",
        "2130706433",
        "127.1",
        "",
    ],
)
def test_an_address_that_is_not_of_the_internet_is_not_public(address: str) -> None:
    assert not is_public_address(address)


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
    assert time.monotonic() - started < 2


def test_the_deadline_covers_all_redirects_together(
    server: HostileServer, other_server: HostileServer
) -> None:
    server.location = other_server.url + "/drip"
    started = time.monotonic()
    assert refusal(server.url + "/to", deadline=1).code == "timed_out"
    assert time.monotonic() - started < 1.5


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


def test_an_endless_error_page_is_not_read(server: HostileServer) -> None:
    started = time.monotonic()
    assert refusal(server.url + "/endless_404").code == "http_status"
    assert time.monotonic() - started < 2


def test_a_port_where_nothing_listens_is_told(server: HostileServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = refusal(f"http://127.0.0.1:{port}/")
    assert (error.code, error.permanent) == ("no_connection", False)


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


def test_each_redirect_is_checked_before_connecting(
    server: HostileServer, other_server: HostileServer
) -> None:
    server.location = other_server.url + "/hello"
    with pytest.raises(OutboundError) as caught:
        fetch(
            server.url + "/to",
            max_bytes=10,
            deadline=5,
            address_allowed=lambda address: address != "127.0.0.6",
        )
    assert caught.value.code == "private_address"
    assert (len(server.requests), other_server.requests) == (1, [])


def test_a_redirect_to_the_metadata_service_is_refused(server: HostileServer) -> None:
    server.location = "http://169.254.169.254/opc/v2/instance/"
    started = time.monotonic()
    with pytest.raises(OutboundError) as caught:
        fetch(
            server.url + "/to",
            max_bytes=10,
            deadline=5,
            address_allowed=lambda address: address == "127.0.0.1" or is_public_address(address),
        )
    assert caught.value.code == "private_address"
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "127。0。0。1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
    ],
)
def test_our_own_machine_is_refused_without_a_connection(host: str) -> None:
    with dual_stack_canary() as canary:
        port = canary.getsockname()[1]
        with pytest.raises(OutboundError) as caught:
            fetch(f"http://{host}:{port}/?passkey=secret", max_bytes=10, deadline=5)
        assert caught.value.code == "private_address"
        assert caught.value.permanent
        assert "private network" in str(caught.value)
        canary.setblocking(False)
        with pytest.raises(BlockingIOError):
            canary.accept()


def dual_stack_canary() -> socket.socket:
    """Listens on every address of this machine."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("0.0.0.0", 0))


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


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1, signed by nobody else, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test "
        "-addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(
        [*command.split(), "-keyout", str(key), "-out", str(cert)],
        check=True,
        capture_output=True,
        timeout=30,
    )
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    return both


@pytest.fixture
def tls_server(server: HostileServer, certificate: Path) -> HostileServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    # The handshake happens in the connection's own thread, so a client that hangs up does not end the server.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
    server.url = server.url.replace("http://", "https://")
    return server


def test_a_certificate_of_nobody_is_refused(tls_server: HostileServer) -> None:
    error = refusal(tls_server.url + "/hello")
    assert (error.code, tls_server.requests) == ("bad_certificate", [])


def test_a_certificate_of_a_known_authority_is_accepted(
    tls_server: HostileServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "DEBIAN_CA_FILE", certificate)
    assert get(tls_server.url + "/hello").body == b"hello"


def test_a_certificate_for_another_name_is_refused(
    tls_server: HostileServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "DEBIAN_CA_FILE", certificate)
    error = refusal(tls_server.url.replace("127.0.0.1", "localhost") + "/hello")
    assert error.code == "bad_certificate"


def test_authorities_are_found_without_debians_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(outbound, "DEBIAN_CA_FILE", tmp_path / "none")
    assert "BEGIN CERTIFICATE" in Path(outbound.ca_file()).read_text()


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
