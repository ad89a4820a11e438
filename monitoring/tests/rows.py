"""A box with much in it, as rows: for tests and the benchmark."""

import secrets
import uuid
from datetime import timedelta

from django.utils import timezone
from django_q.models import Schedule

from accounts.models import User
from torrents.allowances import utc_today
from torrents.models import Claim, LiveState, Torrent, Traffic
from torrents.services import default_engine
from watchlist.models import Link, Provider

STATES = list(LiveState.State.values)
SIZE = 700 * 2**20


def many_torrents(*, people: int, torrents: int) -> None:
    """Torrents in all states, each held by one or two of new people, who have fetched something this month."""
    users = User.objects.bulk_create(
        User(username=f"p{secrets.token_hex(6)}", password="!") for _ in range(people)
    )
    engine = default_engine()
    made = Torrent.objects.bulk_create(
        Torrent(engine=engine, infohash_v1=secrets.token_hex(20), name=f"Show {number}", size=SIZE + number)
        for number in range(torrents)
    )
    LiveState.objects.bulk_create(
        LiveState(torrent=torrent, state=STATES[number % len(STATES)], progress=number % 100 / 100)
        for number, torrent in enumerate(made)
    )
    now = timezone.now()
    Claim.objects.bulk_create(
        Claim(
            user=users[(number + step) % people],
            torrent=torrent,
            wanted="paused" if number % 5 == 0 else "running",
            waits_for="user_disk" if number % 7 == 1 else "",
            completed_at=now if number % 3 == 0 else None,
            admitted_size=None if number % 4 == 0 else torrent.size,
            change=number,
        )
        for number, torrent in enumerate(made)
        for step in range(1 + (number % 10 == 0 and people > 1))
    )
    Traffic.objects.bulk_create(
        Traffic(user=user, day=utc_today() - timedelta(days=ago), channel=channel, sent=SIZE)
        for user in users
        for channel in Traffic.Channel.values
        for ago in range(31)
    )


def everything() -> None:
    """At least one sample of every figure, beside an engine and a task that ended."""
    person = User.objects.create(username=f"p{uuid.uuid4().hex[:8]}", password="!")
    now = timezone.now()
    Provider.objects.create(name="anilist", airing_at=now)
    Link.objects.create(user=person, provider="anilist", name="Keeper", synced_at=now)
    Schedule.objects.get_or_create(func="feeds.tasks.check_feeds", defaults={"minutes": 1})
