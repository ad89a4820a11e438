"""The admin's pages about the watchlist, used as a browser does."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Role, User
from watchlist.models import Entry, Link, Provider, RelationRules
from watchlist.tests.factories import EntryFactory, EpisodeFactory, LinkFactory, ShowFactory, candidate

ADMIN = "/admin/watchlist/"


@pytest.fixture
def browser(client: Client, db: None) -> Client:
    client.force_login(User.objects.create(username="the.admin", password="!", role=Role.ADMIN))
    return client


def page(browser: Client, path: str, **query: str) -> str:
    answer = browser.get(f"{ADMIN}{path}", query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Was not asked yet."),
        ({"asked_at": [timezone.now()]}, "Works."),
        ({"failing_since": timezone.now()}, "the next request tries it"),
        ({"blocked_until": timezone.now() + timedelta(hours=1)}, "Left alone until"),
    ],
    ids=["new", "working", "failing", "blocked"],
)
def test_a_provider_says_in_words_how_it_is(browser: Client, fields: dict[str, object], words: str) -> None:
    Provider.objects.create(name="anilist", **fields)
    assert words in page(browser, "provider/")
    assert words in page(browser, "provider/anilist/change/")


def test_a_provider_tells_how_much_of_its_budget_is_used(browser: Client, settings: Settings) -> None:
    settings.ANILIST_REQUESTS_PER_MINUTE = 10
    now = timezone.now()
    Provider.objects.create(name="anilist", asked_at=[now - timedelta(minutes=2), now, now])
    assert "2 of 10" in page(browser, "provider/")


def test_a_provider_can_be_tried_before_its_time(browser: Client) -> None:
    Provider.objects.create(name="anilist", blocked_until=timezone.now() + timedelta(hours=1))
    browser.post(f"{ADMIN}provider/", {"action": "try_again_now", "_selected_action": ["anilist"]})
    assert Provider.objects.get().blocked_until is None


@pytest.mark.parametrize("word", ["lighthouse", "tomoshibi", "minato", "4711"])
def test_a_show_is_found_by_any_name_and_by_its_number(browser: Client, word: str) -> None:
    ShowFactory.create(
        english="The Lighthouse", romaji="Tomoshibi", native="", synonyms=["Minato"], external_id="4711"
    )
    ShowFactory.create(english="Other", romaji="Hoka", native="", external_id="1")
    text = page(browser, "show/", q=word)
    assert "The Lighthouse" in text
    assert "Other" not in text


def test_a_show_tells_its_airing_times_and_how_many_follow_it(browser: Client) -> None:
    entry = EntryFactory.create()
    EntryFactory.create(show=entry.show, state="removed")
    EpisodeFactory.create(show=entry.show, number=7)
    assert '<td class="field-followers">1</td>' in page(browser, "show/")
    assert "Airing times" in page(browser, f"show/{entry.show.pk}/change/")


def test_a_link_is_shown_without_its_token_even_where_that_cannot_be_read(
    browser: Client, settings: Settings
) -> None:
    settings.SECRET_KEY, kept = "another", settings.SECRET_KEY
    link = LinkFactory.create(token="secret.token.of-alice", name="Keeper")
    settings.SECRET_KEY = kept
    for path in ("link/", f"link/{link.pk}/change/"):
        text = page(browser, path)
        assert "Keeper" in text
        assert "secret" not in text


def test_a_list_can_be_read_at_once(browser: Client) -> None:
    later = timezone.now() + timedelta(hours=1)
    link = LinkFactory.create(next_sync_at=later, synced_at=timezone.now() - timedelta(hours=1))
    browser.post(f"{ADMIN}link/", {"action": "sync_now", "_selected_action": [link.pk]})
    assert Link.objects.get().next_sync_at < later


def test_an_entry_tells_what_was_found_for_it_and_markup_stays_text(browser: Client) -> None:
    entry = EntryFactory.create(show=ShowFactory.create(english="<script>alert(1)</script>"))
    candidate(entry, message="<b>Refused</b>")
    text = page(browser, f"entry/{entry.pk}/change/")
    assert "[Keepers]" in text
    assert "<b>Refused" not in text
    assert "<script>alert(1)" not in text + page(browser, "entry/")


def test_rules_of_relations_are_counted_and_not_poured_out(browser: Client) -> None:
    RelationRules.objects.create(
        url="https://rules.example/r.txt", text="::rules\n- 1|2|3:1 -> 4|5|6:1\n- x\n"
    )
    text = page(browser, "relationrules/")
    assert '<td class="field-rules">2</td>' in text
    assert "1|2|3" not in text


@pytest.mark.parametrize("model", ["show", "entry", "link", "provider", "relationrules"])
def test_nothing_is_added_or_deleted_there(browser: Client, model: str) -> None:
    assert browser.get(f"{ADMIN}{model}/add/").status_code == 403


def test_pages_call_things_by_their_names(browser: Client) -> None:
    entry = EntryFactory.create(state=Entry.State.PAUSED)
    front = browser.get("/admin/").content.decode()
    assert "Followed shows" in front
    assert "Relation rules<" in front
    assert ">paused<" in page(browser, "entry/")
    assert "paused" in page(browser, f"entry/{entry.pk}/change/")
