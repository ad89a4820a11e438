"""The client and a real Caddy with its own certificate authority, directly and through a real proxy."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from accounts.tests.factories import PASSWORD, UserFactory
from deploy.box import free_ports
from proxy_site.tests import processes
from tests.journeys import client_process
from tests.journeys.connect_proxy import ConnectProxy
from tests.journeys.served import Served, served
from torrent_proxy_client.transport import see_fingerprint
from torrents.tests.caddy_box import CADDYFILE, running

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
# An address of this machine that is not loopback to the client, so that proxies hold for it.
ELSEWHERE = "0.0.0.0"


@dataclass
class Caddy:
    """The committed Caddyfile, with certificates of Caddy's own authority, in front of the real web process."""

    box: Served
    port: int

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def elsewhere(self) -> str:
        return f"https://{ELSEWHERE}:{self.port}"

    @property
    def state(self) -> Path:
        return self.box.directory / "caddy-state"

    @property
    def root_certificate(self) -> Path:
        return self.state / "caddy" / "pki" / "authorities" / "local" / "root.crt"

    @contextmanager
    def running(self) -> Iterator[None]:
        caddyfile = self.box.directory / "Caddyfile"
        # Nothing on port 80, and the machine's trust store stays as it is.
        options = (
            f"admin off\n\tauto_https disable_redirects\n\tskip_install_trust\n\tdefault_sni {ELSEWHERE}\n"
        )
        caddyfile.write_text(CADDYFILE.read_text().replace("admin off", options, 1))
        environment = {
            "SITE_ADDRESS": f"{self.url}, {self.elsewhere}",
            "UPSTREAM": f"127.0.0.1:{self.box.web_port}",
            "DOWNLOADS_DIR": str(self.box.downloads),
            "CADDY_LOG": str(self.box.directory / "access.log"),
            "XDG_CONFIG_HOME": str(self.box.directory / "caddy-config"),
            "XDG_DATA_HOME": str(self.state),
        }
        command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(caddyfile)]
        log = self.box.directory / "caddy.log"
        with running(command, log, **environment):
            processes.wait_until(lambda: self._shows_certificates(), f"Caddy: {log}", 30)
            yield

    def _shows_certificates(self) -> bool:
        try:
            return bool(
                asyncio.run(see_fingerprint(self.url)) and asyncio.run(see_fingerprint(self.elsewhere))
            )
        except Exception:
            return False


@pytest.fixture(scope="module")
def caddy(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Caddy]:
    directory = tmp_path_factory.mktemp("served")
    with served(directory, BEHIND_HTTPS_PROXY="true", ALLOWED_HOSTS=f"localhost,{ELSEWHERE}") as box:
        caddy = Caddy(box, free_ports(1)[0])
        with caddy.running():
            yield caddy


@pytest.fixture(autouse=True)
def alice(transactional_db: None) -> None:
    UserFactory.create(username="alice")


@pytest.fixture
async def proxy() -> AsyncIterator[ConnectProxy]:
    async with ConnectProxy() as proxy:
        yield proxy


async def log_in(directory: Path, server: str, *more: str, **environment: str) -> tuple[int, str, str]:
    login = ["login", "--server", server, "--user", "alice", "--password-stdin", *more]
    return await client_process.run(directory, *login, said=f"{PASSWORD}\n", **environment)


async def test_an_unknown_authority_is_shown_by_its_fingerprint_and_pinned_at_first_use(
    caddy: Caddy, tmp_path: Path
) -> None:
    code, _, errors = await log_in(tmp_path, caddy.url)
    assert code != 0
    fingerprint = await see_fingerprint(caddy.url)
    assert "Nobody vouches for the certificate" in errors
    assert f"--fingerprint {fingerprint}" in errors
    code, output, errors = await log_in(tmp_path, caddy.url, "--fingerprint", fingerprint)
    assert (code, output) == (0, f"Logged in to {caddy.url} as alice.\n"), errors
    assert (await client_process.run(tmp_path, "ls"))[0] == 0


async def test_the_authority_in_the_systems_trust_store_makes_pins_unnecessary(
    caddy: Caddy, tmp_path: Path
) -> None:
    code, output, errors = await log_in(tmp_path, caddy.url, SSL_CERT_FILE=str(caddy.root_certificate))
    assert (code, output, errors) == (0, f"Logged in to {caddy.url} as alice.\n", "")
    assert not (tmp_path / "config" / "state" / "certificates.json").exists()


async def test_a_proxy_from_the_environment_is_used_for_requests_and_for_seeing_the_fingerprint(
    caddy: Caddy, proxy: ConnectProxy, tmp_path: Path
) -> None:
    code, _, errors = await log_in(tmp_path, caddy.elsewhere, HTTPS_PROXY=proxy.url)
    fingerprint = errors.partition("--fingerprint ")[2].split()[0]
    assert fingerprint == await see_fingerprint(caddy.elsewhere)
    assert set(proxy.asked) == {f"{ELSEWHERE}:{caddy.port}"}
    assert len(proxy.asked) == 2  # the refused login, and the look at the certificate
    code, _, errors = await log_in(
        tmp_path, caddy.elsewhere, "--fingerprint", fingerprint, HTTPS_PROXY=proxy.url
    )
    assert code == 0, errors
    assert len(proxy.asked) == 3


async def test_no_proxy_is_used_for_what_no_proxy_names(
    caddy: Caddy, proxy: ConnectProxy, tmp_path: Path
) -> None:
    environment = {"HTTPS_PROXY": proxy.url, "NO_PROXY": ELSEWHERE}
    _, _, errors = await log_in(tmp_path, caddy.elsewhere, **environment)
    fingerprint = errors.partition("--fingerprint ")[2].split()[0]
    code, _, errors = await log_in(tmp_path, caddy.elsewhere, "--fingerprint", fingerprint, **environment)
    assert code == 0, errors
    assert proxy.asked == []


async def test_a_proxy_that_refuses_is_named_as_the_reason(caddy: Caddy, tmp_path: Path) -> None:
    async with ConnectProxy(refuses=True) as proxy:
        code, _, errors = await log_in(tmp_path, caddy.elsewhere, HTTPS_PROXY=proxy.url)
    assert code == 3
    assert "the proxy from the environment refused" in errors


def test_a_changed_certificate_is_refused_in_clear_words(caddy: Caddy, tmp_path: Path) -> None:
    fingerprint = asyncio.run(see_fingerprint(caddy.url))
    assert asyncio.run(log_in(tmp_path, caddy.url, "--fingerprint", fingerprint))[0] == 0
    other = Caddy(caddy.box, free_ports(1)[0])
    # An impostor at the same address: the pin is for the address, the certificate another authority's.
    pins = tmp_path / "config" / "state" / "certificates.json"
    pins.write_text(pins.read_text().replace(caddy.url, other.url))
    session = tmp_path / "config" / "session.json"
    session.write_text(session.read_text().replace(caddy.url, other.url))
    kept = caddy.state.with_name("caddy-kept")
    shutil.copytree(caddy.state, kept)
    shutil.rmtree(caddy.state)
    try:
        with other.running():
            code, output, errors = asyncio.run(client_process.run(tmp_path, "ls"))
    finally:
        shutil.rmtree(caddy.state)
        kept.rename(caddy.state)
    assert (code, output) == (1, "")
    assert errors.startswith(
        f"torrent-proxy: STOP: {other.url} shows another certificate than the one you trust. Somebody may be "
        "reading along; nothing was sent."
    )
