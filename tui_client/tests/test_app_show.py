"""A followed show in the app: its episodes, its releases, the wishes for it, its names."""

from pathlib import Path

import pytest
from textual.widgets import Input, TextArea

from torrent_proxy_client.app.screens import table
from torrent_proxy_client.app.screens.releases import ReleasesScreen
from torrent_proxy_client.app.screens.show import ShowScreen
from torrent_proxy_client.app.screens.show_names import AddNameScreen, ShowNamesScreen
from torrent_proxy_client.app.screens.shows import ShowsScreen
from torrent_proxy_client.app.screens.titles import TitlesScreen
from torrent_proxy_client.app.screens.tried_titles import TriedTitlesScreen
from torrent_proxy_client.app.screens.watch_decisions import WatchDecisionsScreen
from torrent_proxy_client.app.screens.wish_editor import EntryEditor, PreferencesEditor
from torrent_proxy_client.session import FileSessionStore
from tui_client.tests.fake_server import FakeServer
from tui_client.tests.fake_wire import Problem
from tui_client.tests.running_app import Person, running
from tui_client.tests.waiting import eventually
from tui_client.tests.watching import open_show, open_shows, reach, rows_are_there


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "LOOK_EVERY", 0.05)


async def go_to(person: Person, field: str) -> None:
    person.app.screen.query_one(f"#{field}").focus()
    await eventually(lambda: person.app.focused is person.app.screen.query_one(f"#{field}"))


