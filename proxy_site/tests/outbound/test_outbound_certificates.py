"""fetch() speaks only to whoever has a good certificate for the name."""

import ssl
from pathlib import Path

import pytest

from proxy_site import outbound
from proxy_site.tests.outbound.hostile_server import HostileServer, get, refusal


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
