"""How long new items take from stored to taken for everybody's watchlist, by the code that the worker runs, on a real
PostgreSQL. Processor time of our process and of the database's together: this machine has other things to do.

Deciding, which grows with what people follow, and choosing, which grows with what is taken of what was found, have
figures of their own.
"""

import random
import statistics
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from django.apps import apps

from benchmarks.common import Figures, Promise
from benchmarks.feed_box import feed_box

if TYPE_CHECKING:
    from accounts.models import User
    from feeds.models import FeedSource
    from watchlist.models import Entry, Show

ITEMS = 100
PEOPLE = 50
ENTRIES = 2000
FOLLOWED = 500  # distinct shows
KNOWN = 3000
FEEDS = 4
REPEATS = 7
BAR = 1.0  # seconds

_BEGINNINGS = (
    "ka",
    "shi",
    "mo",
    "re",
    "ta",
    "yu",
    "no",
    "ha",
    "ki",
    "lu",
    "se",
    "do",
    "mi",
    "ra",
    "zo",
    "ve",
)
_ENDINGS = ("ne", "rin", "to", "sa", "ku", "ra", "den", "mi", "shu", "bel", "gon", "tei")


def run(quick: bool) -> tuple[Figures, list[Promise]]:
    """In a box of its own, unless Django is set up already."""
    with _box():
        figures = _deciding(quick)
    promise = Promise(
        f"s of one core for {ITEMS} new items × {ENTRIES:,} entries of {PEOPLE} people", figures["cpu_s"], BAR
    )
    return figures, [promise]


@contextmanager
def _box() -> Iterator[None]:
    if apps.ready:
        yield
    else:
        with feed_box():
            yield


