"""The client goes on by SFTP where HTTPS brings nothing: real server processes, real bytes, cut in the middle."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import TransferCredential
from accounts.tests.factories import PASSWORD
from deploy.relay import Relay
from tests.journeys import client_process
from tests.journeys.middlebox import Middlebox
from tests.journeys.served import Served, torrent_of_alice
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.download import Download, Fetched, Progress
from torrent_proxy_client.errors import DownloadFailed, NothingArrived
from torrent_proxy_client.routes import Route
from torrent_proxy_client.session import MemorySessionStore
from torrent_proxy_client.sftp import places
from torrents.tests.sftp.running import rows
from torrents.tree import _Directory, _File, lay_out
from tui_client.tests.running_app import running

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
MIB = 2**20
SIZE = 24 * MIB


@pytest.fixture
def box(servers: Served) -> Served:
    return servers


@pytest.fixture
def content() -> bytes:
    return secrets.token_bytes(SIZE)


@pytest.fixture
def film(box: Served, content: bytes) -> str:
    return torrent_of_alice("film.mkv", {"film.mkv": content})


@pytest.fixture
async def sftp_port(box: Served) -> AsyncIterator[Relay]:
    """What stands at the port that the API announces; counts what the SFTP server sends."""
    async with Relay(box.sftp_port, at=box.sftp_announced) as relay:
        yield relay


async def fetch(
    url: str,
    torrent_id: str,
    directory: Path,
    *,
    seen: Callable[[Progress], None] = lambda now: None,
    notice: Callable[[str], None] = lambda sentence: None,
    sftp_only: bool = False,
    patience: float = 60,
) -> tuple[Fetched, ...]:
    async with ApiClient(url) as api:
        await api.log_in("alice", PASSWORD)
        torrent = await api.torrent(torrent_id)
        return await Download(
            api,
            torrent,
            directory,
            route=Route(api, torrent, sftp_only=sftp_only, notice=notice),
            on_progress=seen,
            patience=patience,
            sleep=lambda seconds: asyncio.sleep(min(seconds, 0.05)),
        ).run()


async def test_content_that_a_middlebox_cuts_at_half_and_then_blocks_goes_on_by_sftp_from_there(
    box: Served, film: str, content: bytes, sftp_port: Relay, tmp_path: Path
) -> None:
    notices: list[str] = []
    seen: list[Progress] = []
    async with Middlebox(box.web_port, content=SIZE // 2) as middlebox:
        (fetched,) = await fetch(middlebox.url, film, tmp_path, notice=notices.append, seen=seen.append)
    assert fetched.path.read_bytes() == content
    assert (fetched.verified, fetched.by_sftp) == (True, True)
    assert middlebox.cut >= 3
    assert SIZE // 4 < sftp_port.sent < SIZE * 3 // 4
    assert [notice.partition(" (")[0] for notice in notices] == [
        "HTTPS brings nothing of the content although the server answers"
    ]
    assert f"Going on by SFTP from 127.0.0.1:{box.sftp_announced}." in notices[0]
    assert not seen[0].by_sftp
    assert seen[-1].by_sftp
    assert await rows(TransferCredential.objects.alive().count) == 0


@pytest.mark.parametrize("chosen", [[1], [0, 2]])
async def test_of_a_torrent_only_the_chosen_files_come_by_sftp(
    box: Served, sftp_port: Relay, tmp_path: Path, chosen: list[int]
) -> None:
    files = {f"season/{name}.mkv": secrets.token_bytes(MIB) for name in ("one", "two", "three")}
    season = await rows(lambda: torrent_of_alice("season", files))
    async with ApiClient(box.url) as api:
        await api.log_in("alice", PASSWORD)
        await api.change(season, {"files": chosen})
    fetched = await fetch(box.url, season, tmp_path, sftp_only=True)
    assert [(file.path, file.by_sftp) for file in fetched] == [
        (tmp_path / list(files)[index], True) for index in chosen
    ]
    assert [file.path.read_bytes() for file in fetched] == [list(files.values())[index] for index in chosen]


async def test_sftp_that_is_cut_at_half_is_resumed_by_sftp(
    box: Served, film: str, content: bytes, tmp_path: Path
) -> None:
    async with Relay(box.sftp_port, at=box.sftp_announced, cut_after=SIZE // 2):
        with pytest.raises(NothingArrived, match="What is here is kept"):
            await fetch(box.url, film, tmp_path, sftp_only=True, patience=0.2)
    assert 0 < (tmp_path / "film.mkv.part").stat().st_size < SIZE
    async with Relay(box.sftp_port, at=box.sftp_announced) as relay:
        (fetched,) = await fetch(box.url, film, tmp_path, sftp_only=True)
        assert relay.sent < SIZE * 3 // 4
    assert fetched.verified
    assert fetched.path.read_bytes() == content


async def test_https_goes_on_with_what_sftp_began(
    box: Served, film: str, content: bytes, tmp_path: Path
) -> None:
    async with Relay(box.web_port) as relay:
        async with Relay(box.sftp_port, at=box.sftp_announced, cut_after=SIZE // 2):
            with pytest.raises(NothingArrived):
                await fetch(relay.url, film, tmp_path, sftp_only=True, patience=0.2)
        assert relay.sent < MIB
        (fetched,) = await fetch(relay.url, film, tmp_path)
        assert relay.sent < SIZE * 3 // 4
    assert (fetched.verified, fetched.by_sftp) == (True, False)
    assert fetched.path.read_bytes() == content


async def test_every_file_of_a_folder_comes_by_sftp_under_its_own_name(
    box: Served, sftp_port: Relay, tmp_path: Path
) -> None:
    files = {
        "Odd/b.txt": b"1",
        "Odd/s 1/a * ? b.txt": b"2",
        "Odd/a.txt": b"3",
        "Odd/s 1/進撃.txt": b"4",
        "Odd/s 1/A _ _ B.TXT": b"5",
        "Odd/empty": b"",
        "Odd/S 1/one.txt": b"6",
    }
    torrent = await rows(torrent_of_alice, "Odd [b] 'x'", files)
    fetched = await fetch(box.url, torrent, tmp_path, sftp_only=True)
    assert [file.path.read_bytes() for file in fetched] == list(files.values())


class Impostor(asyncssh.SSHServer):
    """Has another host key than the box, and would like a password."""

    asked: list[str] = []

    def begin_auth(self, username: str) -> bool:
        self.asked.append(username)
        return True


async def test_another_host_key_than_the_announced_one_gets_no_password(
    box: Served, film: str, tmp_path: Path
) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    async with asyncssh.listen(
        "127.0.0.1", box.sftp_announced, server_factory=Impostor, server_host_keys=[key]
    ):
        with pytest.raises(DownloadFailed, match=r"STOP: .* another host key"):
            await fetch(box.url, film, tmp_path, sftp_only=True)
    assert Impostor.asked == []


async def test_the_command_goes_by_sftp_when_told_to_and_says_so(
    box: Served, film: str, content: bytes, sftp_port: Relay, tmp_path: Path
) -> None:
    code, output, _ = await command(tmp_path, box.url, "get", "film", "--sftp")
    assert code == 0
    assert "SHA-256 verified, by SFTP" in output
    assert (tmp_path / "downloads" / "film.mkv").read_bytes() == content


async def test_the_command_says_in_one_line_that_it_goes_on_by_sftp(
    box: Served, film: str, content: bytes, sftp_port: Relay, tmp_path: Path
) -> None:
    async with Middlebox(box.web_port, content=SIZE // 2) as middlebox:
        code, output, errors = await command(tmp_path, middlebox.url, "get", "film")
    assert code == 0, errors
    assert errors.count("Going on by SFTP") == errors.count("\n") == 1
    assert "SHA-256 verified, by SFTP" in output
    assert (tmp_path / "downloads" / "film.mkv").read_bytes() == content


async def command(directory: Path, url: str, *arguments: str) -> tuple[int, str, str]:
    await client_process.log_in(directory, url)
    return await client_process.run(directory, *arguments)


async def test_the_app_goes_on_by_sftp_by_itself_and_its_line_says_so(
    box: Served, film: str, content: bytes, tmp_path: Path
) -> None:
    store = MemorySessionStore()
    async with (
        Middlebox(box.web_port, content=0) as middlebox,
        Relay(box.sftp_port, at=box.sftp_announced, speed=8 * MIB),
    ):
        async with ApiClient(middlebox.url, store=store) as api:
            await api.log_in("alice", PASSWORD)
        async with running(store, tmp_path / "downloads", size=(120, 30)) as person:
            await person.sees("film.mkv")
            person.app.simulate_key("f")
            await person.sees("by SFTP film.mkv")
            await person.sees("✓ film.mkv", "SHA-256 verified, by SFTP")
    assert (tmp_path / "downloads" / "film.mkv").read_bytes() == content


NAMES = st.sampled_from(["a", "A", "b", "b?", "b*", "..", "con"])


def shown_places(directory: _Directory, before: tuple[int, ...] = ()) -> dict[int, tuple[int, ...]]:
    """By the index of the file: where the server's own tree has it."""
    found: dict[int, tuple[int, ...]] = {}
    for number, entry in enumerate(directory.entries.values()):
        if isinstance(entry, _File):
            found[entry.index] = (*before, number)
        else:
            found |= shown_places(entry, (*before, number))
    return found


@given(st.lists(st.lists(NAMES, min_size=1, max_size=4), min_size=2, max_size=12))
def test_the_client_knows_the_place_of_every_file_in_the_servers_tree(parts: Sequence[list[str]]) -> None:
    paths = ["/".join(names) for names in parts]
    expected = shown_places(lay_out((path, index, 1) for index, path in enumerate(paths)))
    assert dict(enumerate(places(paths))) == expected
