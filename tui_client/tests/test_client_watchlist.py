"""Followed shows as people read and type them, and as the library gives them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from torrent_proxy_client import amounts, watchlist_words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.form import TextField
from torrent_proxy_client.app.wish_form import SHOW, wish_groups
from torrent_proxy_client.errors import BadAnswer, Refused
from torrent_proxy_client.watchlist import Candidate, Entry, Episode, Show, Summary, Wishes
from torrent_proxy_client.watchlist_accounts import Account, Provider
from tui_client.tests.fake_server import FakeServer

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC).astimezone()


def show(**fields: Any) -> Show:
    return Show.from_json({"id": 1, **fields})


def candidate(*numbers: float, special: str = "") -> Candidate:
    return Candidate.from_json({"id": 1, "numbers": list(numbers), "special": special})


@pytest.mark.parametrize(
    ("starts_on", "told"),
    [
        ("2026-01-04", "Winter 2026"),
        ("2026-03-31", "Winter 2026"),
        ("2026-10-01", "Autumn 2026"),
        (None, "2026"),
    ],
)
def test_the_season_of_a_show_is_the_quarter_in_which_it_starts(starts_on: str | None, told: str) -> None:
    assert watchlist_words.season(show(year=2026, starts_on=starts_on)) == told


@pytest.mark.parametrize(
    ("fields", "title", "others"),
    [
        (
            {"title": "A", "english": "A", "romaji": "B", "native": "C", "synonyms": ["B", "D"]},
            "A",
            ["B", "C", "D"],
        ),
        ({"title": "\x1b[31m", "romaji": "B [/b]\u202e"}, "B [/b]", []),
        ({}, "show 1", []),
    ],
)
def test_a_show_has_one_title_and_other_names(fields: dict[str, Any], title: str, others: list[str]) -> None:
    assert watchlist_words.title(show(**fields)) == title
    assert watchlist_words.other_titles(show(**fields)) == others


@pytest.mark.parametrize(
    ("after", "told"),
    [(0, "12:00"), (24, "Tue 12:00"), (6 * 24, "Sun 12:00"), (7 * 24, "30 Nov"), (-24, "22 Nov")],
)
def test_what_airs_soon_is_told_by_its_weekday(after: int, told: str) -> None:
    noon = NOW.replace(hour=12)
    assert watchlist_words.soon(noon + timedelta(hours=after), noon) == told


@pytest.mark.parametrize(
    ("days", "told"),
    [(-1, "yesterday"), (0, "today"), (1, "tomorrow"), (2, "Wed 25 Nov"), (-2, "Sat 21 Nov")],
)
def test_days_near_today_have_names(days: int, told: str) -> None:
    noon = NOW.replace(hour=12)
    assert watchlist_words.day(noon + timedelta(days=days), noon) == told


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (candidate(3), "3"), (candidate(12.5), "12.5"), (candidate(1, 2, 3), "1–3"), (candidate(1, 3), "1, 3"),
        (candidate(1, special="OVA"), "OVA 1"), (candidate(), "–"),
    ],
)  # fmt: skip
def test_a_release_tells_which_episodes_it_holds(one: Candidate, told: str) -> None:
    assert watchlist_words.episodes(one.numbers, one.special) == told


def test_a_special_is_not_held_by_the_release_of_an_episode_of_its_number() -> None:
    special = Episode.from_json({"number": 1, "special": "OVA"})
    assert not candidate(1).holds(special)
    assert candidate(1, special="OVA").holds(special)


def test_a_summary_without_known_airing_times_says_what_is_there() -> None:
    summary = Summary.from_json({"have": 2, "next_episode": 12.5})
    assert watchlist_words.told_summary(summary) == "2 there. Episode 12.5 is next."
    assert watchlist_words.have(summary) == "2/?"


def test_words_of_newer_servers_are_shown_as_they_come() -> None:
    assert watchlist_words.episode_state("half_there\x1b[0m") == "half there"
    assert watchlist_words.told_episode(Episode.from_json({"state": "half_there"}), {}) == ["Half there."]
    assert watchlist_words.format_of(show(format="TV_LONG")) == "tv long"
    account = Account.from_json({"provider": "p", "statuses": ["NEXT_YEAR"]})
    assert "Followed of the list: next year." in watchlist_words.told_account(account)


def test_a_provider_in_trouble_says_how_old_what_is_shown_is() -> None:
    well = Provider.from_json({"name": "a", "data_at": "2026-01-02T00:00:00Z"})
    away = Provider.from_json({"name": "b", "title": "B", "blocked_until": "2126-01-01T00:00:00Z"})
    assert watchlist_words.trouble([well]) == ""
    assert watchlist_words.trouble([well, away]).startswith("B is not asked for a while. Asked again in ")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("delay_seconds", "soon"), ("stalled_hours", "90 min"), ("stalled_hours", "x"), ("from_episode", "one"),
        ("offset", "1.5"), ("offset", "9" * 5000),
    ],
)  # fmt: skip
def test_what_a_wish_cannot_mean_is_refused_with_a_sentence(field: str, text: str) -> None:
    fields = [one for _, group in (*wish_groups({}, "elsewhere"), *SHOW) for one in group]
    (found,) = [one for one in fields if one.name == field]
    assert isinstance(found, TextField)
    with pytest.raises(amounts.BadAmount, match=r"Empty: .+\.$"):
        found.read(text)


@pytest.mark.parametrize("wish", [*Wishes.__dataclass_fields__])
def test_every_wish_is_read_as_it_is_written_and_nothing_is_not_the_same_as_elsewhere(wish: str) -> None:
    fields = [one for _, group in wish_groups({}, "elsewhere") for one in group if one.name == wish]
    (found,) = fields  # every wish has a field
    if isinstance(found, TextField):
        empty: object = 0 if wish in ("delay_seconds", "stalled_hours") else ""
        of_lists = wish in ("groups", "refused_groups", "resolutions", "languages")
        written = found.write(() if of_lists else empty)
        assert found.read(written) == ([] if of_lists else empty)
        assert found.read(found.write(None)) is None


@pytest.mark.parametrize(
    "broken",
    [{"show": None}, {"show": {"id": "1"}}, {"wishes": {"groups": "Lumen"}}, {"aliases": [{}]}, {"id": 1}],
)
def test_an_entry_of_the_wrong_kind_is_a_bad_answer(server: FakeServer, broken: dict[str, Any]) -> None:
    entry = server.watchlist.entries[server.watchlist.add_entry("Lighthouse")]
    assert Entry.from_json(entry).show.starts_on == date(2026, 10, 4)
    with pytest.raises(BadAnswer):
        Entry.from_json({**entry, **broken})


def test_a_show_with_a_day_that_is_none_is_a_bad_answer() -> None:
    with pytest.raises(BadAnswer):
        show(starts_on="2026-13-01")


async def test_a_server_without_shows_refuses_with_404(server: FakeServer, api: ApiClient) -> None:
    server.is_old = True
    with pytest.raises(Refused) as caught:
        await api.watchlist.all()
    assert caught.value.status == 404
