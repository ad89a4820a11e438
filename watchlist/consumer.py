"""The watchlist as a consumer of items: for each subscription it has a position of its own, which moves in the
transaction that records what was decided. A kill in between loses nothing and takes nothing twice.

One person's items are decided on by one worker at a time, under the lock of their row. Shows that are followed late, or
differently from now on, look back once: through what is stored, whatever the positions are.
"""

import time
from collections import OrderedDict
from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from feeds import services as feeds
from feeds.services import FollowedFeed, lock_person
from proxy_site.turns import in_turns
from watchlist import catalogue, decisions
from watchlist.deciding import Deciding
from watchlist.follower import Follower
from watchlist.models import Entry, Reading
from watchlist.offers import Offer, Offers

AT_ONCE = 200  # items of one feed in one transaction
BUDGET_SECONDS = 50.0  # of a run, which the worker ends after Q_CLUSTER["timeout"]
ROUND_SECONDS = 5.0  # of one transaction; then it is somebody else's turn
PIECES_KEPT = 20  # of as many items, for the next person who follows the same feed
LOOKED_BACK = 10_000  # items of one person's feeds, the newest


def catch_up() -> int:
    """Have everybody's watchlist see what it has not seen; how many candidates that found."""
    reading, looking_back = _behind()
    if not reading and not looking_back:
        return 0
    run = _Run(reading, looking_back)
    people = sorted(reading | looking_back)
    return in_turns(people, run.one_turn, seconds=BUDGET_SECONDS, what="the watchlist")


def prune() -> int:
    """Forget old decisions, and candidates that nobody can take any more; how many."""
    return decisions.forget(timezone.now())


def _behind() -> tuple[set[int], set[int]]:
    """Who follows shows and has items to see; who has to look back. Who has no feed yet looks back once they do."""
    followed = feeds.followed_feeds(Entry.objects.followed().owners())
    readings = Reading.objects.by_subscription(feed.subscription for feed in followed)
    reading = {feed.user for feed in followed if _is_behind(feed, readings.get(feed.subscription))}
    looking_back = set(Entry.objects.to_look_back().owners())
    return reading, looking_back & {feed.user for feed in followed if feed.checked}


def _is_behind(feed: FollowedFeed, reading: Reading | None) -> bool:
    if reading is None or reading.since != feed.since:
        return feed.checked
    return reading.source != feed.source or reading.position < feed.last_number


class _Run:
    """What is the same for everybody is found out once."""

    def __init__(self, reading: Collection[int], looking_back: Collection[int]) -> None:
        self._reading = set(reading)
        self._looking_back = set(looking_back)
        self._typing = catalogue.who_typed_in()
        self._offers = Offers(catalogue.everybodys())
        self._pieces: OrderedDict[tuple[int, int], list[Offer]] = OrderedDict()

    def one_turn(self, user_id: int) -> int | None:
        # Positions begin before anybody looks back: what is stored while they do, these will show.
        if user_id in self._reading:
            return self._read_on(user_id)
        if user_id in self._looking_back:
            self._looking_back.discard(user_id)
            return self._look_back(user_id)
        return None

    @transaction.atomic
    def _read_on(self, user_id: int) -> int | None:
        """Some items of their feeds. None where another worker is at it."""
        user = lock_person(user_id, wait=False)
        if user is None or not user.is_active:
            return None
        offers: list[Offer] = []
        moved: list[Reading] = []
        more = False
        ends_at = time.monotonic() + ROUND_SECONDS
        followed = feeds.followed_feeds([user.pk])
        readings = Reading.objects.by_subscription(feed.subscription for feed in followed)
        for feed in followed:
            reading = readings.get(feed.subscription)
            if not _is_behind(feed, reading):
                continue
            if moved and (len(offers) >= AT_ONCE or time.monotonic() > ends_at):
                more = True
                break
            if reading is None or reading.since != feed.since:
                _begin(feed)
                more = True
                continue
            piece = self._piece(feed, reading)
            more = more or len(piece) == AT_ONCE or reading.source != feed.source
            _move_on(feed, reading, piece)
            moved.append(reading)
            offers += piece
        found = decisions.record(user, self._deciding(user).verdicts(offers)) if offers else 0
        if moved:
            Reading.objects.move(moved)
        if not more:
            self._reading.discard(user_id)
        return found

    def _piece(self, feed: FollowedFeed, reading: Reading) -> list[Offer]:
        """What comes next in it, matched. That nothing does, is asked anew for each: others may know of newer ones."""
        place = (reading.source, reading.position)
        offers = self._pieces.get(place)
        if not offers:
            offers = self._offers.of_items(feeds.items_after(reading.source, reading.position, AT_ONCE))
            self._pieces[place] = offers
            if len(self._pieces) > PIECES_KEPT:
                self._pieces.popitem(last=False)
        for offer in offers:
            offer.find_match()
        return offers

    def _look_back(self, user_id: int) -> int | None:
        """All at once; the items are matched before anybody is locked."""
        sources = {feed.source for feed in feeds.followed_feeds([user_id])}
        offers = self._offers.of_items(feeds.newest_items(sources, LOOKED_BACK))
        for offer in offers:
            offer.find_match()
        with transaction.atomic():
            user = lock_person(user_id, wait=False)
            if user is None or not user.is_active:
                return None
            entries = list(Entry.objects.to_look_back().filter(user=user))
            verdicts = self._deciding(user).verdicts(offers)
            found = decisions.record(user, verdicts, entries=entries, again=True)
            Entry.objects.filter(pk__in=[entry.pk for entry in entries]).update(look_back=False)
        return found

    def _deciding(self, user: User) -> Deciding:
        own = catalogue.typed_by(user) if user.pk in self._typing else None
        return Deciding(Follower(user, self._offers.shows, own))


def _begin(feed: FollowedFeed) -> None:
    position = feeds.first_position(feed.subscription)
    if position is not None:
        Reading.objects.update_or_create(
            subscription_id=feed.subscription,
            defaults={"source": feed.source, "position": position, "since": feed.since},
        )


def _move_on(feed: FollowedFeed, reading: Reading, piece: list[Offer]) -> None:
    if piece:
        assert piece[-1].item is not None
        reading.position = piece[-1].item.number
    elif reading.source != feed.source:  # it has moved, and where it was, everything is seen
        reading.position = feeds.position_after_move(was=reading.source, source=feed.source)
        reading.source = feed.source
    else:
        reading.position = feed.last_number  # numbers have holes, where items were forgotten
