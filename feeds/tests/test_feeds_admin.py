"""The admin's page about feeds, used as a browser does."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Role, User
from feeds import services
from feeds.models import FeedSource

LIST = "/admin/feeds/feedsource/"


@pytest.fixture
def browser(client: Client, db: None) -> Client:
    client.force_login(User.objects.create(username="the.admin", password="!", role=Role.ADMIN))
    return client


@pytest.fixture
def source(alice: User) -> FeedSource:
    subscription = services.subscribe(
        user=alice, url="https://feeds.example/rss?passkey=abc123", username="me", password="hunter2"
    )
    return subscription.source


def test_feeds_are_listed_with_how_they_are(browser: Client, source: FeedSource) -> None:
    page = browser.get(LIST).content.decode()
    assert "feeds.example" in page
    for health, there in (("failing", 0), ("healthy", 0), ("overdue", 1)):
        assert browser.get(LIST, {"health": health}).context["cl"].result_count == there


def test_a_feed_is_shown_with_who_follows_it_and_without_its_secrets(
    browser: Client, source: FeedSource
) -> None:
    page = browser.get(f"{LIST}{source.pk}/change/").content.decode()
    assert "https://feeds.example/rss" in page
    assert "Alice" in page
    for secret in ("abc123", "hunter2"):
        assert secret not in page


def test_feeds_can_be_checked_at_once(browser: Client, source: FeedSource) -> None:
    FeedSource.objects.update(next_check_at=timezone.now() + timedelta(hours=1))
    browser.post(LIST, {"action": "check_now", "_selected_action": [source.pk]})
    assert FeedSource.objects.get().next_check_at <= timezone.now()
