"""People, their lists and a pretended AniList, living through a day whose clock jumps from minute to minute.

What is simulated is time alone: the product's own function runs as a worker runs it, once a minute, against
real rows and a real HTTP server that executes every query. A request takes LATENCY of simulated time.
"""

import random
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType

from django.db.models import Min
from django.test import override_settings

from accounts.models import User
from watchlist.linking import link_by_name, sync_now
from watchlist.models import Entry, Episode, Link, Show
from watchlist.search import search_shows
from watchlist.sync import sync_all
from watchlist.tests.anilist_server import DISABLED, DOWN, LIMITED, Fault, anilist_server
from watchlist.tests.anilist_world import Listed
from watchlist.tests.clock import BEGINNING, simulated_time

LATENCY = 0.5  # seconds
LIMIT = 10  # requests in a minute
LONGEST_WARMING = 120  # minutes
SETTLING = 40  # minutes without changes, after which everything must be as AniList has it
NEAR = timedelta(days=7)  # airing times that are known however many shows there are


@dataclass(frozen=True)
class Storm:
    begins: float
    """Minutes after everything was read once."""
    lasts: float
    fault: Fault
    every: int = 1
    """One of so many requests meets it."""


STORMS = (
    Storm(60, 5, LIMITED),
    Storm(120, 15, DISABLED),
    Storm(210, 3, LIMITED),  # alternating
    Storm(213, 8, DISABLED),
    Storm(221, 3, LIMITED),
    Storm(300, 30, LIMITED, every=12),
    Storm(420, 8, DOWN),
    Storm(540, 10, DISABLED),
    Storm(555, 10, DISABLED),
    Storm(660, 12, LIMITED),
    Storm(780, 60, DOWN, every=5),
    Storm(930, 15, DISABLED),
    Storm(980, 15, DISABLED),
    Storm(1080, 3, DISABLED),
    Storm(1083, 3, LIMITED),
    Storm(1086, 3, DISABLED),
    Storm(1200, 15, DISABLED),
    Storm(1300, 60, LIMITED, every=7),
)


