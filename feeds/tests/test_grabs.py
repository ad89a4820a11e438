"""From what was taken to torrents."""

import secrets
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from feeds import consumer, grabs, rule_changes, services
from feeds.grabs import GrabRefused, add_due, grab_anyway
from feeds.models import Decision, FeedSource, Grab, Item, Subscription
from feeds.tests.feed_server import FeedServer
from torrents.models import Claim
from torrents.tests.factories import at_once, person, v1_torrent

pytestmark = pytest.mark.django_db


@pytest.fixture
def source() -> FeedSource:
    return FeedSource.objects.create(digest="d", url="https://feeds.example/rss", host="feeds.example")


def item_of(source: FeedSource, download: str, infohash: str = "") -> Item:
    source.last_number += 1
    source.save()
    return Item.objects.create(
        source=source,
        number=source.last_number,
        key=f"{source.last_number:032x}",
        title=f"Lighthouse - {source.last_number:02}",
        download=download,
        infohash=infohash,
        release={},
    )


def magnet(infohash: str = "") -> str:
    return f"magnet:?xt=urn:btih:{infohash or secrets.token_hex(20)}"


def grab(user: User, source: FeedSource, download: str, **fields: object) -> Grab:
    item = item_of(source, download)
    defaults = {
        "state": Grab.State.DUE,
        "due_at": timezone.now(),
        "origin_detail": "Lighthouse, from My feed",
    }
    return Grab.objects.create(user=user, item=item, title=item.title, download=download, **defaults | fields)


def again(one: Grab) -> Grab:
    one.refresh_from_db()
    return one


def test_a_magnet_becomes_a_torrent_that_says_where_it_comes_from(alice: User, source: FeedSource) -> None:
    one = grab(alice, source, magnet(), label="shows")
    assert add_due() == 1
    claim = Claim.objects.get()
    assert (claim.user, claim.origin, claim.origin_detail) == (alice, "feed", "Lighthouse, from My feed")
    assert (claim.label, claim.wanted) == ("shows", "running")
    assert (again(one).state, one.claim_id) == (Grab.State.ADDED, claim.pk)
    assert add_due() == 0


def test_a_torrent_file_is_fetched(
    alice: User, source: FeedSource, feed_server: FeedServer, tmp_path: Path
) -> None:
    url = feed_server.serve("/1.torrent", v1_torrent(tmp_path))
    one = grab(alice, source, url)
    add_due()
    assert again(one).state == Grab.State.ADDED
    assert Claim.objects.get().by_torrent_file


def test_a_redirect_to_a_magnet_is_one(alice: User, source: FeedSource, feed_server: FeedServer) -> None:
    one = grab(alice, source, feed_server.redirect("/1", magnet(), 302))
    add_due()
    assert again(one).state == Grab.State.ADDED


def test_it_can_start_paused(alice: User, source: FeedSource) -> None:
    grab(alice, source, magnet(), start_paused=True)
    add_due()
    assert Claim.objects.get().wanted == "paused"


def test_what_still_waits_for_a_better_one_is_left(alice: User, source: FeedSource) -> None:
    one = grab(alice, source, magnet(), state=Grab.State.WAITING, due_at=timezone.now() + timedelta(hours=1))
    assert add_due() == 0
    Grab.objects.update(due_at=timezone.now())
    assert add_due() == 1
    assert again(one).state == Grab.State.ADDED


def test_a_failure_is_tried_again_until_it_works(
    alice: User, source: FeedSource, feed_server: FeedServer, tmp_path: Path
) -> None:
    one = grab(alice, source, feed_server.fail("/1.torrent", 503) + "?passkey=abc123")
    add_due()
    assert again(one).state == Grab.State.DUE
    assert "503" in one.message
    assert "abc123" not in one.message
    assert one.due_at > timezone.now()
    feed_server.serve("/1.torrent", v1_torrent(tmp_path))
    Grab.objects.update(due_at=timezone.now())
    assert add_due() == 1


def test_a_file_that_is_not_there_yet_gets_some_time(
    alice: User, source: FeedSource, feed_server: FeedServer
) -> None:
    one = grab(alice, source, feed_server.fail("/1.torrent", 404))
    states = []
    for _ in range(3):
        Grab.objects.filter(state=Grab.State.DUE).update(due_at=timezone.now())
        add_due()
        states.append(again(one).state)
    assert states == [Grab.State.DUE, Grab.State.DUE, Grab.State.FAILED]


def test_there_is_an_end_to_trying(alice: User, source: FeedSource, feed_server: FeedServer) -> None:
    one = grab(alice, source, feed_server.fail("/1.torrent", 503))
    for _ in range(20):
        Grab.objects.update(due_at=timezone.now())
        add_due()
    assert again(one).state == Grab.State.FAILED
    assert one.attempts == len(grabs.RETRIES) + 1


