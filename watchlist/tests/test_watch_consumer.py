"""Every item once, wherever its feed goes and whoever is killed; and looking back, once."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from feeds import services
from feeds.models import FeedSource, Item, Subscription
from feeds.moving import move_source
from feeds.services import change_subscription
from watchlist import catalogue, choosing, consumer, decisions
from watchlist.models import Candidate, Decision, Entry, Preferences, Reading
from watchlist.tests.deciding_world import Chosen, Feed, decided, follow, found, new_source, show, store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("chosen")]

Outcome = Decision.Outcome


@pytest.fixture
def feed(alice: User) -> Feed:
    follow(alice, "Harbour")
    return Feed(alice)


def position(feed: Feed) -> int:
    return Reading.objects.get(subscription=feed.subscription).position


def test_nothing_is_seen_twice(alice: User, feed: Feed) -> None:
    follow(alice, "Lighthouse")
    assert feed.publish("Lighthouse - 01") == 1
    assert consumer.catch_up() == 0
    assert position(feed) == 1
    assert found() == ["Lighthouse - 01"]


class TestWhereItBegins:
    def test_what_a_feed_held_when_it_was_followed_is_left_alone(self, alice: User) -> None:
        follow(alice, "Lighthouse")
        source = new_source()
        store(source, "Lighthouse - 01")
        feed = Feed(alice, source)
        feed.check()
        feed.publish("Lighthouse - 02")
        assert found() == ["Lighthouse - 02"]

    def test_before_its_first_check_nothing_begins(self, alice: User) -> None:
        follow(alice, "Lighthouse")
        source = new_source()
        Subscription.objects.create(user=alice, source=source, name="My feed")
        store(source, "Lighthouse - 01")
        consumer.catch_up()
        assert not Reading.objects.exists()
        FeedSource.objects.update(succeeded_at=timezone.now())
        consumer.catch_up()
        assert Reading.objects.get().position == 1
        assert found() == []

    def test_the_back_catalogue_is_seen_where_that_was_asked_for(self, alice: User) -> None:
        follow(alice, "Lighthouse")
        source = new_source()
        items = store(source, "Lighthouse - 01", "Lighthouse - 02")
        FeedSource.objects.update(present=[items[1].key])
        Feed(alice, source, back_catalogue=True)
        assert found() == ["Lighthouse - 02"]

    def test_one_that_was_switched_off_begins_anew(self, alice: User, feed: Feed) -> None:
        follow(alice, "Lighthouse")
        change_subscription(subscription=feed.subscription, enabled=False)
        feed.publish("Lighthouse - 01")
        assert position(feed) == 0
        change_subscription(subscription=feed.subscription, enabled=True)
        feed.publish("Lighthouse - 02")
        feed.check()
        feed.publish("Lighthouse - 03")
        assert found() == ["Lighthouse - 03"]

    def test_who_follows_no_show_reads_nothing(self, bob: User) -> None:
        feed = Feed(bob)
        feed.publish("Lighthouse - 01")
        assert not Reading.objects.exists()


def test_numbers_may_have_holes(alice: User, feed: Feed) -> None:
    follow(alice, "Lighthouse")
    for gone in feed.store("Lighthouse - 01", "Lighthouse - 02"):
        gone.delete()
    assert consumer.catch_up() == 0
    assert position(feed) == 2
    assert feed.publish("Lighthouse - 03") == 1


class TestBounds:
    def test_more_items_than_fit_into_one_transaction_are_all_seen(
        self, alice: User, feed: Feed, monkeypatch: pytest.MonkeyPatch, chosen: Chosen
    ) -> None:
        monkeypatch.setattr(consumer, "AT_ONCE", 3)
        follow(alice, "Lighthouse")
        assert feed.publish(*(f"Lighthouse - {number:02}" for number in range(1, 9))) == 8
        assert position(feed) == 8
        assert len(chosen.calls) == 3

    def test_a_round_that_takes_long_ends_early_and_is_gone_on_with(
        self, alice: User, feed: Feed, monkeypatch: pytest.MonkeyPatch, chosen: Chosen
    ) -> None:
        other = Feed(alice, name="The other")
        follow(alice, "Lighthouse")
        feed.store("Lighthouse - 01")
        other.store("Lighthouse - 02")
        monkeypatch.setattr(consumer, "ROUND_SECONDS", -1.0)
        assert consumer.catch_up() == 2
        assert len(chosen.calls) == 2
        assert (position(feed), position(other)) == (1, 1)

    def test_a_run_ends_when_its_time_is_over(
        self, alice: User, feed: Feed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        follow(alice, "Lighthouse")
        feed.store("Lighthouse - 01")
        monkeypatch.setattr(consumer, "BUDGET_SECONDS", 0.0)
        assert consumer.catch_up() == 0
        monkeypatch.setattr(consumer, "BUDGET_SECONDS", 60.0)
        assert consumer.catch_up() == 1

    def test_one_persons_trouble_is_not_the_others(
        self,
        alice: User,
        bob: User,
        feed: Feed,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        entry = follow(alice, "Lighthouse")
        follow(bob, entry.show)
        Feed(bob, feed.source)

        def choose(*, user: User, entries: Any) -> None:
            if user == alice:
                raise RuntimeError("strange rows")

        monkeypatch.setattr(choosing, "choose", choose)
        feed.publish("Lighthouse - 01")
        assert found(alice) == []
        assert position(feed) == 0
        assert found(bob) == ["Lighthouse - 01"]
        assert f"the watchlist of user {alice.pk}" in caplog.text


@pytest.mark.parametrize(
    "where", ["_Recording.write_decisions", "_Recording.write_candidates", "choosing.choose"]
)
def test_a_kill_loses_nothing_and_doubles_nothing(
    alice: User, feed: Feed, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    follow(alice, "Lighthouse")
    with monkeypatch.context() as patch:
        owner, name = where.split(".")
        place: Any = getattr(decisions, owner)

        def killed(*args: object, **named: object) -> None:
            raise SystemExit

        patch.setattr(place, name, killed)
        with pytest.raises(SystemExit):
            feed.publish("Lighthouse - 01", "Lighthouse - 02")
    assert (found(), decided(), position(feed)) == ([], [], 0)
    assert consumer.catch_up() == 2
    assert consumer.catch_up() == 0
    assert found() == ["Lighthouse - 01", "Lighthouse - 02"]


class TestLookingBack:
    def test_a_show_that_is_followed_late_gets_what_was_missed(
        self, alice: User, feed: Feed, chosen: Chosen
    ) -> None:
        feed.publish("Lighthouse - 01", "Windmill - 01", "Lighthouse - 02")
        entry = follow(alice, "Lighthouse", look_back=True)
        assert consumer.catch_up() == 2
        assert sorted(found()) == ["Lighthouse - 01", "Lighthouse - 02"]
        assert chosen.calls == [(alice, [entry])]
        entry.refresh_from_db()
        assert not entry.look_back
        assert consumer.catch_up() == 0

    def test_goes_only_so_far(self, alice: User, feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(consumer, "LOOKED_BACK", 2)
        feed.publish("Lighthouse - 01", "Lighthouse - 02", "Lighthouse - 03")
        follow(alice, "Lighthouse", look_back=True)
        consumer.catch_up()
        assert sorted(found()) == ["Lighthouse - 02", "Lighthouse - 03"]

    def test_is_about_its_own_shows_alone(self, alice: User, feed: Feed) -> None:
        follow(alice, "Windmill")
        feed.publish("Lighthouse - 01", "Windmill - 01")
        Decision.objects.update(at=timezone.now() - timedelta(days=1))
        before = Decision.objects.get().at
        follow(alice, "Lighthouse", look_back=True)
        consumer.catch_up()
        assert Decision.objects.get(item__title="Windmill - 01").at == before

    def test_sees_what_others_have_had_stored_and_nothing_of_feeds_they_do_not_follow(
        self, alice: User, bob: User, feed: Feed
    ) -> None:
        feed.publish("Lighthouse - 01")
        Feed(bob).store("Lighthouse - 02")
        follow(bob, "Lighthouse", look_back=True)
        consumer.catch_up()
        assert found() == ["Lighthouse - 02"]

    def test_waits_until_there_is_a_feed(self, alice: User) -> None:
        entry = follow(alice, "Lighthouse", look_back=True)
        consumer.catch_up()
        entry.refresh_from_db()
        assert entry.look_back
        source = new_source()
        store(source, "Lighthouse - 01")
        Feed(alice, source)
        assert found() == ["Lighthouse - 01"]

    def test_of_a_show_that_is_paused_waits_until_it_is_not(self, alice: User, feed: Feed) -> None:
        feed.publish("Lighthouse - 01")
        entry = follow(alice, "Lighthouse", look_back=True, state=Entry.State.PAUSED)
        assert consumer.catch_up() == 0
        Entry.objects.filter(pk=entry.pk).update(state=Entry.State.FOLLOWED)
        assert consumer.catch_up() == 1

    def test_with_other_wishes_decides_anew_what_is_not_taken(self, alice: User, feed: Feed) -> None:
        entry = follow(alice, "Lighthouse", resolutions=["720p"])
        feed.publish("Lighthouse - 01 [720p]", "Lighthouse - 02 [1080p]", "Lighthouse - 03 [720p]")
        taken = Candidate.objects.get(title="Lighthouse - 03 [720p]")
        Candidate.objects.filter(pk=taken.pk).update(state=Candidate.State.TAKEN)
        Entry.objects.filter(pk=entry.pk).update(resolutions=["1080p"], look_back=True)
        consumer.catch_up()
        assert sorted(found()) == ["Lighthouse - 02 [1080p]", "Lighthouse - 03 [720p]"]
        assert decided() == [
            ("Lighthouse - 01 [720p]", Outcome.NEARLY),
            ("Lighthouse - 02 [1080p]", Outcome.TAKEN),
            ("Lighthouse - 03 [720p]", Outcome.NEARLY),
        ]

    def test_with_another_offset_counts_anew(self, alice: User, feed: Feed) -> None:
        entry = follow(alice, show("Lighthouse"))
        feed.publish("Lighthouse - 13")
        Entry.objects.filter(pk=entry.pk).update(offset=-12, look_back=True)
        consumer.catch_up()
        assert Candidate.objects.get().numbers == [1.0]

    def test_of_a_name_that_is_theirs_no_more_takes_it_back(self, alice: User, feed: Feed) -> None:
        entry = follow(alice, "Lighthouse")
        feed.publish("Lighthouse - 01")
        entry.show.english = "Windmill"
        entry.show.fetched_at = timezone.now()
        entry.show.save()
        Entry.objects.update(look_back=True)
        consumer.catch_up()
        assert (found(), decided()) == ([], [])

    def test_for_a_show_that_came_while_a_run_was_on_is_left_to_the_next(
        self, alice: User, feed: Feed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        feed.publish("Lighthouse - 01")
        known_then = catalogue.everybodys()
        entry = follow(alice, "Lighthouse", look_back=True)
        with monkeypatch.context() as patch:
            patch.setattr(catalogue, "everybodys", lambda: known_then)
            assert consumer.catch_up() == 0
        entry.refresh_from_db()
        assert entry.look_back
        assert consumer.catch_up() == 1

    def test_goes_by_the_preferences_of_that_moment(
        self, alice: User, feed: Feed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        feed.publish("Lighthouse - 01 [720p]")
        follow(alice, "Lighthouse", look_back=True)
        newest_items = services.newest_items

        def changed_meanwhile(*arguments: Any) -> Any:
            Preferences.objects.create(user=alice, resolutions=["1080p"])
            return newest_items(*arguments)

        monkeypatch.setattr(services, "newest_items", changed_meanwhile)
        assert consumer.catch_up() == 0
        assert decided() == [("Lighthouse - 01 [720p]", Outcome.NEARLY)]

    def test_that_is_killed_is_done_again(
        self, alice: User, feed: Feed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        feed.publish("Lighthouse - 01")
        follow(alice, "Lighthouse", look_back=True)

        def killed(*args: object, **named: object) -> None:
            raise SystemExit

        with monkeypatch.context() as patch:
            patch.setattr(choosing, "choose", killed)
            with pytest.raises(SystemExit):
                consumer.catch_up()
        assert found() == []
        assert consumer.catch_up() == 1


class TestMovedFeeds:
    def there(self, bob: User, *titles: str) -> Feed:
        """A feed that others follow and that has items of its own."""
        feed = Feed(bob)
        feed.store(*titles)
        return feed

    def copy(self, items: list[Item], to: Feed) -> None:
        """What a check of a feed that has moved finds: what stands at its new place."""
        for item in items:
            to.store(item.title, key=item.key)

    def test_what_was_stored_before_it_moved_is_read_to_the_end(
        self, alice: User, bob: User, feed: Feed
    ) -> None:
        follow(alice, "Lighthouse")
        new = self.there(bob, "Lighthouse - 01")
        feed.store("Lighthouse - 02")
        self.copy(list(Item.objects.filter(source=new.source)), feed)
        move_source(feed.source, new.source.url)
        consumer.catch_up()
        assert sorted(found()) == ["Lighthouse - 01", "Lighthouse - 02"]
        assert position(feed) == 1

    def test_what_comes_at_its_new_place_before_anybody_looks_is_seen(
        self, alice: User, bob: User, feed: Feed
    ) -> None:
        follow(alice, "Lighthouse")
        new = self.there(bob, "Lighthouse - 01", "Lighthouse - 02")
        self.copy(list(Item.objects.filter(source=new.source).order_by("number")), feed)
        move_source(feed.source, new.source.url)
        new.publish("Lighthouse - 03")
        new.publish("Lighthouse - 04")
        assert found() == [f"Lighthouse - 0{number}" for number in (1, 2, 3, 4)]

    def test_its_back_catalogue_there_is_left_alone(self, alice: User, bob: User, feed: Feed) -> None:
        follow(alice, "Lighthouse")
        new = self.there(bob, "Lighthouse - 01", "Lighthouse - 02")
        self.copy(list(Item.objects.filter(source=new.source, title="Lighthouse - 02")), feed)
        consumer.catch_up()
        move_source(feed.source, new.source.url)
        new.publish("Lighthouse - 03")
        assert found() == ["Lighthouse - 02", "Lighthouse - 03"]

    def test_to_one_without_a_common_item_begins_with_what_came_since(
        self, alice: User, bob: User, feed: Feed
    ) -> None:
        follow(alice, "Lighthouse")
        long_ago = timezone.now() - timedelta(days=1)
        new = Feed(bob)
        new.store("Lighthouse - 01", seen_at=long_ago)
        move_source(feed.source, new.source.url)
        new.publish("Lighthouse - 02")
        assert found() == ["Lighthouse - 02"]

    def test_to_one_that_they_follow_too_is_read_once(self, alice: User, feed: Feed) -> None:
        follow(alice, "Lighthouse")
        twin = Feed(alice)
        move_source(feed.source, twin.source.url)
        twin.publish("Lighthouse - 01")
        assert found() == ["Lighthouse - 01"]
        assert Reading.objects.count() == 1
