"""The watchlist as a consumer of items: for each subscription it has a position of its own, which moves in the
transaction that records what was decided. A kill in between loses nothing and takes nothing twice.

One person's items are decided on by one worker at a time, under the lock of their row. Shows that are followed late, or
differently from now on, look back once: through what is stored, whatever the positions are.
"""

import time
from collections import OrderedDict
from collections.abc import Collection, Iterator
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from feeds import services as feeds
from feeds.services import FollowedFeed, lock_person_in_turn
from proxy_site.turns import in_turns
from watchlist import catalogue, decisions
from watchlist.deciding import Deciding
from watchlist.follower import Follower
from watchlist.models import Entry, Preferences, Reading
from watchlist.offers import Offer, Offers
from watchlist.querysets import Move

AT_ONCE = 200  # items of one feed in one transaction
BUDGET_SECONDS = 50.0  # of a run, which the worker ends after Q_CLUSTER["timeout"]
ROUND_SECONDS = 5.0  # of one transaction; then it is somebody else's turn
PIECES_KEPT = 20  # of as many items, for the next person who follows the same feed
LOOKED_BACK = 10_000  # items of one person's feeds, the newest


def catch_up() -> int:
    """Have everybody's watchlist see what it has not seen; how many candidates that found."""
    state = _State.of(Entry.objects.followed().owners())
    looking_back = state.checked & set(Entry.objects.to_look_back().owners())
    if not state.behind and not looking_back:
        return 0
    run = _Run(state, looking_back)
    people = sorted(state.behind | looking_back)
    return in_turns(people, run.one_turn, seconds=BUDGET_SECONDS, what="the watchlist")


def prune() -> int:
    """Forget old decisions, and candidates that nobody can take any more; how many."""
    return decisions.forget(timezone.now())


class _State:
    """How far some people have read which feeds. Positions move only from where they are said to be here."""

    def __init__(self, feeds: dict[int, list[FollowedFeed]], readings: dict[UUID, Reading]) -> None:
        self.feeds = feeds
        self.readings = readings

    @classmethod
    def of(cls, people: Collection[int]) -> "_State":
        by_person: dict[int, list[FollowedFeed]] = {}
        for feed in feeds.followed_feeds(people):
            by_person.setdefault(feed.user, []).append(feed)
        followed = (feed.subscription for theirs in by_person.values() for feed in theirs)
        return cls(by_person, Reading.objects.by_subscription(followed))

    @property
    def behind(self) -> set[int]:
        return {person for person in self.feeds if any(self.behind_in(person))}

    @property
    def checked(self) -> set[int]:
        """Who has a feed. Who has none yet looks back once they do."""
        return {person for person, theirs in self.feeds.items() if any(feed.checked for feed in theirs)}

    def behind_in(self, person: int) -> Iterator[FollowedFeed]:
        for feed in self.feeds.get(person, ()):
            reading = self.readings.get(feed.subscription)
            if reading is None or reading.since != feed.since:
                if feed.checked:
                    yield feed
            elif reading.source != feed.source or reading.position < feed.last_number:
                yield feed


class _ElsewhereError(Exception):
    """A position is not where it was: another worker moved it, or a feed has moved. Once more, from where it is now."""


class _Run:
    """What is the same for everybody is found out once."""

    def __init__(self, state: _State, looking_back: Collection[int]) -> None:
        self._state = state
        self._reading = state.behind | set(looking_back)
        self._looking_back = set(looking_back)
        self._typing = catalogue.who_typed_in()
        self._preferences = Preferences.objects.in_bulk(self._reading)
        self._offers = Offers(catalogue.everybodys())
        self._pieces: OrderedDict[tuple[int, int], list[Offer]] = OrderedDict()

    def one_turn(self, user_id: int) -> int | None:
        # Positions begin before anybody looks back: what is stored while they do, these will show.
        if user_id in self._reading:
            try:
                return self._read_on(user_id)
            except _ElsewhereError:
                self._look_again(user_id)
                return 0
        if user_id in self._looking_back:
            return self._look_back(user_id)
        return None

    @transaction.atomic
    def _read_on(self, user_id: int) -> int | None:
        """Some items of their feeds."""
        user = lock_person_in_turn(user_id)
        if user is None:
            return None
        behind = list(self._state.behind_in(user_id))
        if not all(self._has_begun(feed) for feed in behind):
            self._begin(user_id)
            return 0
        offers: list[Offer] = []
        moves: list[Move] = []
        more = False
        ends_at = time.monotonic() + ROUND_SECONDS
        for feed in behind:
            if moves and (len(offers) >= AT_ONCE or time.monotonic() > ends_at):
                more = True
                break
            reading = self._state.readings[feed.subscription]
            piece = self._piece(reading)
            more = more or len(piece) == AT_ONCE or reading.source != feed.source
            moves.append(_move_on(feed, reading, piece))
            offers += piece
        found = decisions.record(user, self._deciding(user).verdicts(offers)) if offers else 0
        if moves and not Reading.objects.move(moves):
            raise _ElsewhereError
        if not more:
            self._reading.discard(user_id)
        return found

    def _has_begun(self, feed: FollowedFeed) -> bool:
        reading = self._state.readings.get(feed.subscription)
        return reading is not None and reading.since == feed.since

    def _begin(self, user_id: int) -> None:
        self._look_again(user_id)
        for feed in self._state.behind_in(user_id):
            if not self._has_begun(feed) and (place := feeds.first_position(feed.subscription)):
                source, position = place
                Reading.objects.update_or_create(
                    subscription_id=feed.subscription,
                    defaults={"source": source, "position": position, "since": feed.since},
                )
        self._look_again(user_id)

    def _look_again(self, user_id: int) -> None:
        now = _State.of([user_id])
        self._state.feeds[user_id] = now.feeds.get(user_id, [])
        self._state.readings |= now.readings

    def _piece(self, reading: Reading) -> list[Offer]:
        """What comes next in a feed, matched. That nothing does is asked anew for each: others may know of more."""
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
            user = lock_person_in_turn(user_id)
            if user is None:
                return None
            if not catalogue.is_current(self._offers.shows):
                self._looking_back.discard(
                    user_id
                )  # the next run knows more of shows: it may be why they look back
                return 0
            # All of theirs as it is now: what they change while we run asks to look back once more.
            follower = Follower.of(user, self._offers.shows)
            asking = Entry.objects.to_look_back().filter(user=user)
            # A show that came since we began is left to the next run, which knows it.
            entries = [entry for entry in asking if follower.known(entry.show_id) is not None]
            verdicts = Deciding(follower).verdicts(offers)
            found = decisions.record(user, verdicts, entries=entries, again=True)
            Entry.objects.filter(pk__in=[entry.pk for entry in entries]).update(look_back=False)
        self._looking_back.discard(user_id)
        return found

    def _deciding(self, user: User) -> Deciding:
        own = catalogue.typed_by(user) if user.pk in self._typing else None
        return Deciding(Follower(user, self._offers.shows, own, self._preferences.get(user.pk)))


def _move_on(feed: FollowedFeed, reading: Reading, piece: list[Offer]) -> Move:
    was = (reading.source, reading.position)
    if piece:
        assert piece[-1].item is not None
        reading.position = piece[-1].item.number
    elif reading.source != feed.source:  # it has moved, and where it was, everything is seen
        reading.position = feeds.position_after_move(was=reading.source, source=feed.source)
        reading.source = feed.source
    else:
        reading.position = feed.last_number  # numbers have holes, where items were forgotten
    return Move(reading.pk, *was, reading.source, reading.position)
