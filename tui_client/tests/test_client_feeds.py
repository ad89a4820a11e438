"""Feeds and rules as people read and type them, and as the library gives them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torrent_proxy_client import amounts, feed_words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.form import TextField
from torrent_proxy_client.app.rule_form import FIELDS
from torrent_proxy_client.errors import BadAnswer, Refused
from torrent_proxy_client.feeds import Grab, Item, Reason, Rule
from torrent_proxy_client.paging import cursor_of
from tui_client.tests.fake_server import FakeServer

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@given(st.integers(0, amounts.LARGEST))
def test_a_size_is_written_as_it_is_read(size: int) -> None:
    assert amounts.parse_size(amounts.size_text(size)) == size


@pytest.mark.parametrize(
    ("text", "size"),
    [("1.5 GiB", 3 * 2**29), ("700mb", 700_000_000), ("0,5 kB", 500), ("12 B", 12), ("  ", None)],
)
def test_sizes_are_read_as_people_write_them(text: str, size: int | None) -> None:
    assert amounts.parse_size(text) == size


@pytest.mark.parametrize("text", ["12", "a GB", "1 2 GB", "-1 GB", "9999999 TB", "1.2.3 GB"])
def test_what_is_no_size_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(amounts.BadAmount, match=r"\.$"):
        amounts.parse_size(text)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("season", "two"), ("season", "²"), ("max_per_day", "9" * 5000), ("first_episode", "x"), ("priority", "1.5"),
        ("priority", "9" * 5000), ("published_after", "tomorrow"), ("published_after", "2026-13-01"),
        ("delay_seconds", "soon"), ("max_age_seconds", "99 years"),
    ],
)  # fmt: skip
def test_what_a_field_of_a_rule_cannot_mean_is_refused_with_a_sentence(field: str, text: str) -> None:
    (found,) = [one for one in FIELDS if one.name == field]
    assert isinstance(found, TextField)
    with pytest.raises(amounts.BadAmount, match=r"Empty: .+\.$"):
        found.read(text)


def test_episodes_count_as_far_as_long_series_do() -> None:
    (field,) = [one for one in FIELDS if one.name == "first_episode"]
    assert isinstance(field, TextField)
    assert [field.read(text) for text in ("1122", "6.5", " ")] == [1122.0, 6.5, None]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (Reason("resolutions", "720p", "1080p"), "resolutions: got 720p, wanted 1080p"),
        (Reason("must_contain", "Title", "lighthouse"), "must contain: wanted lighthouse"),
        (Reason("had", "Other", "each torrent once"), "you have or had it: Other"),
        (Reason("better", "Title", "better than Other"), "better than Other"),
        (Reason("new_thing", "a", "b"), "new thing: got a, wanted b"),
        (Reason("had", "{got} \x1b[31m", ""), "you have or had it: {got} "),
    ],
)
def test_a_reason_is_told_in_words(reason: Reason, told: str) -> None:
    assert feed_words.reason(reason, "Title") == told


@pytest.mark.parametrize(("after", "told"), [(-90, "1m 30s ago"), (90, "in 1m 30s"), (0, "now")])
def test_moments_are_told_from_now(after: int, told: str) -> None:
    assert feed_words.ago(NOW + timedelta(seconds=after), NOW) == told


def test_what_is_overdue_is_told_as_due_now() -> None:
    assert feed_words.due(NOW - timedelta(seconds=90), NOW) == "now"
    assert feed_words.due(NOW + timedelta(seconds=90), NOW) == "in 1m 30s"
    assert feed_words.due(None) == "–"


def test_a_wish_that_is_tried_again_says_why_and_when() -> None:
    grab = {"state": "due", "message": "It does not answer.", "due_at": "2126-01-01T00:00:00Z"}
    item = Item.from_json({"feed": "f", "number": 1, "grab": grab})
    assert feed_words.item_state(item, {}) == "… is tried again"
    (told,) = feed_words.told_item(item, {})
    assert told.startswith("Not added yet: It does not answer. It is tried again in ")


def test_words_of_newer_servers_are_shown_as_they_come() -> None:
    assert feed_words.grab(Grab("frozen", "", None, None)) == "frozen"
    assert feed_words.outcome("half_taken") == "half taken"


@pytest.mark.parametrize(
    "answer", [{}, {"name": 1}, {"feeds": "all"}, {"resolutions": "1080p"}, {"published_after": "soon"}]
)
def test_a_rule_of_the_wrong_kind_is_a_bad_answer(answer: dict[str, Any]) -> None:
    if answer:
        with pytest.raises(BadAnswer):
            Rule.from_json(answer)
    else:
        assert Rule.from_json(answer) == Rule.blank()


def test_a_page_without_a_usable_next_one_is_a_bad_answer() -> None:
    assert cursor_of(None) == ""
    assert cursor_of("https://elsewhere.example/?cursor=abc") == "abc"
    with pytest.raises(BadAnswer):
        cursor_of("https://elsewhere.example/?page=2")


async def test_the_token_stays_with_the_server_whatever_its_pages_name(
    server: FakeServer, api: ApiClient
) -> None:
    feed = server.feeds.add_feed("Shows")
    for number in range(60):
        server.feeds.add_item(feed, f"Item {number}")
    first = await api.feeds.items(feed)
    second = await api.feeds.items(feed, cursor=first.cursor)
    assert [len(page.items) for page in (first, second)] == [50, 10]
    assert second.cursor == ""


async def test_a_server_without_feeds_refuses_with_404(server: FakeServer, api: ApiClient) -> None:
    server.is_old = True
    with pytest.raises(Refused) as caught:
        await api.feeds.all()
    assert caught.value.status == 404
