"""From a grab to a torrent: fetching what it points to and adding it, again and again until it is there or cannot be.

A grab is taken from its queue by moving its due time behind the lease, so a worker that dies gives it back.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_q.tasks import async_task

from accounts.models import User
from feeds.models import FeedSource, Grab, Item, Rule
from feeds.moving import keeps_credentials
from feeds.querysets import lock_person
from proxy_site.outbound import OutboundError
from proxy_site.outbound_many import Limits, Outcome, Request, fetch_many
from torrents.claim_wishes import WishRefused, add_with_wishes
from torrents.metainfo import MAX_TORRENT_BYTES, MetainfoError, Source, parse_magnet
from torrents.services import TorrentRefused
from torrents.sources import FETCH_SECONDS, TORRENT_TYPES, source_from_response

logger = logging.getLogger(__name__)

BATCH = 50
BUDGET_SECONDS = 50.0  # of a run, which the worker ends after Q_CLUSTER["timeout"]
LEASE = timedelta(minutes=4)
# Indexers announce a .torrent moments before they serve it, and are down for a night.
RETRIES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720))
REFUSALS_BELIEVED_AFTER = 3  # times that a server says "no such file"

State = Grab.State


class GrabRefused(Exception):
    """This item cannot be taken; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An item that a person, or something that chooses for them, wants."""

    item: int
    origin_detail: str
    label: str = ""
    start_paused: bool = False


def add_due() -> int:
    """Add all that is due; how many torrents that made."""
    added = 0
    ends_at = time.monotonic() + BUDGET_SECONDS
    while time.monotonic() < ends_at and (grabs := _claim_due()):
        added += _add_all(grabs, ends_at)
        if len(grabs) < BATCH:
            break
    return added


def make_grab(*, user: User, item: Item, rule: Rule | None, origin_detail: str, due_at: datetime) -> Grab:
    """Due, and not saved yet."""
    return Grab(
        user=user,
        item=item,
        rule=rule,
        origin_detail=origin_detail[:255],
        title=item.title,
        download=item.download,
        infohash=item.infohash,
        start_paused=rule.start_paused if rule is not None else False,
        label=rule.label if rule is not None else "",
        state=State.DUE,
        due_at=due_at,
    )


@transaction.atomic
def grab_anyway(*, user: User, item: Item, origin_detail: str) -> Grab:
    """A person takes this item themselves, whatever rules say; one that failed or was had is tried again.

    Raises GrabRefused where there is nothing to take.
    """
    lock_person(user.pk)  # their rules may be about to take the same one
    # Added before: whoever asks now wants it again, though they may have removed it.
    return take(user=user, item=item, origin=Grab.Origin.FEED, origin_detail=origin_detail, again=True)


def take(
    *,
    user: User,
    item: Item,
    origin: str,
    origin_detail: str,
    label: str = "",
    start_paused: bool = False,
    again: bool = False,
) -> Grab:
    """As `take_many`. Raises GrabRefused where there is nothing to take."""
    choice = Choice(item=item.pk, origin_detail=origin_detail, label=label, start_paused=start_paused)
    (outcome,) = take_many(user=user, choices=[choice], origin=origin, again=again)
    if isinstance(outcome, GrabRefused):
        raise outcome
    return outcome


@transaction.atomic(savepoint=False)
def take_many(
    *, user: User, choices: Sequence[Choice], origin: str, again: bool = False
) -> list[Grab | GrabRefused]:
    """Have what was chosen added: for each choice its grab, or why there is nothing to take. The caller holds the
    person's lock. The worker adds it at once, rather than when it next looks what is due.

    A grab that they have of the same item or torrent is theirs already, and there is no second download: one that
    waits, or that failed, is due at once, one that was added stays as it is, and so does who took it. `again`: that
    one too is added once more, though they may have removed it.
    """
    items = Item.objects.kept([choice.item for choice in choices])
    theirs = _Grabs(Grab.objects.of(user).for_items(items.values()).select_for_update().reverse())
    outcomes: list[Grab | GrabRefused] = []
    new: list[Grab] = []
    begun_anew = False
    now = timezone.now()
    for choice in choices:
        item = items.get(choice.item)
        if item is None:
            outcomes.append(GrabRefused("This item is forgotten by now."))
            continue
        if not item.download:
            outcomes.append(GrabRefused("This item has no torrent in it."))
            continue
        grab = theirs.newest_of(item)
        if grab is None:
            grab = make_grab(user=user, item=item, rule=None, origin_detail=choice.origin_detail, due_at=now)
            grab.origin, grab.label, grab.start_paused = origin, choice.label, choice.start_paused
            theirs.add(grab)
            new.append(grab)
        elif grab not in new and (again or grab.state in (State.WAITING, State.FAILED)):
            grab = _begin_anew(grab, item)
            begun_anew = True
        outcomes.append(grab)
    Grab.objects.bulk_create(new)
    if new or begun_anew:
        async_task("feeds.tasks.decide")  # joins the transaction
    return outcomes


@transaction.atomic
def withdraw(grab: Grab, *, origin: str) -> bool:
    """`origin` does not want it any more: one of its own that is not added yet never will be. The caller holds the
    person's lock. False: it is not there, somebody else's, or added."""
    waiting = Grab.objects.filter(pk=grab.pk, origin=origin, state__in=(State.WAITING, State.DUE))
    return bool(waiting.delete()[0])


class _Grabs:
    """A person's, by item and by torrent; there is one of each, by constraint."""

    def __init__(self, oldest_first: Iterable[Grab]) -> None:
        self._grabs: list[Grab] = []
        self._of_item: dict[int | None, int] = {}
        self._of_torrent: dict[str, int] = {}
        for grab in oldest_first:
            self.add(grab)

    def add(self, grab: Grab) -> None:
        self._of_item[grab.item_id] = self._of_torrent[grab.infohash] = len(self._grabs)
        self._grabs.append(grab)

    def newest_of(self, item: Item) -> Grab | None:
        place = self._of_item.get(item.pk, -1)
        if item.infohash:
            place = max(place, self._of_torrent.get(item.infohash, -1))
        return self._grabs[place] if place >= 0 else None


