"""The command line: what it prints, what it asks, and its exit codes."""

import io
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from torrent_proxy_client import cli
from torrent_proxy_client.session import FileSessionStore
from tui_client.tests.fake_account import limits, usage
from tui_client.tests.fake_server import FakeServer
from tui_client.tests.fake_wire import Problem

COMMANDS = (
    *("login", "logout", "sessions", "add", "ls", "get", "usage", "pause", "resume", "rm"),
    *("shows", "calendar", "review", "link"),
)


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "torrent_proxy_client", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([command, "--help"])
    assert caught.value.code == 0
    assert f"example:\n  torrent-proxy {command}" in capsys.readouterr().out


def test_help_names_every_command_and_exit_code() -> None:
    result = run("--help")
    assert result.returncode == 0
    assert all(f"  {command} " in result.stdout for command in COMMANDS)
    assert "3  server away" in result.stdout


def test_help_imports_neither_textual_nor_httpx2() -> None:
    code = (
        "import sys; from torrent_proxy_client.cli import build_parser; build_parser().format_help();"
        "print([name for name in ('textual', 'httpx2', 'asyncio', 'rich', 'platformdirs') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.strip() == "[]"


def test_commands_import_no_textual() -> None:
    code = "import sys, torrent_proxy_client.commands; print('textual' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.strip() == "False"


def test_a_mistyped_command_is_wrong_usage() -> None:
    assert run("lst").returncode == 2


def test_the_app_without_a_terminal_points_to_the_commands(config: Path) -> None:
    result = run()
    assert result.returncode == 2
    assert "--help" in result.stderr


def test_logging_in_with_a_password_from_stdin(server: FakeServer, config: Path) -> None:
    result = run("login", "--server", server.url, "--user", "alice", "--password-stdin", stdin="secret\n")
    assert (result.returncode, result.stdout) == (0, f"Logged in to {server.url} as alice.\n")
    assert run("ls").returncode == 0


def test_a_wrong_password_is_a_failure_in_words(server: FakeServer, config: Path) -> None:
    result = run("login", "--server", server.url, "--user", "alice", "--password-stdin", stdin="guess\n")
    assert (result.returncode, result.stderr) == (1, "torrent-proxy: User name or password is wrong.\n")


def test_a_password_is_never_asked_for_plain_http_to_elsewhere(config: Path) -> None:
    result = run("login", "--server", "http://box.example.net", "--user", "alice", "--password-stdin")
    assert result.returncode == 1
    assert "https://box.example.net" in result.stderr


def test_asking_without_a_terminal_is_wrong_usage_that_names_the_option(config: Path) -> None:
    result = run("login")
    assert result.returncode == 2
    assert "--server" in result.stderr


def test_without_a_session_the_exit_code_is_four_and_the_way_out_is_named(config: Path) -> None:
    result = run("ls")
    assert result.returncode == 4
    assert "torrent-proxy login" in result.stderr


def test_logging_out_ends_the_session(server: FakeServer, store: FileSessionStore) -> None:
    assert cli.main(["logout"]) == 0
    assert cli.main(["ls"]) == 4


def test_another_server_in_the_environment_is_not_sent_the_session(
    store: FileSessionStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORRENT_PROXY_SERVER", "https://other.example")
    assert cli.main(["ls"]) == 4
    assert "login --server https://other.example" in capsys.readouterr().err


def test_a_server_that_is_away_is_exit_code_three(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    server.silent = True
    assert cli.main(["ls"]) == 3
    assert "cannot be reached" in capsys.readouterr().err


def test_the_list_shows_state_progress_and_names_without_escape_sequences(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add_torrent(
        "\x1b]0;owned\x07\x1b[2Jfilm\u202e\r\n", state="stalled", progress=0.5, download_speed=1_500_000
    )
    assert cli.main(["ls"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\r" not in out
    assert "No sources" in out
    assert "50 %" in out
    assert "1.5 MB/s" in out
    assert out.rstrip().endswith("film")


def test_the_json_list_has_plain_numbers_and_times(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    torrent = server.add_torrent("film", {"film.mkv": b"12345"})
    assert cli.main(["ls", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["id"], listed["name"], listed["state"]) == (torrent.id, "film", "finished")
    assert (listed["size"], listed["progress"], listed["eta"]) == (5, 1.0, None)
    assert listed["added_at"] == "2026-01-01T00:00:00+00:00"


def test_the_list_can_be_narrowed_to_a_state(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    server.add_torrent("done")
    server.add_torrent("stopped", state="paused")
    assert cli.main(["ls", "--state", "paused", "--json"]) == 0
    assert [torrent["name"] for torrent in json.loads(capsys.readouterr().out)] == ["stopped"]


def test_an_empty_list_is_empty_output(store: FileSessionStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ls"]) == 0
    assert capsys.readouterr().out == ""


def test_adding_a_magnet_a_url_and_a_file(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    metainfo = tmp_path / "film.torrent"
    metainfo.write_bytes(b"d4:infod4:name4:filmee")
    magnet = "magnet:?xt=urn:btih:" + "a" * 40
    assert cli.main(["add", magnet, "https://example.org/a.torrent", str(metainfo)]) == 0
    assert [kind for kind, _ in server.added] == ["source", "source", "metainfo"]
    assert b"d4:infod4:name4:filmee" in server.added[2][1]


def test_one_source_that_is_refused_does_not_keep_the_others_out(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["add", "magnet:?dn=nothing", "/no/such.torrent", "https://example.org/a.torrent"]) == 1
    captured = capsys.readouterr()
    assert "This magnet link has no infohash." in captured.err
    assert "There is no file /no/such.torrent" in captured.err
    assert captured.out.startswith("Added ")


def test_adding_paused(server: FakeServer, store: FileSessionStore) -> None:
    assert cli.main(["add", "--paused", "magnet:?xt=urn:btih:" + "a" * 40]) == 0
    assert [torrent.fields["state"] for torrent in server.torrents.values()] == ["paused"]


def test_a_refusal_of_the_server_is_exit_code_one(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    server.refuse_add = Problem(400, "quota", "Your disk quota is used up. Delete a torrent first.", "source")
    assert cli.main(["add", "https://example.org/a.torrent"]) == 1
    assert "Delete a torrent first." in capsys.readouterr().err


def test_removing_without_a_terminal_needs_yes(server: FakeServer, store: FileSessionStore) -> None:
    server.add_torrent("film")
    result = run("rm", "film")
    assert result.returncode == 2
    assert "--yes" in result.stderr
    assert run("rm", "film", "--yes").returncode == 0
    assert server.torrents == {}


@pytest.mark.parametrize(("typed", "left"), [("\n", 1), ("n\n", 1), ("y\n", 0)])
def test_removing_asks_and_enter_means_no(
    server: FakeServer, store: FileSessionStore, monkeypatch: pytest.MonkeyPatch, typed: str, left: int
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    server.add_torrent("film")
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    cli.main(["rm", "film"])
    assert len(server.torrents) == left


def test_a_reader_that_stops_early_is_no_error(server: FakeServer, store: FileSessionStore) -> None:
    for number in range(2000):
        server.add_torrent(f"film {number}")
    result = subprocess.run(
        f"{sys.executable} -m torrent_proxy_client ls | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert result.stdout.startswith("ID")
    assert result.stderr == ""


# --- usage


def test_usage_tells_every_limit_and_what_waits(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    server.limits = limits(disk=(61 * 10**9, 10**11), active=(2, 3), traffic=(5 * 10**9, 10**12))
    server.usage = usage(
        fetched={"https": 3 * 10**9, "sftp": 2 * 10**9},
        sent_to_peers=7 * 10**9,
        waiting=[
            {"waits_for": "user_disk", "torrents": 2},
            {"waits_for": "a\x1b[2Jblue_moon", "torrents": 1},
        ],
        seeding_notice="The box sends slowly to other peers.",
    )
    assert cli.main(["usage"]) == 0
    *limits_told, waits, waits_too, notice = capsys.readouterr().out.splitlines()
    assert [" ".join(line.split()) for line in limits_told] == [
        "Disk ████████▌░░░░░ 61 % 61.0 GB of 100 GB",
        "all your torrents, finished or not",
        "Downloads █████████▎░░░░ 66 % 2 of 3",
        "at the same time",
        "Fetched ░░░░░░░░░░░░░░ 0 % 5.0 GB of 1.0 TB",
        "this month; starts again from nothing on 1 February",
        "3.0 GB by HTTPS, 2.0 GB by SFTP",
        "To peers 7.0 GB",
        "sent by the torrents that you have here",
    ]
    assert max(len(line) for line in limits_told) < 80
    assert (waits, waits_too) == (
        "2 torrents wait for space in your quota",
        "1 torrent waits for ablue moon",
    )
    assert notice == "The box sends slowly to other peers."


def test_usage_is_an_object_for_scripts(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    server.usage = usage(waiting=[{"waits_for": "user_disk", "torrents": 2}])
    assert cli.main(["usage", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["disk"] == {"used": 0, "limit": 10**11}
    assert told["traffic_resets_on"] == "2026-02-01"
    assert told["waiting"] == [{"waits_for": "user_disk", "torrents": 2}]


def test_a_server_that_tells_no_limits_is_told_in_words(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    server.is_old = True
    assert cli.main(["usage"]) == 1
    assert "too old to tell your limits" in capsys.readouterr().err


# --- sessions


def test_sessions_are_listed_and_ended(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    server.sessions = [
        {"id": "one", "name": "desk", "last_used_at": "2026-01-01T00:00:00Z", "current": True},
        {"id": "two", "name": "lost\x1b[2J phone", "last_used_at": None, "current": False},
        {"id": "three", "name": "", "last_used_at": None, "current": False},
    ]
    assert cli.main(["sessions"]) == 0
    out = capsys.readouterr().out
    assert "* one" in out
    assert "lost phone" in out
    assert "\x1b" not in out
    assert cli.main(["sessions", "--end", "two"]) == 0
    assert [session["id"] for session in server.sessions] == ["one", "three"]
    assert cli.main(["sessions", "--end-others"]) == 0
    assert [session["id"] for session in server.sessions] == ["one"]


def test_a_server_that_lists_no_sessions_is_told_in_words(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["sessions"]) == 1
    assert "too old to list sessions" in capsys.readouterr().err


def test_logging_in_tells_the_name_of_this_machine(server: FakeServer, config: Path) -> None:
    run("login", "--server", server.url, "--user", "alice", "--password-stdin", stdin="secret\n")
    assert server.logins[0]["device_name"] == socket.gethostname()[:100]


# --- files of the same name
