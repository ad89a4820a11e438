"""The worker is killed again and again while items go on appearing: is each stored once, and taken once?

What a person would wait for is not waited for: all feeds are due all the time, and what a killed worker had leased is
free at once. Nothing else is alive then, so nothing is done that time would not do.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from benchmarks.common import Figures, Promise
from benchmarks.feed_box import FeedBox, people, wait_until
from benchmarks.feed_server import ITEMS, FeedServer, infohash_of

if TYPE_CHECKING:
    from accounts.models import User

NEWS = 3  # a feed forgets nothing that was not stored before 25 checks of it in a row are lost
FIRST_FEED = 100_000  # whatever other parts ask for has smaller numbers
LONGEST_LIFE = 4.0  # seconds after the worker has begun to work


def kills(box: FeedBox, server: FeedServer, feeds: int, times: int, say: Callable[[str], None]) -> Figures:
    server.move_by(NEWS)
    (person,) = people("killed")
    names = [f"/well/{FIRST_FEED + number}" for number in range(feeds)]
    sources = _follow(person, server, names)
    box.start_worker()
    say(f"killing the worker {times} times")
    _until_seen(person, feeds)
    busy, began = 0, time.monotonic()
    for _ in range(times):
        busy += _live_and_die(box, sources)
        box.start_worker()
    say("letting it finish")
    server.move_by(0)
    _until_done(person, sources, server, names)
    box.kill_worker()
    return {
        "kills": times,
        "kills_while_at_work": busy,
        "seconds": round(time.monotonic() - began, 1),
        "worker_restarts": times,
        **_found(person, sources, {name: server.shown()[name] for name in names}),
    }


def _follow(person: "User", server: FeedServer, names: Iterable[str]) -> list[int]:
    """Them all, with a rule that takes all that appears."""
    from feeds.models import Subscription
    from feeds.rule_changes import create_rule
    from feeds.services import subscribe

    Subscription.objects.update(enabled=False)  # of other parts
    subscriptions = [
        subscribe(user=person, url=server.url(name, host), name=name) for host, name in enumerate(names)
    ]
    create_rule(user=person, name="All", subscriptions=[subscription.pk for subscription in subscriptions])
    return [subscription.source_id for subscription in subscriptions]


def _until_seen(person: "User", feeds: int) -> None:
    """Until all were looked at once: what they had then is nobody's wish."""
    from feeds.models import Subscription

    begun = Subscription.objects.filter(user=person, position=ITEMS, source__last_number=ITEMS)
    wait_until(lambda: begun.count() == feeds, "the first look at every feed")


def _live_and_die(box: FeedBox, sources: list[int]) -> bool:
    """Whether there was something under way when it was killed."""
    from feeds.models import FeedSource, Grab, Subscription

    mine = FeedSource.objects.filter(pk__in=sources)

    def begun() -> bool:
        _make_due(sources)
        return mine.exclude(leased_until=None).exists()

    wait_until(begun, "the worker to begin")
    dies_at = time.monotonic() + random.uniform(0, LONGEST_LIFE)  # noqa: S311  nothing secret
    while time.monotonic() < dies_at:
        _make_due(sources)
        time.sleep(0.1)
    box.kill_worker()
    checking = mine.exclude(leased_until=None).exists()
    behind = Subscription.objects.owners_behind() or Grab.objects.filter(state=Grab.State.DUE).exists()
    _let_leases_run_out(sources)
    return bool(checking or behind)


def _make_due(sources: list[int]) -> None:
    from django.utils import timezone

    from feeds.models import FeedSource

    FeedSource.objects.filter(pk__in=sources, leased_until=None).update(next_check_at=timezone.now())
    _ask()


def _ask() -> None:
    """As the schedule does each minute, unless it waits already."""
    from django.utils import timezone
    from django_q.models import OrmQ
    from django_q.tasks import async_task

    if OrmQ.objects.filter(lock__lte=timezone.now()).count() < 2:
        async_task("feeds.tasks.check_feeds")
        async_task("feeds.tasks.decide")


def _let_leases_run_out(sources: list[int]) -> None:
    from django.utils import timezone

    from feeds.models import FeedSource, Grab

    now = timezone.now()
    leased = FeedSource.objects.filter(pk__in=sources).exclude(leased_until=None)
    leased.update(leased_until=now - timedelta(seconds=1), next_check_at=now)
    Grab.objects.filter(state=Grab.State.DUE).update(due_at=now)


def _until_done(person: "User", sources: list[int], server: FeedServer, names: list[str]) -> None:
    from feeds.models import FeedSource, Grab, Subscription

    shown = server.shown()
    last = sum(shown[name] for name in names)

    def done() -> bool:
        _make_due(sources)
        stored = sum(FeedSource.objects.filter(pk__in=sources).values_list("last_number", flat=True))
        return (
            stored >= last
            and person.pk not in Subscription.objects.owners_behind()
            and not Grab.objects.filter(user=person, state=Grab.State.DUE).exists()
        )

    wait_until(done, "everything to be stored and taken")


def _found(person: "User", sources: list[int], shown: Mapping[str, int]) -> Figures:
    """What the database has, beside what the feeds have shown."""
    from feeds.models import Grab, Item
    from torrents.models import Claim

    stood = [infohash_of(name, number) for name, last in shown.items() for number in range(1, last + 1)]
    new = [infohash_of(name, number) for name, last in shown.items() for number in range(ITEMS + 1, last + 1)]
    items = Item.objects.filter(source__in=sources)
    grabs = Grab.objects.filter(user=person)
    claims = Claim.objects.filter(user=person)
    return {
        "items": {"shown": len(stood), **_compared(stood, items.values_list("infohash", flat=True))},
        "grabs": {"wanted": len(new), **_compared(new, grabs.values_list("infohash", flat=True))},
        "torrents": {
            "wanted": len(new),
            **_compared(new, claims.values_list("torrent__infohash_v1", flat=True)),
        },
        "grabs_not_added": grabs.exclude(state=Grab.State.ADDED).count(),
    }


def _compared(wanted: Iterable[str], found: Iterable[str | None]) -> dict[str, int]:
    expected, there = Counter(wanted), Counter(infohash or "none" for infohash in found)
    return {
        "lost": (expected - there).total(),
        "doubled_or_strange": (there - expected).total(),
    }


def promises(figures: Figures) -> Iterator[Promise]:
    for what in ("items", "grabs", "torrents"):
        for how in ("lost", "doubled_or_strange"):
            yield Promise(
                f"{what} {how.replace('_', ' ')}, {figures['kills']} kills of the worker",
                figures[what][how],
                0,
            )
