"""Labels, what of the list is shown, and the person's own limits."""

import asyncio
from pathlib import Path

import pytest

from torrent_proxy_client.app.filtering import Filter
from torrent_proxy_client.app.screens.label import LabelScreen
from torrent_proxy_client.app.screens.main import MainScreen
from torrent_proxy_client.app.screens.only import OnlyScreen
from torrent_proxy_client.app.screens.torrent import TorrentScreen
from torrent_proxy_client.app.widgets.key_hints import LIST, KeyHints, lines_of
from torrent_proxy_client.app.widgets.torrent_table import TorrentTable, columns_for
from torrent_proxy_client.models import Torrent
from torrent_proxy_client.session import FileSessionStore
from tui_client.tests.fake_account import limits, usage
from tui_client.tests.fake_server import FakeServer
from tui_client.tests.fake_wire import Problem
from tui_client.tests.running_app import Person, running
from tui_client.tests.waiting import eventually


def shown(person: Person) -> list[str]:
    rows = person.app.screen_stack[1].query_one(TorrentTable)
    return [str(rows.get_row(row.key)[0]).strip(" ●").split("  ")[0] for row in rows.ordered_rows]


async def label_open(person: Person) -> None:
    await person.press("l")
    await eventually(lambda: isinstance(person.app.screen, LabelScreen))


# --- labels