class Day:
    """`shows` stand on each list, of `distinct` different ones; all of them are airing, an episode a week."""

    def __init__(
        self,
        *,
        people: int,
        shows: int,
        distinct: int | None = None,
        storms: tuple[Storm, ...] = STORMS,
        seed: int = 7,
    ) -> None:
        self._people = people
        self._shows = shows
        self._distinct = distinct or max(shows, people * shows // 4)
        self._storms = storms
        self._random = random.Random(seed)
        self._stack = ExitStack()
        self._minute = 0  # of the clock
        self._warm_after: int | None = None
        self._counted = 0
        self.refused = self.searches = self.searches_answered = 0
        self.oldest_list = self.oldest_airing = 0.0
        self.oldest_list_in_peace = self.oldest_airing_in_peace = 0.0

    def __enter__(self) -> "Day":
        with ExitStack() as stack:
            self.clock = stack.enter_context(simulated_time())
            self.server = stack.enter_context(anilist_server(self.clock.seconds))
            stack.enter_context(
                override_settings(
                    ANILIST_URL=self.server.url, ANILIST_REQUESTS_PER_MINUTE=LIMIT, WATCHLIST_PER_USER=1000
                )
            )
            self.server.before = lambda: self.clock.move(seconds=LATENCY)
            self._make_world()
            self.warming = self._warm_up()
            self.server.fault = self._fault
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def live(self, *, minutes: int) -> None:
        for _minute in range(minutes):
            if self._minute % 60 == 0:
                self._change()
            self._live_a_minute()

    def settle(self) -> None:
        """Nothing changes any more, until everything must have been read."""
        for _minute in range(SETTLING):
            self._live_a_minute()

    def lists_that_differ(self) -> int:
        """People who follow something else than what they watch at AniList, or are told another progress."""
        here: dict[str, dict[int, int]] = defaultdict(dict)
        followed = Entry.objects.filter(state=Entry.State.FOLLOWED).select_related("show", "user")
        for entry in followed:
            here[entry.user.username][int(entry.show.external_id)] = entry.list_progress
        return sum(
            here[person.name]
            != {listed.media: listed.progress for listed in person.listed if listed.status == "CURRENT"}
            for person in self.server.world.people
        )

    def airing_times_that_differ(self) -> int:
        now = self.clock.now()
        here = {
            (int(row.show.external_id), row.number, int(row.airs_at.timestamp()))
            for row in Episode.objects.filter(airs_at__gt=now, airs_at__lt=now + NEAR).select_related("show")
        }
        followed = Entry.objects.filter(state=Entry.State.FOLLOWED).values("show")
        shows = {int(show.external_id) for show in Show.objects.filter(pk__in=followed)}
        there = {
            (row["mediaId"], row["episode"], row["airingAt"])
            for row in self.server.world.schedules
            if row["mediaId"] in shows and now.timestamp() < row["airingAt"] < (now + NEAR).timestamp()
        }
        return len({row for row in here if row[0] in shows} ^ there)

    def _make_world(self) -> None:
        world = self.server.world
        for number in range(1, self._distinct + 1):
            relations = [("PREQUEL", number - 1)] if number % 10 == 0 else []
            world.add_show(number, f"Harbour of the {number}th light", relations=relations)
            first = BEGINNING - timedelta(weeks=3) + timedelta(minutes=self._random.randrange(7 * 24 * 60))
            for episode in range(1, 8):
                world.add_airing(number, episode, first + timedelta(weeks=episode - 1))
        for number in range(self._people):
            chosen = self._random.sample(range(1, self._distinct + 1), self._shows)
            person = world.add_person(f"person{number}", *(Listed(media) for media in chosen))
            user = User.objects.create(username=person.name, password="!")
            link_by_name(user=user, provider="anilist", name=person.name)

    def _warm_up(self) -> int:
        """Until everything was read once; how many minutes that took."""
        for minute in range(LONGEST_WARMING):
            unread = Link.objects.filter(synced_at=None).exists() or Show.objects.filter(
                entries__isnull=False, airing_at=None
            )
            if not unread:
                self._warm_after = self._minute
                return minute
            self._live_a_minute()
        raise AssertionError("not everything was read")

    def _live_a_minute(self) -> None:
        self._minute += 1
        self.clock.move_to(self._minute * 60)
        self._look()
        if self._warm_after is not None:
            self._be_people()
        sync_all()
        self._look()

    def _be_people(self) -> None:
        if self._random.random() < 0.4:
            for _search in range(20 if self._minute % 60 < 3 else 1):
                self.searches += 1
                words = f"{self._random.randrange(self._distinct)}th light"
                found, message = search_shows(user=self._somebody(), text=words)
                self.searches_answered += bool(found) and not message
        if self._minute % 4 == 0:
            sync_now(link=Link.objects.get(user=self._somebody()))

    def _somebody(self) -> User:
        return User.objects.get(username=f"person{self._random.randrange(self._people)}")

    def _change(self) -> None:
        """Episodes move and are put off, people watch, drop and begin shows."""
        world = self.server.world
        now = self.clock.now()
        to_come = [row for row in world.schedules if row["airingAt"] > (now + timedelta(hours=1)).timestamp()]
        for row in self._random.sample(to_come, min(20, len(to_come))):
            row["airingAt"] += self._random.choice((1800, 86_400, 7 * 86_400))
        for person in self._random.sample(world.people, min(10, len(world.people))):
            self._random.choice(person.listed).progress += 1
            self._random.choice(person.listed).status = "DROPPED"
            known = {listed.media for listed in person.listed}
            if beginning := [media for media in world.media if media not in known]:
                person.listed.append(Listed(self._random.choice(beginning)))

    def _fault(self) -> Fault | None:
        self._counted += 1
        for storm in self._storms:
            if storm.begins <= self._since_warm() < storm.begins + storm.lasts and not (
                self._counted % storm.every
            ):
                self.refused += 1
                return storm.fault
        return None

    def _since_warm(self) -> float:
        """Minutes."""
        return self.clock.seconds() / 60 - (self._warm_after or 0)

    def _look(self) -> None:
        """How old is the oldest?"""
        if self._warm_after is None:
            return
        now = self.clock.now()
        lists = _minutes(now, Link.objects.aggregate(oldest=Min("synced_at"))["oldest"])
        # What somebody began to follow a moment ago was never read, so has no age.
        followed = Entry.objects.filter(state=Entry.State.FOLLOWED).values("show")
        read = Show.objects.filter(pk__in=followed).aggregate(oldest=Min("airing_at"))["oldest"]
        airing = _minutes(now, read)
        self.oldest_list = max(self.oldest_list, lists)
        self.oldest_airing = max(self.oldest_airing, airing)
        since = self._since_warm()
        if not any(storm.begins <= since < storm.begins + storm.lasts + 45 for storm in self._storms):
            self.oldest_list_in_peace = max(self.oldest_list_in_peace, lists)
            self.oldest_airing_in_peace = max(self.oldest_airing_in_peace, airing)


def _minutes(now: datetime, then: datetime | None) -> float:
    return (now - then).total_seconds() / 60 if then else 0.0