def _begin_anew(grab: Grab, item: Item) -> Grab:
    if (
        grab.claim_id is not None and not grab.infohash
    ):  # it is the torrent of another item: that one is added anew
        same = Grab.objects.filter(user=grab.user_id, claim_id=grab.claim_id).exclude(infohash="")
        grab = same.select_for_update().first() or grab
    grab.state, grab.due_at, grab.attempts, grab.message = State.DUE, timezone.now(), 0, ""
    grab.ended_at, grab.download = None, item.download
    grab.save()
    return grab


@transaction.atomic
def _claim_due() -> list[Grab]:
    now = timezone.now()
    grabs = list(Grab.objects.due(now)[:BATCH])
    for grab in grabs:
        grab.attempts += 1  # before the work, so that one that kills its worker comes to an end
        grab.state, grab.due_at = State.DUE, now + LEASE
    Grab.objects.bulk_update(grabs, ["attempts", "state", "due_at"])
    return grabs


def _add_all(grabs: Sequence[Grab], ends_at: float) -> int:
    added = 0
    by_pk = {grab.pk: grab for grab in grabs}
    magnets = [grab for grab in grabs if grab.download[:7].lower() == "magnet:"]
    for grab in magnets:
        added += _add(grab, partial(parse_magnet, grab.download))
    limits = Limits(deadline=FETCH_SECONDS, max_bytes=MAX_TORRENT_BYTES, at_once=8)
    requests = [_request(grab) for grab in grabs if grab not in magnets]
    outcomes = fetch_many(requests, limits, allow_private=settings.OUTBOUND_ALLOW_PRIVATE)
    with closing(outcomes):
        for outcome in outcomes:
            added += _add(by_pk.pop(outcome.key), partial(_source, outcome))
            if time.monotonic() > ends_at:
                break  # many of one slow host; their turn comes again, and that of others first
    return added


