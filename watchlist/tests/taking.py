"""Shows that people follow, and releases found for them, without feeds and providers."""

import itertools
import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from feeds.grabs import add_due
from feeds.models import FeedSource, Item
from feeds.services import lock_person
from torrents import engine_records, services
from torrents.models import Claim, Engine
from torrents.tests.factories import State as Live
from torrents.tests.factories import finish, live
from watchlist.choosing import advance, choose
from watchlist.models import Candidate, Entry, Grab, Show

State = Candidate.State
_numbers = itertools.count(1)


def show_of(title: str = "Lighthouse", *, episodes: int | None = 12, **fields: object) -> Show:
    defaults = {"provider": "anilist", "external_id": secrets.token_hex(8), "status": "RELEASING"}
    return Show.objects.create(**defaults | {"english": title, "episodes": episodes} | fields)


def follow(user: User, show: Show | None = None, **fields: object) -> Entry:
    return Entry.objects.create(**{"user": user, "show": show or show_of(), "origin": "search"} | fields)


def item_of(title: str, *, download: str | None = None, infohash: str = "") -> Item:
    source, _made = FeedSource.objects.get_or_create(
        digest="d", defaults={"url": "https://feeds.example/rss", "host": "feeds.example"}
    )
    number = next(_numbers)
    link = f"magnet:?xt=urn:btih:{infohash or secrets.token_hex(20)}" if download is None else download
    return Item.objects.create(
        source=source,
        number=number,
        key=f"{number:032x}",
        title=title,
        download=link,
        infohash=infohash,
        release={},
    )


def found(
    entry: Entry,
    *numbers: float,
    group: str = "Group",
    version: int = 1,
    special: str = "",
    preference: Sequence[int] = (0,),
    ago: timedelta = timedelta(0),
    item: Item | None = None,
) -> Candidate:
    """A release that the wishes of the entry's owner allow."""
    title = f"[{group}] Lighthouse - {' '.join(f'{number:g}' for number in numbers)}v{version}"
    return Candidate.objects.create(
        entry=entry,
        item=item or item_of(title),
        title=title,
        group=group,
        version=version,
        numbers=list(numbers),
        special=special,
        preference=list(preference),
        found_at=timezone.now() - ago,
    )


def choose_for(user: User) -> int:
    """As the consumer does."""
    with transaction.atomic():
        lock_person(user.pk)
        return choose(user=user)


def again(candidate: Candidate) -> Candidate:
    candidate.refresh_from_db()
    return candidate


def served(entry: Entry) -> dict[float, int]:
    """By episode, the candidate that it comes from."""
    return dict(Grab.objects.filter(entry=entry).values_list("number", "candidate"))


def claim_of(candidate: Candidate) -> Claim:
    claim_id = again(candidate).claim_id
    assert claim_id is not None
    return Claim.with_removed.select_related("torrent", "user").get(pk=claim_id)


def work() -> None:
    """What workers do each minute."""
    add_due()
    advance()


def engine_is_there(*, there: bool = True) -> None:
    Engine.objects.update_or_create(name=services.DEFAULT_ENGINE, defaults={"reachable": there})


def runs(candidate: Candidate, *, state: str = Live.STALLED, progress: float = 0.0) -> None:
    """What the engine says of its torrent."""
    torrent = claim_of(candidate).torrent
    if torrent.size is None:
        torrent.size = 1000
        torrent.save()
    engine_records.record_live_states([live(torrent, state, progress=progress)])


def arrive(*candidates: Candidate) -> None:
    finish([claim_of(candidate).torrent for candidate in candidates])
    advance()


def hours_pass(candidate: Candidate, hours: float) -> None:
    """In which nobody sent a byte of it."""
    Candidate.objects.filter(pk=candidate.pk).update(idle_seconds=round(hours * 3600))


def taken(entry: Entry, *numbers: float, **fields: object) -> Candidate:
    """Under way, its torrent added."""
    one = found(entry, *numbers, **fields)  # type: ignore[arg-type]
    choose_for(entry.user)
    work()
    assert again(one).state == State.TAKEN
    return one


def there(entry: Entry, *numbers: float, **fields: object) -> Candidate:
    one = found(entry, *numbers, **fields)  # type: ignore[arg-type]
    choose_for(entry.user)
    work()
    arrive(one)
    assert again(one).state == State.HAVE
    return one


def is_removed(candidate: Candidate) -> bool:
    return claim_of(candidate).removed_at is not None


def look_after(candidate: Candidate, passed: timedelta) -> None:
    Candidate.objects.filter(pk=candidate.pk).update(looked_at=timezone.now() - passed)
    advance()