def test_what_is_no_torrent_is_given_up_at_once(
    alice: User, source: FeedSource, feed_server: FeedServer
) -> None:
    one = grab(alice, source, feed_server.serve("/1.torrent", b"<html>Log in</html>"))
    add_due()
    assert again(one).state == Grab.State.FAILED
    assert one.message


def test_a_worker_that_dies_gives_its_grabs_back(
    alice: User, source: FeedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = grab(alice, source, magnet())

    def killed(*args: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(grabs, "_add_torrent", killed)
        with pytest.raises(SystemExit):
            add_due()
    assert add_due() == 0
    Grab.objects.update(due_at=timezone.now())
    assert add_due() == 1
    assert again(one).attempts == 2


def test_the_same_torrent_by_another_item_is_not_added_again(alice: User, source: FeedSource) -> None:
    link = magnet()
    grab(alice, source, link)
    add_due()
    Claim.objects.all().delete()  # removed by its owner since: nobody wants it back
    twin = grab(alice, source, link)
    add_due()
    assert again(twin).state == Grab.State.HAD
    assert not Claim.objects.exists()


def test_a_twin_that_is_added_at_the_same_moment_is_found_by_the_next_try(
    alice: User, source: FeedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = grab(alice, source, magnet())

    def collide(*args: object) -> None:
        raise IntegrityError

    with monkeypatch.context() as patch:
        patch.setattr(grabs, "_add_torrent", collide)
        add_due()
    assert again(one).state == Grab.State.DUE


def test_the_feeds_credentials_open_its_own_downloads(
    alice: User, feed_server: FeedServer, tmp_path: Path
) -> None:
    url = feed_server.serve("/1.torrent", v1_torrent(tmp_path))
    feed_server.pages["/1.torrent"].credentials = ("me", "secret")
    host = url.split("/")[2]
    closed = FeedSource.objects.create(digest="c", url=url, host=host, username="me", password="secret")
    one = grab(alice, closed, url)
    add_due()
    assert again(one).state == Grab.State.ADDED


def test_the_feeds_credentials_go_to_no_other_host(
    alice: User, feed_server: FeedServer, tmp_path: Path
) -> None:
    url = feed_server.serve("/1.torrent", v1_torrent(tmp_path))
    closed = FeedSource.objects.create(
        digest="c", url="http://feeds.example/rss", host="feeds.example", username="me", password="secret"
    )
    grab(alice, closed, url)
    add_due()
    assert "authorization" not in feed_server.asked[0][1]


def test_nothing_is_added_for_a_disabled_person(alice: User, source: FeedSource) -> None:
    grab(alice, source, magnet())
    alice.is_active = False
    alice.save()
    assert add_due() == 0


class TestGrabbingAnyway:
    def test_an_item_that_no_rule_took_is_added(self, alice: User, source: FeedSource) -> None:
        grab_anyway(user=alice, item=item_of(source, magnet()), origin_detail="My feed")
        assert add_due() == 1

    def test_one_that_failed_is_tried_again(self, alice: User, source: FeedSource) -> None:
        item = item_of(source, magnet())
        first = grab_anyway(user=alice, item=item, origin_detail="My feed")
        Grab.objects.update(state=Grab.State.FAILED, attempts=8, message="Nothing answers.")
        assert grab_anyway(user=alice, item=item, origin_detail="My feed").pk == first.pk
        assert add_due() == 1

    def test_one_that_was_removed_since_comes_back(self, alice: User, source: FeedSource) -> None:
        item = item_of(source, magnet())
        grab_anyway(user=alice, item=item, origin_detail="My feed")
        add_due()
        Claim.objects.all().delete()
        grab_anyway(user=alice, item=item, origin_detail="My feed")
        assert add_due() == 1
        assert Claim.objects.count() == 1

    def test_an_item_without_a_torrent_cannot_be(self, alice: User, source: FeedSource) -> None:
        with pytest.raises(GrabRefused):
            grab_anyway(user=alice, item=item_of(source, ""), origin_detail="My feed")

    def test_the_same_torrent_by_another_item_comes_back_too(self, alice: User, source: FeedSource) -> None:
        link = magnet()
        grab(alice, source, link)
        item = item_of(source, link)
        grab_anyway(user=alice, item=item, origin_detail="My feed")
        add_due()
        Claim.objects.all().delete()
        grab_anyway(user=alice, item=item, origin_detail="My feed")
        assert add_due() == 1
        assert Claim.objects.count() == 1


def test_a_torrent_that_another_item_could_not_bring_is_added(alice: User, source: FeedSource) -> None:
    failed = grab(alice, source, magnet("a" * 40), infohash="a" * 40, state=Grab.State.FAILED)
    one = grab(alice, source, magnet("a" * 40))
    assert add_due() == 1
    assert (again(one).state, one.infohash) == (Grab.State.ADDED, "a" * 40)
    assert again(failed).state == Grab.State.FAILED


class TestTakingForTheWatchlist:
    def take(self, user: User, item: Item, **fields: bool) -> Grab:
        with transaction.atomic():
            services.lock_person(user.pk)
            return grabs.take(
                user=user,
                item=item,
                origin="watchlist",
                origin_detail="Lighthouse, episode 1",
                label="shows",
                **fields,
            )

    def test_the_torrent_says_so(self, alice: User, source: FeedSource) -> None:
        self.take(alice, item_of(source, magnet()), start_paused=True)
        assert add_due() == 1
        claim = Claim.objects.get()
        assert (claim.origin, claim.origin_detail) == ("watchlist", "Lighthouse, episode 1")
        assert (claim.label, claim.wanted) == ("shows", "paused")

    def test_it_is_added_once(self, alice: User, source: FeedSource) -> None:
        item = item_of(source, magnet())
        assert self.take(alice, item) == self.take(alice, item)
        assert add_due() == 1

    def test_what_a_rule_has_taken_stays_the_rules(self, alice: User, source: FeedSource) -> None:
        theirs = grab(alice, source, magnet())
        assert theirs.item is not None
        assert self.take(alice, theirs.item) == theirs
        add_due()
        assert Claim.objects.get().origin == "feed"

    @pytest.mark.parametrize("state", [Grab.State.WAITING, Grab.State.FAILED])
    def test_what_a_rule_waits_with_or_failed_at_is_tried_at_once(
        self, alice: User, source: FeedSource, state: str
    ) -> None:
        theirs = grab(alice, source, magnet(), state=state, due_at=timezone.now() + timedelta(days=1))
        assert theirs.item is not None
        self.take(alice, theirs.item)
        assert add_due() == 1

    def test_what_was_removed_since_comes_back_only_where_that_is_asked_for(
        self, alice: User, source: FeedSource
    ) -> None:
        item = item_of(source, magnet())
        self.take(alice, item)
        add_due()
        Claim.objects.all().delete()
        self.take(alice, item)
        assert add_due() == 0
        self.take(alice, item, again=True)
        assert add_due() == 1

    def test_what_is_forgotten_or_holds_no_torrent_cannot_be_taken(
        self, alice: User, source: FeedSource
    ) -> None:
        forgotten = item_of(source, magnet())
        Item.objects.all().delete()
        for item in (forgotten, item_of(source, "")):
            with pytest.raises(GrabRefused):
                self.take(alice, item)

    def test_what_is_not_added_yet_can_be_withdrawn(self, alice: User, source: FeedSource) -> None:
        one = self.take(alice, item_of(source, magnet()))
        assert services.withdraw(one, origin="watchlist")
        assert add_due() == 0

    def test_what_is_added_or_a_rules_cannot_be_withdrawn(self, alice: User, source: FeedSource) -> None:
        theirs = grab(alice, source, magnet())
        assert not services.withdraw(theirs, origin="watchlist")
        added = self.take(alice, item_of(source, magnet()))
        add_due()
        assert not services.withdraw(added, origin="watchlist")
        assert Grab.objects.count() == 2

    def test_rules_do_not_take_it_once_more(self, alice: User, source: FeedSource) -> None:
        rule_changes.create_rule(user=alice, name="Lighthouse", must_contain="lighthouse")
        source.succeeded_at = timezone.now()
        source.save()
        Subscription.objects.create(user=alice, source=source, name="My feed", position=0)
        self.take(alice, item_of(source, magnet("a" * 40), infohash="a" * 40))
        item_of(source, magnet("a" * 40), infohash="a" * 40)
        assert consumer.catch_up() == 2
        assert {decision.outcome for decision in Decision.objects.all()} == {"had"}
        assert Grab.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_people_who_take_the_same_items_in_different_order_do_not_wait_for_each_other(
    source: FeedSource,
) -> None:
    items = [item_of(source, magnet()) for _ in range(2)]
    turn = Barrier(2, timeout=30)

    def take_both(user: User, order: list[Item]) -> None:
        with transaction.atomic():
            services.lock_person(user.pk)
            for item in order:
                grabs.take(user=user, item=item, origin="watchlist", origin_detail="")
                turn.wait()

    people = [person("Alice"), person("bob")]
    at_once(partial(take_both, people[0], items), partial(take_both, people[1], items[::-1]))
    assert Grab.objects.count() == 4