def _request(grab: Grab) -> Request[int]:
    source: FeedSource | None = grab.item.source if grab.item is not None else None
    credentials = None
    # A feed's own credentials open its own downloads, and go nowhere else.
    if (
        source is not None
        and (source.username or source.password)
        and keeps_credentials(source.url, grab.download)
    ):
        credentials = (source.username, source.password)
    return Request(grab.pk, grab.download, {"Accept": TORRENT_TYPES}, credentials, stop_at_magnet=True)


def _source(outcome: Outcome[int]) -> Source:
    if outcome.error is not None:
        raise outcome.error
    assert outcome.response is not None
    return source_from_response(outcome.response)


def _add(grab: Grab, source_of: Callable[[], Source]) -> bool:
    try:
        source = source_of()
        return _add_torrent(grab, source)
    except OutboundError as error:
        for_good = error.permanent and grab.attempts >= REFUSALS_BELIEVED_AFTER
        _note_failure(grab, str(error), for_good=for_good)
    except IntegrityError:  # its twin is being added this very moment: the next try will find it
        _note_failure(grab, "You have this torrent from another item.", for_good=False)
    except (MetainfoError, TorrentRefused, WishRefused) as error:
        _note_failure(grab, str(error), for_good=True)
    except Exception:  # what nobody has thought of, in one torrent: the others are to be added
        logger.exception("grab %s", grab.pk)
        _note_failure(grab, "This torrent could not be added. It will be tried again.", for_good=False)
    return False


@transaction.atomic
def _add_torrent(grab: Grab, source: Source) -> bool:
    user = lock_person(grab.user_id)
    locked = Grab.objects.select_for_update().filter(pk=grab.pk).first()
    if user is None or not user.is_active or locked is None or locked.state != State.DUE:
        return False  # disabled since, or another worker, after this one's lease
    if locked.download != grab.download:
        return False  # now it is another release, which is fetched in its own turn
    infohash = source.infohash_v1 or source.infohash_v2 or ""
    twin = Grab.objects.filter(user=user, infohash=infohash).exclude(pk=locked.pk).first()
    if twin is not None and twin.claim_id is not None:
        locked.claim_id = twin.claim_id
        _end(locked, State.HAD, "You have or had this torrent, from another item.")
        return False
    if twin is not None:  # it only means to, or could not be had: now this one is the torrent's
        twin.infohash = ""
        twin.save(update_fields=["infohash"])
    claim, created = add_with_wishes(
        user=user,
        source=source,
        wanted="paused" if locked.start_paused else "running",
        wishes={"label": locked.label} if locked.label else {},
        origin=locked.origin,
        origin_detail=locked.origin_detail,
    )
    locked.infohash, locked.claim_id = infohash, claim.pk
    _end(
        locked,
        State.ADDED if created else State.HAD,
        "" if created else "You had added this torrent yourself.",
    )
    return created


def _end(grab: Grab, state: str, message: str) -> None:
    grab.state, grab.message, grab.ended_at = state, message, timezone.now()
    grab.save(update_fields=["state", "message", "ended_at", "infohash", "claim_id"])


@transaction.atomic
def _note_failure(grab: Grab, message: str, *, for_good: bool) -> None:
    locked = Grab.objects.select_for_update().filter(pk=grab.pk).first()
    if locked is None or locked.state != State.DUE:
        return
    locked.message = message
    if for_good or locked.attempts > len(RETRIES):
        _end(locked, State.FAILED, message)
        return
    locked.due_at = _next_try(timezone.now(), locked.attempts)
    locked.save(update_fields=["message", "due_at"])


def _next_try(now: datetime, attempts: int) -> datetime:
    return now + RETRIES[min(attempts, len(RETRIES)) - 1]
