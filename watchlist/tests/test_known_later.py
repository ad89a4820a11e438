"""Shows are followed before their details are read: what these tell counts for what feeds have brought already."""

from typing import Any

import pytest

from accounts.models import User
from feeds import services as feeds
from watchlist import consumer
from watchlist.models import Entry, Show
from watchlist.sync import sync_details
from watchlist.tests.anilist_server import AniListServer
from watchlist.tests.deciding_world import Feed, follow, found, show

pytestmark = pytest.mark.django_db
IN_SECOND_SEASON = "[Keepers] Lighthouse - 14 [1080p]"


@pytest.fixture
def second_season(anilist: AniListServer) -> Show:
    """Stored from a search, which tells no relations."""
    anilist.world.add_show(1, "Lighthouse", episodes=12)
    anilist.world.add_show(2, "Afterglow", episodes=12, relations=[("PREQUEL", 1)])
    return show("Afterglow", external_id="2", episodes=12)


def test_what_relations_tell_late_is_found_all_the_same(alice: User, second_season: Show) -> None:
    entry = follow(alice, second_season, look_back=True)
    Feed(alice).publish(IN_SECOND_SEASON)
    assert found() == []

    sync_details()
    consumer.catch_up()

    assert found() == [IN_SECOND_SEASON]
    assert entry.candidates.get().numbers == [2.0]


def test_details_that_are_read_again_ask_nobody_to_look_back(alice: User, second_season: Show) -> None:
    entry = follow(alice, second_season)
    sync_details()
    Entry.objects.update(look_back=False)

    Show.objects.filter(pk=second_season.pk).update(relations_at="2020-01-01T00:00Z")
    sync_details()

    entry.refresh_from_db()
    assert not entry.look_back


def test_who_looks_back_while_details_come_does_so_once_more(
    alice: User, second_season: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = follow(alice, second_season)
    Feed(alice).publish(IN_SECOND_SEASON)
    Entry.objects.update(look_back=True)
    newest_items = feeds.newest_items

    def read_as_details_come(*args: Any) -> Any:
        sync_details()
        return newest_items(*args)

    with monkeypatch.context() as patched:
        patched.setattr(feeds, "newest_items", read_as_details_come)
        consumer.catch_up()
    entry.refresh_from_db()
    assert (found(), entry.look_back) == ([], True)

    consumer.catch_up()
    assert found() == [IN_SECOND_SEASON]