async def test_each_episode_says_how_it_is_in_words(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    watchlist, torrent = server.watchlist, server.add_torrent("torrent")
    entry = watchlist.add_entry("Lighthouse [/b]", summary={"aired": 5, "have": 1})
    release = {"title": "[Lumen [/b]] Lighthouse - 01", "group": "Lumen [/b]", "version": 2}
    watchlist.add_episode(entry, 1, "have", claim_id=torrent.id, **release)
    watchlist.add_episode(entry, 2, "downloading", group="Lumen")
    watchlist.add_episode(entry, 3, "found", message="Waits until 18:00 for Lumen.")
    watchlist.add_episode(entry, 4, "missing", missing_since="2026-01-03T10:00:00Z")
    watchlist.add_episode(entry, 5, "aired", airs_at="2026-01-04T10:00:00Z")
    watchlist.add_episode(entry, 6, "not_aired", airs_at="2026-01-11T10:00:00Z")
    watchlist.add_episode(entry, 1, "unwanted", special="OVA")
    async with running(store, tmp_path, size=(120, 40)) as person:
        await open_show(person)
        await person.sees(
            "1 ✓ there Lumen [/b] v2 [Lumen [/b]] Lighthouse - 01",
            "2 ↓ downloading Lumen",
            "3 … found",
            "4 ✗ missing since 03 Jan",
            "5 ○ aired 04 Jan",
            "6 · not aired 11 Jan",
            "OVA 1 – not wanted",
        )
        await person.sees(
            "It is there.",
            "Torrent: Finished, 100 %; f in the list of torrents",
            "All in all: 1 of 5 aired there.",
        )
        await rows_are_there(person)
        await person.press("down", "down")
        await person.sees("Waits until 18:00 for Lumen.")
        await person.press("down")
        await person.sees("No release that you want has come. Missing since 03 Jan")


async def test_another_release_of_an_episode_is_taken_after_asking(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    entry = server.watchlist.add_entry("Lighthouse")
    server.watchlist.add_episode(entry, 4, "have")
    server.watchlist.add_candidate(entry, "[Lumen] Lighthouse - 04", 4, group="Lumen", state="have")
    server.watchlist.add_candidate(entry, "[Aurora] Lighthouse 01-04 [/b]", 1, 2, 3, 4, group="Aurora")
    server.watchlist.add_candidate(entry, "[Lumen] Lighthouse - 05", 5, group="Lumen")
    async with running(store, tmp_path) as person:
        await open_show(person)
        await rows_are_there(person)
        await reach(person, ReleasesScreen, "enter")
        await person.sees(
            "Releases of Lighthouse 4", "2 releases", "4 ✓ there Lumen", "1–4 may be taken Aurora"
        )
        await rows_are_there(person)
        await person.press("t")
        await person.sees("This one was chosen already")
        await person.press("down", "t")
        await person.sees(
            "Take this release instead?", "[Aurora] Lighthouse 01-04 [/b]", "stays until this one"
        )
        await reach(person, ReleasesScreen, "enter")  # by reflex
        await person.press("t")
        await person.sees("Take this release instead?")
        await person.press("y")
        await person.sees("↓ taken Aurora")
    assert server.watchlist.wishes == [{"take": 2}]


async def test_a_show_without_releases_says_where_the_reasons_stand(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    entry = server.watchlist.add_entry("Lighthouse")
    why = {"what": "resolutions", "got": "720p", "wanted": "1080p"}
    server.watchlist.add_decision("Harbour [/b] 1", "taken", show_title="Harbour")
    server.watchlist.add_decision("Light 1", "nearly", entry_id=entry, show_title="Lighthouse", reasons=[why])
    async with running(store, tmp_path) as person:
        await open_show(person)
        await person.sees("No episodes are known yet.")
        await reach(person, ReleasesScreen, "c")
        await person.sees("No release that you want has come yet.")
        await reach(person, ShowScreen, "escape")
        await reach(person, WatchDecisionsScreen, "h")
        await person.sees(
            "History of Lighthouse", "Lighthouse: not wanted (resolutions: got 720p, wanted 1080p)"
        )
        assert "Harbour" not in person.text
        await reach(person, ShowScreen, "escape")
        await reach(person, ShowsScreen, "escape")
        await reach(person, WatchDecisionsScreen, "h")
        await person.sees("History of your shows", "Harbour wanted Harbour [/b] 1")


async def test_pasted_titles_are_told_of_which_show_they_would_be(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.add_entry("Light [/b]")
    for title in ("Harbour", "Night", "Night 2"):
        server.watchlist.add_show(title)
    async with running(store, tmp_path, size=(120, 40)) as person:
        await open_shows(person)
        await reach(person, WatchDecisionsScreen, "h")
        await reach(person, TitlesScreen, "ctrl+t")
        await person.sees("Nothing is taken.")
        titles = ("Light [/b] - 03", "Light [/b] - 03 720p", "Harbour 3", "Night 2 - 03", "News")
        person.app.screen.query_one(TextArea).text = "\n".join(titles)
        await reach(person, TriedTitlesScreen, "ctrl+s")
        await person.sees(
            "1 of 5 wanted",
            "Light [/b] - 03 Light [/b] 3 ✓ wanted",
            "Light [/b] - 03 720p Light [/b] 3 – not wanted",
            "Harbour 3 Harbour 3 – not followed",
            "Night 2 - 03 ? ? unsure",
            "News ? – of no show",
        )
        await rows_are_there(person)
        await person.press("down")
        await person.sees("Light [/b], episode 3. resolutions: got 720p, wanted 1080p")
        await person.press("down", "down")
        await person.sees("It may be of Night, Night 2.")
        await person.press("down")
        await person.sees("No show that is known here is called like that.")


async def test_wishes_show_what_they_inherit_and_send_only_what_was_changed(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.preferences.update(groups=["Lumen [/b]", "Aurora"], specials=True)
    entry = server.watchlist.add_entry("Lighthouse")
    server.watchlist.entries[entry]["wishes"].update(resolutions=["720p"], label="shows")
    async with running(store, tmp_path, size=(80, 40)) as person:
        await open_show(person)
        await reach(person, EntryEditor, "e")
        await person.sees(
            "Groups as in your preferences: Lumen [/b], Aurora",
            "Resolutions 720p",
            "Batches ‹ as in your preferences: single episodes only ›",
            "Specials too ‹ as in your preferences: yes ›",
            "Wait for better as in your preferences: no",
            "Give up stalled as in your preferences: 2 d",
            "From episode 1",
        )
        typed = {
            "groups": "none", "resolutions": "", "languages": "en, de", "delay_seconds": "6 h",
            "stalled_hours": "never", "from_episode": "3", "offset": "-12",
        }  # fmt: skip
        for field, text in typed.items():
            person.app.screen.query_one(f"#{field}", Input).value = text
        for field, keys in (
            ("specials", ("right", "right")),
            ("batches", ("right",)),
            ("end_with_show", ("space",)),
        ):
            await go_to(person, field)
            await person.press(*keys)
        await person.press("ctrl+s")
        await person.sees("Saved; it holds for what is taken from now on")
    assert server.watchlist.wishes == [
        {
            "wishes": {
                "groups": [], "resolutions": None, "languages": ["en", "de"], "delay_seconds": 21_600,
                "stalled_hours": 0, "specials": False, "batches": "any",
            },
            "from_episode": 3, "offset": -12, "end_with_show": False,
        }
    ]  # fmt: skip


async def test_a_refused_wish_stands_at_its_field_and_loses_nothing_typed(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.add_entry("Lighthouse")
    server.watchlist.refuse = Problem(
        400, "invalid", "A resolution looks like 1080p.", "wishes.resolutions.0"
    )
    async with running(store, tmp_path, size=(80, 40)) as person:
        await open_show(person)
        await reach(person, EntryEditor, "e")
        await go_to(person, "groups")
        await person.press(*"Lumen")
        person.app.screen.query_one("#stalled_hours", Input).value = "90 min"
        await person.press("ctrl+s")
        await person.sees("✗ Write whole hours such as 36 h")
        assert server.watchlist.wishes == []
        person.app.screen.query_one("#stalled_hours", Input).value = ""
        person.app.screen.query_one("#resolutions", Input).value = "big"
        await person.press("ctrl+s")
        await person.sees("✗ A resolution looks like 1080p.", "✗ Not saved")
        await eventually(lambda: person.app.focused is person.app.screen.query_one("#resolutions"))
        await person.press("escape")
        await person.sees("Leave without saving your wishes?")
        await person.press("n")
        await eventually(lambda: isinstance(person.app.screen, EntryEditor))
        assert person.app.screen.query_one("#groups", Input).value == "Lumen"


async def test_wishes_that_were_not_touched_are_left_without_asking(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    entry = server.watchlist.add_entry("Lighthouse")
    server.watchlist.entries[entry]["wishes"].update(
        groups=[],
        must_not_contain="",
        label="",
        delay_seconds=0,
        stalled_hours=0,
        only_groups=True,
        batches="newer",
    )
    async with running(store, tmp_path) as person:
        await open_show(person)
        await reach(person, EntryEditor, "e")
        await person.sees("Groups none preferred", "‹ newer ›")
        await reach(person, ShowScreen, "escape")
        await reach(person, EntryEditor, "e")
        await reach(person, ShowScreen, "ctrl+s")
    assert server.watchlist.wishes == []


async def test_preferences_hold_for_every_show(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    async with running(store, tmp_path, size=(80, 40)) as person:
        await open_shows(person)
        await reach(person, PreferencesEditor, "e")
        await person.sees("Resolutions as the server does: 1080p")
        await go_to(person, "groups")
        await person.press(*"Lumen", "ctrl+s")
        await person.sees("Preferences saved")
        await reach(person, PreferencesEditor, "e")
        await person.sees("Groups Lumen", "Resolutions as the server does: 1080p")
    assert server.watchlist.wishes == [{"groups": ["Lumen"]}]


async def test_names_of_a_show_are_added_and_taken_away(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.follow(server.watchlist.add_show("Lighthouse", romaji="Toudai [/b]"))
    async with running(store, tmp_path) as person:
        await open_show(person)
        await reach(person, ShowNamesScreen, "n")
        await person.sees("Lighthouse anilist", "Toudai [/b] anilist")
        await rows_are_there(person)
        await person.press("d")
        await person.sees("Only names of your own can be taken away")
        await reach(person, AddNameScreen, "a")
        await person.press("enter")
        await person.sees("✗ Write the name first.")
        await person.press(*"Light[/b]", "down", "x", "enter")
        await person.sees("✗ With season: x is not a whole number.")
        await person.press("backspace", "2", "enter")
        await person.sees("Light[/b] 2 you", "Light[/b] means this show from now on")
        await person.press("up", "up")
        await person.sees("means this show, where a release states season 2. Only for you.")
        await person.press("d")
        await person.no_longer_sees("Light[/b] 2 you")
    assert server.watchlist.wishes == [{"name": "Light[/b]", "season": 2}]


async def test_a_show_that_is_followed_no_more_says_so(
    server: FakeServer, store: FileSessionStore, tmp_path: Path
) -> None:
    server.watchlist.add_entry("Lighthouse")
    async with running(store, tmp_path) as person:
        await open_show(person)
        await person.sees("No episodes are known yet.")
        server.watchlist.entries.clear()
        await person.press("p")
        await person.sees("You follow this show no more.")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_key_of_a_show_is_in_sight(
    server: FakeServer, store: FileSessionStore, tmp_path: Path, size: tuple[int, int]
) -> None:
    server.watchlist.add_episode(server.watchlist.add_entry("Lighthouse"), 1, "aired")
    async with running(store, tmp_path, size=size) as person:
        await open_show(person)
        await person.sees("e wishes n names c releases p pause h history ? help esc back")
        await person.sees("Enter its releases: take another one")
