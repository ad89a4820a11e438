"""fetch() speaks only to whoever has a good certificate for the name."""

import ssl
import subprocess
from pathlib import Path

import pytest

from proxy_site import outbound
from proxy_site.tests.outbound.hostile_server import HostileServer, get, refusal


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
