"""The client library against a server: sessions, errors, and answers of newer servers."""

import asyncio
import json
import socket
from pathlib import Path

import pytest

from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.errors import (
    BadAnswer,
    BadServerAddress,
    ClientError,
    NotFinished,
    NotLoggedIn,
    Refused,
    ServerAway,
)
from torrent_proxy_client.mirror import Mirror
from torrent_proxy_client.models import Changes
from torrent_proxy_client.session import FileSessionStore, MemorySessionStore, Session
from tui_client.tests.fake_server import FakeServer
from tui_client.tests.fake_wire import Problem
from tui_client.tests.waiting import eventually


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_logging_in_stores_the_session_for_its_owner_only(server: FakeServer, config: Path) -> None:
    async with ApiClient(server.url, store=FileSessionStore(config)) as api:
        me = await api.log_in("alice", "secret")
    stored = FileSessionStore(config).load()
    assert me.username == "alice"
    assert stored
    assert stored.logged_in
    assert _mode(config / "session.json") == 0o600
    assert _mode(config) == 0o700


async def test_a_wrong_password_is_refused_in_the_servers_words(server: FakeServer) -> None:
    async with ApiClient(server.url) as api:
        with pytest.raises(Refused, match="User name or password is wrong") as caught:
            await api.log_in("alice", "guess")
    assert caught.value.code == "no_active_account"


async def test_an_expired_access_token_is_renewed_and_the_rotated_one_stored(
    server: FakeServer, api: ApiClient, store: FileSessionStore
) -> None:
    before = store.load()
    server.expire_access()
    await api.me()
    after = store.load()
    assert before
    assert after
    assert after.refresh != before.refresh
    assert api.session == after


async def test_eight_parallel_expired_requests_renew_the_session_once(
    server: FakeServer, api: ApiClient
) -> None:
    server.expire_access()
    server.refresh_delay = 0.1
    await asyncio.gather(*(api.me() for _ in range(8)))
    assert (server.refreshes, server.rejected_refreshes) == (1, 0)


async def test_a_token_of_another_process_that_has_expired_too_is_renewed_as_well(
    server: FakeServer, config: Path, store: FileSessionStore
) -> None:
    async with (
        ApiClient(server.url, store=store) as first,
        ApiClient(server.url, store=FileSessionStore(config)) as second,
    ):
        server.expire_access()
        await first.me()
        server.expire_access()
        assert (await second.me()).username == "alice"
        assert server.refreshes == 2


async def test_two_processes_with_one_stored_session_do_not_burn_each_others_rotation(
    server: FakeServer, config: Path, store: FileSessionStore
) -> None:
    server.refresh_delay = 0.1
    async with (
        ApiClient(server.url, store=store) as first,
        ApiClient(server.url, store=FileSessionStore(config)) as second,
    ):
        server.expire_access()
        await asyncio.gather(first.me(), second.me())
        assert (server.refreshes, server.rejected_refreshes) == (1, 0)
        assert first.session == second.session


async def test_a_cancelled_request_does_not_cut_off_the_renewal_it_began(
    server: FakeServer, api: ApiClient, store: FileSessionStore
) -> None:
    server.expire_access()
    server.refresh_delay = 0.3
    request = asyncio.create_task(api.me())
    await eventually(lambda: any(path.endswith("refresh/") for _, path, _ in server.requests))
    request.cancel()
    await api.me()
    assert server.rejected_refreshes == 0
    assert store.load() == api.session


async def test_a_session_that_the_server_ended_is_forgotten_but_its_user_is_not(
    server: FakeServer, api: ApiClient, store: FileSessionStore
) -> None:
    server.end_sessions()
    with pytest.raises(NotLoggedIn, match="Log in again"):
        await api.me()
    assert store.load() == Session(server.url, "alice")


async def test_a_logout_in_another_process_ends_the_session_here(
    server: FakeServer, config: Path, api: ApiClient
) -> None:
    async with ApiClient(server.url, store=FileSessionStore(config)) as other:
        await other.log_out()
    server.expire_access()
    with pytest.raises(NotLoggedIn):
        await api.me()
    assert server.rejected_refreshes == 0