def _deciding(quick: bool) -> Figures:
    from watchlist import consumer
    from watchlist.models import Candidate, Decision

    share = 10 if quick else 1
    chance = random.Random(2)  # noqa: S311  nothing secret
    shows = _shows(chance, KNOWN // share)
    people = _people(PEOPLE // share)
    followed = shows[: FOLLOWED // share]
    _follow(chance, people, followed, ENTRIES // share)
    sources = [_feed(people) for _ in range(FEEDS)]
    consumer.catch_up()  # positions begin
    turns = []
    for turn in range(3 if quick else REPEATS):
        for place, source in enumerate(sources):
            titles = [_title(chance, followed, shows, turn) for _ in range(ITEMS // len(sources))]
            _store(source, titles, place)
        _forget_catalogue(turn)
        turns.append(_timed())
    warm = turns[1:]
    median = {name: statistics.median(turn[name] for turn in warm) for name in warm[0]}
    return {
        "items": ITEMS,
        "people": len(people),
        "entries": ENTRIES // share,
        "known_shows": len(shows),
        "cpu_s": round(median["python"] + median["postgres"], 3),
        "deciding_cpu_s": round(median["deciding"], 3),
        "choosing_cpu_s": round(median["choosing"], 3),
        "python_cpu_s": round(median["python"], 3),
        "postgres_cpu_s": round(median["postgres"], 3),
        "wall_s": round(median["wall"], 3),
        "with_reading_all_shows_cpu_s": round(turns[0]["python"] + turns[0]["postgres"], 3),
        "decisions_a_run": Decision.objects.count() // len(turns),
        "candidates_a_run": Candidate.objects.count() // len(turns),
        "taken_a_run": Candidate.objects.under_way().count() // len(turns),
    }


class _Clock:
    """Seconds of one core, of our process and of the database's that serves it."""

    def __init__(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self._database = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")

    def now(self) -> tuple[float, float]:
        return time.process_time(), int(self._database.read_text().split()[0]) / 1e9


def _timed() -> dict[str, float]:
    """Seconds of one run of the worker's."""
    from watchlist import choosing, consumer

    clock = _Clock()
    chosen = 0.0
    choose = choosing.choose

    def timed_choose(*, user: "User", entries: "Collection[Entry] | None" = None) -> int:
        nonlocal chosen
        before = sum(clock.now())
        taken = choose(user=user, entries=entries)
        chosen += sum(clock.now()) - before
        return taken

    choosing.choose = timed_choose
    try:
        wall, before = time.monotonic(), clock.now()
        consumer.catch_up()
        python, postgres = (now - was for was, now in zip(before, clock.now(), strict=True))
    finally:
        choosing.choose = choose
    return {
        "python": python,
        "postgres": postgres,
        "deciding": python + postgres - chosen,
        "choosing": chosen,
        "wall": time.monotonic() - wall,
    }


def _forget_catalogue(turn: int) -> None:
    """Once: a worker keeps it as long as no show changes."""
    from watchlist import catalogue

    if turn == 0:
        catalogue._kept = None


def _name(chance: random.Random) -> str:
    words = (
        "".join([chance.choice(_BEGINNINGS) for _ in range(chance.randint(1, 2))] + [chance.choice(_ENDINGS)])
        for _ in range(chance.randint(2, 4))
    )
    return " ".join(words).title()


def _shows(chance: random.Random, count: int) -> "list[Show]":
    """Every third has a second season; some air."""
    from django.utils import timezone

    from watchlist.models import Episode, Relation, Show

    made: list[Show] = []
    sequels = []
    while len(made) < count:
        name = _name(chance)
        for season in range(1, 3 if chance.random() < 0.33 else 2):
            title = name if season == 1 else f"{name} {season}"
            made.append(
                Show(
                    provider="anilist",
                    external_id=str(len(made) + 1),
                    romaji=title,
                    english=f"The {_name(chance)}" if season == 1 else "",
                    synonyms=[_name(chance) for _ in range(3)] if season == 1 else [],
                    format="TV",
                    status=chance.choice(("RELEASING", "FINISHED", "FINISHED")),
                    episodes=24,
                    season_year=2025,
                    starts_on=timezone.now().date() - timedelta(days=200),
                    fetched_at=timezone.now(),
                )
            )
            if season == 2:
                sequels.append(len(made) - 1)
    rows = Show.objects.bulk_create(made, batch_size=500)
    for second in sequels:
        for show, kind, other in ((second - 1, "SEQUEL", second), (second, "PREQUEL", second - 1)):
            Relation.objects.create(show=rows[show], kind=kind, other=rows[other])
    now = timezone.now()
    Episode.objects.bulk_create(
        [
            Episode(show=show, number=number, airs_at=now + timedelta(days=7 * (number - 20)))
            for show in rows
            if show.status == "RELEASING"
            for number in range(1, 25)
        ],
        batch_size=2000,
    )
    chance.shuffle(rows)
    return rows


def _people(count: int) -> "list[User]":
    from accounts.models import User
    from watchlist.models import Preferences

    people = [
        User.objects.create(username=f"watcher-{uuid.uuid4()}", password="!")  # noqa: S106  no password opens it
        for _ in range(count)
    ]
    for person in people[::2]:
        Preferences.objects.create(user=person, resolutions=["1080p", "720p"], groups=["Alpha", "Beta"])
    return people


def _follow(chance: random.Random, people: "list[User]", shows: "list[Show]", entries: int) -> None:
    from watchlist.models import Alias, Entry

    each = entries // len(people)
    for person in people:
        chosen = chance.sample(shows, each)
        Entry.objects.bulk_create(
            [Entry(user=person, show=show, origin="list", look_back=False) for show in chosen]
        )
        for show in chosen[:2]:
            name = _name(chance)
            Alias.objects.create(user=person, name=name, key=name.casefold().replace(" ", ""), show=show)


def _feed(people: "list[User]") -> "FeedSource":
    from django.utils import timezone

    from feeds.models import FeedSource, Subscription

    url = f"https://feeds.example/{uuid.uuid4()}"
    source = FeedSource.objects.create(
        digest=FeedSource.digest_of(url), url=url, host="feeds.example", succeeded_at=timezone.now()
    )
    Subscription.objects.bulk_create(
        [Subscription(user=person, source=source, name="A feed", position=0) for person in people]
    )
    FeedSource.objects.filter(pk=source.pk).update(succeeded_at=timezone.now())
    return source


def _title(chance: random.Random, followed: "list[Show]", shows: "list[Show]", turn: int) -> str:
    """Of six in ten somebody follows the show; two are of shows that nobody does, two of what nobody knows."""
    kind = chance.random()
    name = chance.choice(followed if kind < 0.6 else shows).romaji if kind < 0.8 else _name(chance)
    group, resolution = chance.choice(("Alpha", "Beta", "Gamma")), chance.choice((480, 720, 1080))
    return f"[{group}] {name} - {turn + 1:02} ({resolution}p) [{chance.randrange(16**8):08X}].mkv"


def _store(source: "FeedSource", titles: list[str], place: int) -> None:
    """As a check of the feed does."""
    from feeds.models import Item
    from feeds.releases import parse
    from feeds.releases.objects import to_object

    source.refresh_from_db()
    Item.objects.bulk_create(
        [
            Item(
                source=source,
                number=source.last_number + offset,
                key=uuid.uuid4(),
                title=title,
                download=f"magnet:?xt=urn:btih:{uuid.uuid4().int % 2**160:040x}",
                release=to_object(parse(title)),
            )
            for offset, title in enumerate(titles, start=1)
        ]
    )
    source.last_number += len(titles)
    source.save(update_fields=["last_number"])
