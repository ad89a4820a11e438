"""Content is asked for in pieces, so that somebody who was disabled receives no more than the rest of one."""

from pathlib import Path

import pytest

from torrent_proxy_client import receiving
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.download import Progress
from torrent_proxy_client.errors import BadAnswer, ClientError, DownloadFailed, NotLoggedIn
from torrent_proxy_client.routes import Route
from tui_client.tests.fake_server import FakeServer, FakeTorrent
from tui_client.tests.fetching import DATA, fetch, tree

PIECE = 1_000_000


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    assert receiving.PIECE <= 64 * 2**20
    monkeypatch.setattr(receiving, "PIECE", PIECE)


def ranges(server: FakeServer) -> list[tuple[str | None, str | None]]:
    return [
        (headers["Range"], headers["If-Range"]) for _, path, headers in server.requests if "/content/" in path
    ]


async def test_no_request_asks_for_more_than_a_piece_and_all_name_the_version_they_go_on_with(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    (fetched,) = await fetch(api, film, here)
    assert fetched.verified
    assert tree(here) == {"film.mkv": DATA}
    asked = ranges(server)
    assert [wanted for wanted, _ in asked] == [
        "bytes=0-999999",
        "bytes=1000000-1999999",
        "bytes=2000000-2999999",
    ]
    assert asked[0][1] is None
    assert asked[1][1] == asked[2][1] != ""


async def test_a_file_of_one_piece_is_asked_for_without_a_range(
    server: FakeServer, api: ApiClient, here: Path
) -> None:
    await fetch(api, server.add_torrent("small", {"small": DATA[:PIECE]}), here)
    assert ranges(server) == [(None, None)]


async def test_who_is_thrown_out_in_the_middle_receives_no_further_piece(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    def thrown_out(now: Progress) -> None:
        if now.done:
            server.end_sessions()

    with pytest.raises(NotLoggedIn):
        await fetch(api, film, here, on_progress=thrown_out)
    assert (here / "film.mkv.part").stat().st_size == PIECE


async def test_a_content_that_changes_between_two_pieces_is_fetched_from_the_start(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    def changed(now: Progress) -> None:
        if now.done:
            server.version = "2"

    await fetch(api, film, here, on_progress=changed)
    assert tree(here) == {"film.mkv": DATA}
    assert server.content_starts == [0, 0]


async def test_a_server_without_etags_is_asked_for_the_whole(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.version = ""
    await fetch(api, film, here)
    assert tree(here) == {"film.mkv": DATA}
    assert [wanted for wanted, _ in ranges(server)] == ["bytes=0-999999", None]


async def test_an_answer_of_another_size_leaves_what_is_here_alone(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    def block_page(now: Progress) -> None:
        if now.done:
            server.ignores_range = True
            film.files["film.mkv"] = b"<html>This page is blocked here.</html>"

    with pytest.raises(DownloadFailed, match="sends 39"):
        await fetch(api, film, here, on_progress=block_page)
    assert (here / "film.mkv.part").read_bytes() == DATA[:PIECE]


async def test_without_sftp_a_failure_of_https_stays_one(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    server.failing.add(film.id)
    with pytest.raises(ClientError, match="The server failed"):
        await fetch(api, film, here, patience=0.5)
    server.failing.clear()
    server.redirect_to = "https://elsewhere.example/blocked"
    with pytest.raises(BadAnswer):
        await fetch(api, film, here, patience=0.5)


async def test_being_told_to_use_sftp_where_there_is_none_is_a_sentence(
    server: FakeServer, api: ApiClient, film: FakeTorrent, here: Path
) -> None:
    route = Route(api, await api.torrent(film.id), sftp_only=True)
    with pytest.raises(DownloadFailed, match=r"by HTTPS alone\. Leave out --sftp\."):
        await fetch(api, film, here, route=route)