async def test_logging_out_works_while_the_server_is_away(
    server: FakeServer, api: ApiClient, store: FileSessionStore
) -> None:
    server.silent = True
    await api.log_out()
    stored = store.load()
    assert stored
    assert not stored.logged_in


async def test_a_stored_session_of_another_server_is_not_used(server: FakeServer) -> None:
    store = MemorySessionStore(Session("https://other.example", "alice", "access", "refresh"))
    async with ApiClient(server.url, store=store) as api:
        with pytest.raises(NotLoggedIn):
            await api.me()
    assert server.requests == []


def test_a_damaged_session_file_counts_as_not_logged_in(config: Path) -> None:
    config.mkdir()
    for content in (b"", b"{", b"[]", b'{"server": 1, "username": "alice"}', b'{"other": "x"}', b"\xff"):
        (config / "session.json").write_bytes(content)
        assert FileSessionStore(config).load() is None


def test_tokens_do_not_show_in_the_representation() -> None:
    assert "hidden" not in repr(Session("https://box.example", "alice", "hidden", "hidden"))


async def test_a_config_directory_that_cannot_be_written_is_a_sentence(
    server: FakeServer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    async with ApiClient(server.url, store=FileSessionStore(tmp_path / "file" / "config")) as api:
        with pytest.raises(ClientError, match="session cannot be stored"):
            await api.log_in("alice", "secret")


@pytest.mark.parametrize(
    "address",
    [
        "http://box.example.net",
        "http://127.0.0.1.example.net",
        "http://10.0.0.1:8000",
        "http://localhost@evil.example",
        "http://127.0.0.1\\@evil.example",
        "https://alice:secret@box.example.net",
        "ftp://box.example.net",
        "https://",
        "https://box.example.net:port",
        "https://box.example.net/?x=1",
        "https://box example.net",
        "https://box.example\u202e.net",
        "https://[::1",
        "",
    ],
)
def test_an_address_that_is_unsafe_or_malformed_is_refused(address: str) -> None:
    with pytest.raises(BadServerAddress):
        ApiClient(address)


def test_plain_http_to_another_machine_is_refused_with_the_way_out() -> None:
    with pytest.raises(BadServerAddress, match=r"Use https://box\.example\.net instead"):
        ApiClient("http://box.example.net")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("box.example.net", "https://box.example.net"),
        (" https://Box.Example.net/ ", "https://box.example.net"),
        ("https://box.example.net/api/v1/", "https://box.example.net"),
        ("https://box.example.net/torrents/", "https://box.example.net/torrents"),
        ("localhost:8000", "http://localhost:8000"),
        ("127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
async def test_an_address_is_understood_as_people_type_it(typed: str, meant: str) -> None:
    async with ApiClient(typed) as api:
        assert api.server == meant


async def test_nobody_listening_is_server_away_with_the_reason() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with ApiClient(f"http://127.0.0.1:{unused.getsockname()[1]}") as api:
            with pytest.raises(ServerAway, match="connection refused"):
                await api.health()


async def test_a_503_and_a_dropped_connection_are_server_away(server: FakeServer, api: ApiClient) -> None:
    server.away = True
    with pytest.raises(ServerAway, match="503"):
        await api.me()
    server.away, server.silent = False, True
    with pytest.raises(ServerAway, match="connection broke"):
        await api.me()


async def test_loopback_is_reached_without_the_proxy_of_the_environment(
    server: FakeServer, store: FileSessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with ApiClient(server.url, store=store) as api:
        assert (await api.me()).username == "alice"


async def test_a_proxy_that_cannot_be_used_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    with pytest.raises(BadServerAddress, match="SOCKS"):
        ApiClient("https://box.example.net")


async def test_a_redirect_is_not_followed_with_the_token(server: FakeServer, api: ApiClient) -> None:
    with FakeServer() as elsewhere:
        server.redirect_to = f"{elsewhere.url}/api/v1/me/"
        with pytest.raises(BadAnswer, match="Use the address it leads to"):
            await api.me()
        assert elsewhere.requests == []


async def test_a_refusal_carries_sentence_code_and_field(server: FakeServer, api: ApiClient) -> None:
    server.refuse_add = Problem(400, "invalid", "This magnet link\nhas no infohash.", "source")
    with pytest.raises(Refused, match="This magnet link has no infohash") as caught:
        await api.add_source("magnet:?dn=nothing")
    assert (caught.value.status, caught.value.code, caught.value.attr) == (400, "invalid", "source")


async def test_content_of_an_unfinished_torrent_is_not_finished(server: FakeServer, api: ApiClient) -> None:
    torrent = server.add_torrent("film", {"film.mkv": b"x"}, state="downloading")
    with pytest.raises(NotFinished):
        async with api.content(torrent.id, 0):
            pass


async def test_an_unknown_torrent_is_refused_as_not_found(api: ApiClient) -> None:
    with pytest.raises(Refused) as caught:
        await api.pause("no/such?torrent")
    assert caught.value.status == 404


async def test_a_degraded_server_is_an_answer_not_an_error(server: FakeServer) -> None:
    async with ApiClient(server.url) as api:
        health = await api.health()
    assert (health.status, health.engine_reachable, health.engine_message) == (
        "degraded",
        False,
        "qBittorrent is away.",
    )


async def test_fields_and_states_of_a_newer_server_are_no_problem(server: FakeServer, api: ApiClient) -> None:
    server.add_torrent("film", state="dreaming", origin="oracle")
    server.extra_fields = {"mood": {"good": True}}
    torrent = next(iter((await api.mirror()).torrents.values()))
    assert (torrent.state, torrent.origin) == ("dreaming", "oracle")


@pytest.mark.parametrize(
    "fields",
    [{"id": None}, {"id": 5}, {"size": "big"}, {"size": True}, {"added_at": "yesterday"}, {"progress": "x"}],
)
async def test_a_torrent_that_makes_no_sense_is_a_bad_answer(
    server: FakeServer, api: ApiClient, fields: dict[str, object]
) -> None:
    server.add_torrent("film")
    server.extra_fields = fields
    with pytest.raises(BadAnswer, match="update the client"):
        await api.changes(0)


async def test_all_pages_of_the_list_are_read_from_the_same_server(
    server: FakeServer, api: ApiClient
) -> None:
    names = [server.add_torrent(f"film {number}").fields["name"] for number in range(7)]
    server.page_size = 3
    assert [torrent.name async for torrent in api.torrents()] == list(reversed(names))


async def test_the_list_can_be_asked_for_some_states(server: FakeServer, api: ApiClient) -> None:
    server.add_torrent("done")
    server.add_torrent("paused", state="paused")
    server.add_torrent("broken", state="error")
    found = {torrent.name async for torrent in api.torrents(states=["paused", "error"])}
    assert found == {"paused", "broken"}


async def test_a_mirror_follows_additions_changes_and_removals(server: FakeServer, api: ApiClient) -> None:
    first, second = server.add_torrent("first"), server.add_torrent("second")
    mirror = await api.mirror()
    server.update(first.id, name="renamed")
    server.remove(second.id)
    third = server.add_torrent("third")
    async for changes in api.all_changes(mirror.change):
        mirror.apply(changes)
    assert {key: torrent.name for key, torrent in mirror.torrents.items()} == {
        first.id: "renamed",
        third.id: "third",
    }


async def test_changes_in_several_pages_all_arrive(server: FakeServer, api: ApiClient) -> None:
    for number in range(501):
        server.add_torrent(f"film {number}")
    assert len((await api.mirror()).torrents) == 501


def test_a_reset_throws_away_what_the_mirror_held() -> None:
    def changes(change: int, names: list[str], *, reset: bool) -> Changes:
        return Changes.from_json(
            json.loads(
                json.dumps({"change": change, "reset": reset, "torrents": [{"id": name} for name in names]})
            )
        )

    mirror = Mirror()
    mirror.apply(changes(9, ["a", "b"], reset=False))
    mirror.apply(changes(2, ["c"], reset=True))
    assert (set(mirror.torrents), mirror.change) == ({"c"}, 2)


async def test_a_metainfo_is_uploaded_whole_and_can_start_paused(server: FakeServer, api: ApiClient) -> None:
    torrent = await api.add_metainfo("a.torrent", b"d4:infod4:name1:aee", paused=True)
    assert b"d4:infod4:name1:aee" in server.added[0][1]
    assert torrent.state == "paused"
