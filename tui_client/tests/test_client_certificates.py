"""Servers without a public certificate: nothing is sent to one that a person has not compared."""

import asyncio
import hashlib
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from torrent_proxy_client import cli
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.errors import BadServerAddress, UntrustedCertificate
from torrent_proxy_client.pins import Pins, parse_fingerprint
from torrent_proxy_client.session import MemorySessionStore, Session
from torrent_proxy_client.transport import see_fingerprint, uses_proxies
from tui_client.tests.fake_server import FakeServer
from tui_client.tests.running_app import running


def make_certificate(directory: Path, name: str) -> tuple[ssl.SSLContext, str]:
    """A context for a server, and the fingerprint as `openssl x509 -fingerprint` prints it."""
    key, certificate = directory / f"{name}.key", directory / f"{name}.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-subj", f"/CN={name}", "-days", "2", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    return context, f"sha256 Fingerprint={hashlib.sha256(der).digest().hex(':').upper()}"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[ssl.SSLContext, str]]:
    directory = tmp_path_factory.mktemp("certificates")
    return [make_certificate(directory, name) for name in ("box", "impostor")]


@pytest.fixture
def tls_server(certificates: list[tuple[ssl.SSLContext, str]]) -> Iterator[FakeServer]:
    with FakeServer(tls=certificates[0][0]) as server:
        yield server


@pytest.fixture
def fingerprint(certificates: list[tuple[ssl.SSLContext, str]]) -> str:
    return parse_fingerprint(certificates[0][1])


async def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(
    tls_server: FakeServer,
) -> None:
    async with ApiClient(tls_server.url) as api:
        with pytest.raises(UntrustedCertificate, match="not trusted here") as caught:
            await api.log_in("alice", "secret")
    assert not caught.value.changed
    assert tls_server.requests == []


async def test_a_pinned_certificate_is_trusted(tls_server: FakeServer, fingerprint: str) -> None:
    assert await see_fingerprint(tls_server.url) == fingerprint
    async with ApiClient(tls_server.url, fingerprint=fingerprint) as api:
        assert (await api.log_in("alice", "secret")).username == "alice"


async def test_another_certificate_than_the_pinned_one_is_refused_loudly_before_anything_is_sent(
    tls_server: FakeServer, certificates: list[tuple[ssl.SSLContext, str]], fingerprint: str
) -> None:
    pinned = parse_fingerprint(certificates[1][1])
    async with ApiClient(tls_server.url, fingerprint=pinned) as api:
        with pytest.raises(UntrustedCertificate, match="STOP") as caught:
            await api.log_in("alice", "secret")
    assert caught.value.changed
    assert fingerprint in str(caught.value)
    assert tls_server.requests == []


@pytest.mark.parametrize("look", [False, True], ids=["request", "see_fingerprint"])
async def test_a_request_that_is_cancelled_in_the_handshake_closes_its_connection(look: bool) -> None:
    greeted, hung_up = asyncio.Event(), asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        greeted.set()
        await reader.read()
        hung_up.set()
        writer.close()

    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as silent:
        url = f"https://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        async with ApiClient(url) as api:
            asking = asyncio.create_task(see_fingerprint(url) if look else api.log_in("alice", "secret"))
            await asyncio.wait_for(greeted.wait(), 30)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        await asyncio.wait_for(hung_up.wait(), 30)


async def test_the_app_shows_the_fingerprint_asks_and_remembers(
    tls_server: FakeServer, fingerprint: str, tmp_path: Path
) -> None:
    tls_server.add_torrent("film")
    state = tmp_path / "state"
    store = MemorySessionStore(Session(tls_server.url, "alice"))
    async with running(store, tmp_path, state=state) as person:
        await person.paste("secret")
        await person.press("enter")
        await person.sees("Nobody vouches for this server's certificate.", fingerprint[:40], "y trust")
        assert tls_server.requests == []
        await person.press("n")
        await person.sees("not trusted here")
        await person.press("enter")
        await person.sees("y trust")
        await person.press("y")
        await person.sees("film")
    assert Pins(state).get(tls_server.url) == fingerprint
    async with running(store, tmp_path, state=state) as person:
        await person.sees("film")


def test_logging_in_on_the_command_line_takes_the_fingerprint(
    tls_server: FakeServer,
    fingerprint: str,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    login = ["login", "--server", tls_server.url, "--user", "alice", "--password-stdin"]
    monkeypatch.setattr("sys.stdin", _Password())
    assert cli.main(login) == 1
    assert f"--fingerprint {fingerprint}" in capsys.readouterr().err
    assert cli.main([*login, "--fingerprint", fingerprint]) == 0
    assert cli.main(["ls"]) == 0


class _Password:
    def readline(self) -> str:
        return "secret\n"

    def isatty(self) -> bool:
        return False


@pytest.mark.parametrize("text", ["", "SHA256:", "SHA256:AB", "AB" * 33, "GG" * 32, "AB" * 20])
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(BadServerAddress, match="no SHA-256 fingerprint"):
        parse_fingerprint(text)


@pytest.mark.parametrize("prefix", ["", "SHA256:", "sha256:", "sha256 Fingerprint=", " SHA-256:"])
def test_fingerprints_are_taken_as_tools_print_them(prefix: str) -> None:
    assert parse_fingerprint(prefix + "ab:" * 31 + "ab\n") == "SHA256:" + "AB:" * 31 + "AB"


def test_a_damaged_list_of_pins_is_not_taken_for_no_pins(tmp_path: Path) -> None:
    Pins(tmp_path).set("https://box.example", parse_fingerprint("ab" * 32))
    (tmp_path / "certificates.json").write_text("{")
    with pytest.raises(BadServerAddress, match="cannot be read"):
        Pins(tmp_path).get("https://box.example")


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("https://box.example.net", True),
        ("https://192.0.2.7:8443", True),
        ("http://127.0.0.1:8000", False),
        ("http://localhost:8000", False),
        ("https://[::1]:8000", False),
        ("https://localhost.example.net", True),
    ],
)
def test_proxies_of_the_environment_hold_for_everything_but_loopback(server: str, expected: bool) -> None:
    assert uses_proxies(server) is expected
