"""Commands about followed shows."""

import io
import json
import sys

import pytest

from torrent_proxy_client import cli
from torrent_proxy_client.session import FileSessionStore
from tui_client.tests.fake_server import FakeServer
from tui_client.tests.fake_wire import Problem

HOSTILE = "Harbour [/b] \x1b[31mNights\r"


def test_shows_are_listed_without_escape_sequences(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = {"aired": 7, "have": 5, "missing": 1, "next_episode": 8, "next_airs_at": "2026-01-10T10:00:00Z"}
    server.watchlist.add_entry(HOSTILE, summary=summary)
    server.watchlist.add_entry("Gone", state="removed")
    assert cli.main(["shows"]) == 0
    titles, line = capsys.readouterr().out.splitlines()
    assert titles.split() == ["ID", "STATE", "THERE", "MISSING", "NEXT", "SHOW"]
    assert line.split() == ["id:1", "followed", "5/7", "1", "8,", "10", "Jan", "Harbour", "[/b]", "Nights"]


def test_shows_as_json_have_times_in_iso_8601(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    entry_id = server.watchlist.add_entry(HOSTILE)
    assert cli.main(["shows", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["id"], listed["show"]["title"], listed["show"]["starts_on"]) == (
        entry_id,
        HOSTILE,
        "2026-10-04",
    )
    assert listed["added_at"] == "2026-01-01T12:00:00+00:00"


@pytest.mark.parametrize(("wanted", "show_id"), [("harb", 3), ("lighthouse", 1), ("id:2", 2), ("86", 4)])
def test_a_show_is_followed_by_its_name_or_its_id(
    server: FakeServer, store: FileSessionStore, wanted: str, show_id: int
) -> None:
    for title in ("Lighthouse", "Lighthouse 2", "Harbour", "86"):
        server.watchlist.add_show(title)
    assert cli.main(["shows", "add", wanted]) == 0
    assert server.watchlist.wishes == [{"show_id": show_id}]


def test_a_name_of_several_shows_follows_none_and_lists_them(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    server.watchlist.add_show("Lighthouse")
    server.watchlist.add_show("Lighthouse 2", format="MOVIE", year=2027, starts_on=None)
    server.watchlist.search_message = "AniList does not answer."
    assert cli.main(["shows", "add", "light"]) == 1
    told = capsys.readouterr().err
    assert "id:2  Lighthouse 2  film, 12 episodes, 2027, airing" in told
    assert "AniList does not answer." in told
    assert "Give one of the ids above." in told
    assert server.watchlist.wishes == []


def test_a_name_of_no_show_is_a_failure_in_words(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["shows", "add", "nothing"]) == 1
    assert capsys.readouterr().err == (
        "torrent-proxy: No show is found by nothing. Try another of its names, or a part of one.\n"
    )


def test_a_show_is_removed_by_a_part_of_its_name(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    for title in ("Lighthouse", "Lighthouse 2", "Harbour"):
        server.watchlist.add_entry(title)
    assert cli.main(["shows", "remove", "ligh"]) == 1
    assert "fits 2 shows" in capsys.readouterr().err
    assert cli.main(["shows", "remove", "harb"]) == 0
    assert cli.main(["shows", "remove", "lighthouse"]) == 0
    assert cli.main(["shows", "remove", "id:2"]) == 0
    assert cli.main(["shows", "remove", "id:2"]) == 1
    assert server.watchlist.entries == {}


def test_the_calendar_and_the_review_are_printed(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    airing = {
        "airs_at": "2026-01-10T10:00:00Z",
        "number": 3,
        "entry_id": "x",
        "title": HOSTILE,
        "state": "missing",
    }
    server.watchlist.airings.append(airing)
    server.watchlist.add_question(HOSTILE, server.watchlist.add_show("Lighthouse"))
    assert cli.main(["calendar", "--days", "14"]) == 0
    assert "missing  3        Harbour [/b] Nights" in capsys.readouterr().out
    assert cli.main(["review"]) == 0
    assert "Harbour [/b] Nights  Lighthouse" in capsys.readouterr().out
    assert cli.main(["calendar", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["number"] == 3.0
    assert cli.main(["review", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["shows"][0]["title"] == "Lighthouse"


def test_shows_of_one_title_are_told_apart_in_the_review(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    series = server.watchlist.add_show("Lighthouse")
    film = server.watchlist.add_show("Lighthouse", format="MOVIE")
    server.watchlist.add_question("Lighthouse - 01", series, film)
    assert cli.main(["review"]) == 0
    told = capsys.readouterr().out
    assert "Lighthouse (TV, " in told
    assert "Lighthouse (film, " in told


@pytest.mark.parametrize("days", ["0", "31", "x", "-1"])
def test_a_calendar_of_no_or_too_many_days_is_wrong_usage(days: str) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["calendar", f"--days={days}"])
    assert caught.value.code == 2


def test_an_account_is_linked_by_name_or_by_a_code_from_standard_input(
    server: FakeServer,
    store: FileSessionStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["link"]) == 0
    assert "No account is linked." in capsys.readouterr().out
    assert cli.main(["link", "anilist"]) == 2
    assert cli.main(["link", "anilist", "bob"]) == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("secret\n"))
    assert cli.main(["link", "anilist", "--code"]) == 0
    assert server.watchlist.wishes == [
        {"provider": "anilist", "name": "bob"},
        {"provider": "anilist", "token": "secret"},
    ]
    capsys.readouterr()
    assert cli.main(["link"]) == 0
    told = capsys.readouterr().out
    assert "Linked as alice, by code" in told
    assert "unofficial client of AniList" in told


def test_a_link_that_could_not_be_looked_at_says_so(
    server: FakeServer,
    store: FileSessionStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.watchlist.providers[0]["message"] = "AniList does not answer."
    monkeypatch.setattr(sys, "stdin", io.StringIO("secret\n"))
    assert cli.main(["link", "anilist", "--code"]) == 0
    assert capsys.readouterr() == ("Linked.\n", "AniList does not answer.\n")


def test_a_refused_link_is_exit_code_one(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    server.watchlist.refuse = Problem(400, "not_found", "Nobody there is called that.", "name")
    assert cli.main(["link", "anilist", "bob"]) == 1
    assert "Nobody there is called that." in capsys.readouterr().err


@pytest.mark.parametrize("command", [["shows"], ["calendar"], ["review"], ["link"], ["shows", "add", "x"]])
def test_a_server_that_follows_no_shows_is_told_in_words(
    server: FakeServer, store: FileSessionStore, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    server.is_old = True
    assert cli.main(command) == 1
    assert "too old to follow shows" in capsys.readouterr().err