async def test_a_label_is_given_and_shown_beside_the_name(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    film = server.add_torrent("a film with a name that is long [/b]")
    async with running(store, tmp_path) as person:
        await person.sees("a film")
        await label_open(person)
        await person.sees("Label of a film with a name that is long [/b]", "Empty takes the label away")
        await person.press(*"[tv]", "enter")
        await person.sees("Labelled a film with a name that is long [/b] #[tv]", "… #[tv] Finished")
        assert film.fields["label"] == "[tv]"
        await label_open(person)
        await person.press(*["backspace"] * 4, "enter")
        await person.sees("Label taken away")
    assert film.fields["label"] == ""


async def test_labels_in_use_are_suggested(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    for name, label in (("one", "linux"), ("two", "Anime"), ("three", "")):
        server.add_torrent(name, label=label)
    async with running(store, tmp_path) as person:
        await person.sees("three")
        await label_open(person)
        await person.sees("#Anime", "#linux", "↓ choose one you have")
        await person.press(*"ani")
        await person.no_longer_sees("│ #linux")
        await person.press("down", "enter")
        await person.sees("Labelled three #Anime")
    assert [torrent.fields["label"] for torrent in server.torrents.values()] == ["linux", "Anime", "Anime"]


async def test_all_that_are_marked_get_the_label(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    for number in range(3):
        server.add_torrent(f"film {number}")
    async with running(store, tmp_path) as person:
        await person.sees("film 2")
        await person.press("space", "space")
        await label_open(person)
        await person.sees("Label of 2 torrents")
        await person.press(*"tv", "enter")
        await person.sees("Labelled 2 torrents #tv")
    assert [torrent.fields["label"] for torrent in server.torrents.values()] == ["", "tv", "tv"]


async def test_a_label_that_is_refused_or_too_long_is_not_lost(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("film")
    async with running(store, tmp_path) as person:
        await person.sees("film")
        await label_open(person)
        await person.paste("x" * 65)
        await person.sees("✗ A label has 64 characters at most; this has 65.")
        await person.press("enter")
        assert server.changed == []
        server.refuse_change = Problem(400, "invalid", "Not this one.", "label")
        await person.press("backspace", "enter")
        await person.sees("✗ Not this one.", "x" * 40)
        server.refuse_change = None
        await person.press("enter")
        await person.sees("Labelled film")


async def test_a_label_on_an_older_server_is_refused_in_words(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.is_old = True
    server.add_torrent("film")
    async with running(store, tmp_path) as person:
        await person.sees("film")
        await label_open(person)
        await person.press(*"tv", "enter")
        await person.sees("✗ Your server is older than this app", "tv")


# --- what is shown


def torrent(name: str, state: str = "finished", label: str = "") -> Torrent:
    return Torrent.from_json({"id": name, "name": name, "state": state, "label": label})


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Filter(), True),
        (Filter("SEÑOR"), True),
        (Filter("senor finished"), True),
        (Filter("#linux"), True),
        (Filter("linux señor"), True),
        (Filter("windows"), False),
        (Filter(state="finished"), True),
        (Filter(state="paused"), False),
        (Filter(label="linux iso"), True),
        (Filter(label="linux"), False),
        (Filter(label=""), False),
        (Filter("windows", state="finished", label="linux iso"), False),
    ],
)
def test_a_filter_takes_words_a_state_and_a_label(wanted: Filter, fits: bool) -> None:
    assert wanted.fits(torrent("El señor", label="linux iso")) is fits


async def test_only_one_state_or_one_label_is_shown(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("one", label="[tv]")
    server.add_torrent("two", state="paused")
    server.add_torrent("three", state="dreaming", label="[tv]")
    async with running(store, tmp_path) as person:
        await person.sees("three")
        await person.press("o")
        await person.sees(
            "Show only", "All 3", "Paused 1", "Finished 1", "Dreaming 1", "#[tv] 2", "no label 1"
        )
        await person.press("down", "enter")
        await person.sees("Only Paused · Esc shows all", "Esc show all")
        assert shown(person) == ["two"]
        await person.press("o")
        await eventually(lambda: isinstance(person.app.screen, OnlyScreen))
        await person.press("down", "down", "down", "enter")
        await person.sees("Only #[tv]")
        assert sorted(name.split()[0] for name in shown(person)) == ["one", "three"]
        await person.press("escape")
        await eventually(lambda: len(shown(person)) == 3)
        await eventually(lambda: "Only" not in person.text)  # drawn a moment after the rows


async def test_words_narrow_what_is_shown_of_a_label(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    for name, label in (("ubuntu", "linux"), ("debian", "linux"), ("ubuntu film", "tv")):
        server.add_torrent(name, label=label)
    async with running(store, tmp_path) as person:
        await person.sees("debian")
        await person.press("o", "down", "down", "enter")
        await person.sees("Only #linux")
        await person.press("slash", *"ubu", "enter")
        await eventually(lambda: [name.split()[0] for name in shown(person)] == ["ubuntu"])
        await person.press("slash", *"zz")
        await person.sees("Nothing matches #linux, zz. Esc shows all.")


async def test_the_filter_is_remembered_and_says_that_it_hides_something(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("one", label="tv")
    server.add_torrent("two")
    state = tmp_path / "state"
    async with running(store, tmp_path, state=state) as person:
        await person.sees("one", "two")
        await person.press("o", "down", "down", "enter")
        await person.sees("Only #tv")
        await person.press("slash", *"on", "enter")
        await asyncio.sleep(0)
    async with running(store, tmp_path, state=state) as person:
        await person.sees("Only #tv", "on", "one", "Esc show all")
        assert len(shown(person)) == 1
        await person.press("escape")
        await person.sees("two")
    async with running(store, tmp_path, state=state) as person:
        await person.sees("one", "two")


async def test_who_adds_what_the_filter_hides_is_told(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("film", state="paused")
    async with running(store, tmp_path) as person:
        await person.sees("film")
        await person.press("o", "down", "enter")
        await person.sees("Only Paused")
        await person.press("a")
        await person.paste("magnet:?xt=urn:btih:" + "a" * 40)
        await person.press("enter")
        await person.sees("Added, but the filter hides it (Esc shows all): magnet:?xt")


async def test_sorting_by_label_puts_those_without_one_last(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    for name, label in (("one", "zoo"), ("two", ""), ("three", "Art")):
        server.add_torrent(name, label=label)
    async with running(store, tmp_path) as person:
        await person.sees("three")
        await person.press(*"ssssss")
        await person.sees("Sorted by label")
        assert [name.split()[0] for name in shown(person)] == ["three", "one", "two"]


async def test_a_click_on_a_column_sorts_by_it_and_another_turns_it_round(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    for name in ("b", "c", "a"):
        server.add_torrent(name)
    async with running(store, tmp_path) as person:
        await person.sees("Finished")
        await person.click(TorrentTable, x=3, y=0)
        await person.sees("Name▼")
        assert shown(person) == ["a", "b", "c"]
        await person.click(TorrentTable, x=3, y=0)
        await person.sees("Name▲")
        assert shown(person) == ["c", "b", "a"]


@pytest.mark.parametrize("width", [80, 120, 200])
def test_hints_are_never_broken_between_a_key_and_its_word(width: int) -> None:
    lines = lines_of(LIST, width)
    assert [hint for line in lines for hint in line] == list(LIST)
    assert all(sum(hint.width for hint in line) <= width for line in lines)


async def test_a_click_on_a_hint_does_what_it_says(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("film")
    async with running(store, tmp_path) as person:
        await person.sees("film", "Enter details")
        await person.click(KeyHints, x=3, y=0)
        await eventually(lambda: isinstance(person.app.screen, TorrentScreen))


async def test_a_second_click_on_a_torrent_opens_it(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.add_torrent("one")
    server.add_torrent("two")
    async with running(store, tmp_path) as person:
        await person.sees("one")
        await person.click(TorrentTable, x=5, y=2)
        assert isinstance(person.app.screen, MainScreen)
        await person.click(TorrentTable, x=5, y=2)
        await eventually(lambda: isinstance(person.app.screen, TorrentScreen))
        await person.sees("1 Overview")
        assert person.lines[0].split()[0] == "one"


def test_a_label_never_hides_the_name() -> None:
    assert columns_for(80)[0].width >= 24


# --- the person's own limits


async def test_my_limits_say_what_is_taken_and_what_waits(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.limits = limits(disk=(61 * 10**9, 10**11), active=(2, 3), traffic=(4 * 10**11, 10**12))
    server.add_torrent("film [/b]", state="waiting", waits_for="user_disk", message="It needs [45 GiB].")
    server.add_torrent("other", state="waiting", waits_for="a_blue_moon")
    async with running(store, tmp_path) as person:
        await person.sees("other")
        await person.press("m")
        await person.sees(
            "61.0 GB of 100 GB", "2 of 3 at the same time", "400 GB of 1.0 TB",
            "this month; starts again from nothing on 1 February", "2 torrents waiting for room", "film [/b]",
            "waits for space in your quota. It needs [45 GiB].", "waits for a blue moon", "Esc close",
        )  # fmt: skip
        server.limits = limits(disk=(0, 0))
        await person.press("r")
        await person.sees("0 B of 0 B")
        asked = [path for _, path, _ in server.requests if path.endswith("/me/usage/")]
        assert len(asked) == 2


async def test_my_limits_say_why_other_peers_get_less(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.limits = {**limits(), "seeding_notice": "The box sends slowly [to] other peers."}
    async with running(store, tmp_path) as person:
        await person.sees("Nothing here yet")
        await person.press("m")
        await person.sees("The box sends slowly [to] other peers.", "Nothing waits for room.")


async def test_my_limits_say_how_i_fetched_and_what_my_torrents_sent(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.limits = limits(traffic=(5 * 10**9, 10**12))
    server.usage = usage(fetched={"https": 3 * 10**9, "sftp": 2 * 10**9}, sent_to_peers=7 * 10**9)
    async with running(store, tmp_path) as person:
        await person.sees("Nothing here yet")
        await person.press("m")
        await person.sees(
            "3.0 GB by HTTPS, 2.0 GB by SFTP", "To peers", "7.0 GB", "sent by the torrents that you have here"
        )


async def test_a_server_that_has_only_limits_tells_those(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.limits, server.usage = limits(active=(2, 3)), None
    async with running(store, tmp_path) as person:
        await person.sees("Nothing here yet")
        await person.press("m")
        await person.sees("2 of 3", "at the same time")
        assert "To peers" not in person.text


async def test_an_older_server_has_no_limits_to_tell(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.is_old = True
    async with running(store, tmp_path) as person:
        await person.sees("Nothing here yet")
        await person.press("m")
        await person.sees("✗ Your server is older than this app", "Nothing waits for room.")
