"""What people may do with torrents. Each verb is one short transaction that records a wish; nothing here waits for
the engine. The reconciler (reconciler.py) makes the wishes come true and writes back through engine_records.py.

Lock order: infohashes, torrents by id, then change counters by user id.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from proxy_site.compiled_query import CompiledQuery
from torrents.metainfo import Source, merge_trackers
from torrents.models import ChangeCounter, Claim, ClaimAlias, Engine, LiveState, Removal, Tombstone, Torrent
from torrents.querysets import lock_change_counters, lock_infohashes, next_change
from torrents.traffic import inherit_traffic

DEFAULT_ENGINE = "default"
INTENT_CHANNEL = "torrent_intents"  # NOTIFY wakes the reconciler


class TorrentRefused(Exception):
    """This torrent cannot be added; the text says why. `code` is stable."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Changes:
    """What a client that has seen everything up to some change still has to learn."""

    change: int  # ask for what comes after this one next time
    more: bool  # there is more right now
    reset: bool  # forget everything held before applying this
    claims: list[Claim]
    removed: list[uuid.UUID]


def default_engine() -> Engine:
    return Engine.objects.get_or_create(name=DEFAULT_ENGINE)[0]


@transaction.atomic
def add_torrent(
    *,
    user: User,
    source: Source,
    wanted: str = Claim.Wanted.RUNNING,
    origin: str = Claim.Origin.USER,
) -> tuple[Claim, bool]:
    """Give `user` a claim on the torrent that `source` describes; True if it is new to them.

    Adding the same torrent again, by either of its infohashes, finds the claim that is there.
    Raises TorrentRefused for a private torrent that cannot be shared.
    """
    torrent = _torrent_for(source, user)
    claim = Claim.objects.filter(user=user, torrent=torrent).first()
    if claim is not None:
        return claim, False
    if torrent.private and Claim.objects.filter(torrent=torrent).exists():
        # A private torrent's passkey counts towards one person's account on its tracker.
        raise TorrentRefused("This private torrent cannot be added here.", code="private")
    claim = Claim.objects.create(
        user=user,
        torrent=torrent,
        wanted=wanted,
        origin=origin,
        completed_at=(torrent.completed_at and wanted == Claim.Wanted.RUNNING and timezone.now()) or None,
        change=next_change(user),
    )
    if torrent.unclaimed_at is not None:
        torrent.unclaimed_at = None
        torrent.save(update_fields=["unclaimed_at"])
    wake_reconciler()
    return claim, True


@transaction.atomic
def pause_torrent(*, claim: Claim) -> Claim:
    return _set_wanted(claim, Claim.Wanted.PAUSED)


@transaction.atomic
def resume_torrent(*, claim: Claim) -> Claim:
    """Let it run again. If the others' wish completed it meanwhile, it is finished at once."""
    return _set_wanted(claim, Claim.Wanted.RUNNING)


@transaction.atomic
def remove_torrent(*, claim: Claim) -> None:
    """End one person's hold. The data goes, after a grace period, when nobody holds the torrent any more.

    Like the verbs above, raises Claim.DoesNotExist when another request removed the claim first.
    """
    claim = Claim.objects.locked_with_torrent(claim)
    torrent = claim.torrent
    change = next_change(claim.user)
    Claim.objects.filter(pk=claim.pk).delete()
    Tombstone.objects.create(user=claim.user, claim_id=claim.pk, change=change)
    if not Claim.objects.filter(torrent=torrent).exists():
        torrent.unclaimed_at = timezone.now()
        torrent.save(update_fields=["unclaimed_at"])
    wake_reconciler()


@transaction.atomic
def retire_unclaimed_torrents() -> int:
    """Hand torrents that nobody has claimed for the grace period to the reconciler for deletion; how many."""
    since = timezone.now() - timedelta(seconds=settings.REMOVAL_GRACE_SECONDS)
    retired = 0
    for torrent in Torrent.objects.unclaimed_since(since).locked():
        if not Claim.objects.filter(torrent=torrent).exists():
            _retire(torrent)
            retired += 1
    return retired


def changes_since(*, user: User, change: int, limit: int, counter: ChangeCounter | None = None) -> Changes:
    """What changed for `user` after `change`, at most about `limit` claims; never cuts through one change.

    The counter is read first, here or by the caller: what is committed between the two reads is delivered now and
    once more, never lost.
    """
    if counter is None:
        counter = ChangeCounter.objects.filter(pk=user.pk).first() or ChangeCounter(value=0, pruned=0)
    if change == counter.value:
        return Changes(change=change, more=False, reset=False, claims=[], removed=[])
    # Ahead of us: the database was restored. Behind what is still known: removals could be missed.
    reset = change > counter.value or 0 < change < counter.pruned
    after = 0 if reset else change
    claims = _changed_after(limit + 1)(user.pk, after)
    upto = counter.value
    more = len(claims) > limit
    if more:
        # Not below what was pruned: the client would be told to start afresh when it asks for the rest.
        upto = max(claims[limit - 1].change, counter.pruned)
        claims = list(Claim.objects.of(user).changed_after(after).filter(change__lte=upto))
    # What went after the counter was read is told next time; what was taken back is not gone.
    gone = [] if after == 0 else [removed.claim_id for removed in _REMOVED(user.pk, after, upto)]
    held = {claim.pk for claim in claims}
    gone = [claim_id for claim_id in gone if claim_id not in held]
    return Changes(change=upto, more=more, reset=reset, claims=claims, removed=gone)


_REMOVED = CompiledQuery(
    lambda user_id, after, upto: Tombstone.objects.filter(
        user_id=user_id, change__gt=after, change__lte=upto
    ).order_by("change"),
    -1,
    -2,
    -3,
)


@lru_cache(maxsize=256)
def _changed_after(count: int) -> CompiledQuery[Claim]:
    return CompiledQuery(
        lambda user_id, change: Claim.objects.of_user_id(user_id).changed_after(change)[:count], -1, -2
    )


@transaction.atomic
def prune_tombstones(*, older_than: timedelta) -> int:
    """Forget removals that every client has long heard of; one that slept longer is told to start afresh."""
    horizon = timezone.now() - older_than
    pruned = 0
    for user_id in (
        Tombstone.objects.filter(removed_at__lt=horizon)
        .order_by("user_id")
        .values_list("user_id", flat=True)
        .distinct()
    ):
        counter = ChangeCounter.objects.select_for_update().get(pk=user_id)
        old = Tombstone.objects.filter(user_id=user_id, removed_at__lt=horizon)
        counter.pruned = max(counter.pruned, *old.values_list("change", flat=True))
        counter.save(update_fields=["pruned"])
        pruned += old.delete()[0]
    return pruned


def learn_infohashes(*, torrent: Torrent, infohash_v1: str | None, infohash_v2: str | None) -> None:
    """Note the infohashes that metadata proves, of a row that the caller has locked. When they show that another
    row is the same torrent, that row's claims move here.

    The caller holds the locks of both infohashes, of all rows they name and of these rows' claimants' counters."""
    for other in Torrent.objects.matching(infohash_v1, infohash_v2).exclude(pk=torrent.pk).locked():
        merge_torrents(kept=torrent, merged=other)
    torrent.infohash_v1 = torrent.infohash_v1 or infohash_v1
    torrent.infohash_v2 = torrent.infohash_v2 or infohash_v2
    torrent.save(update_fields=["infohash_v1", "infohash_v2"])


def learn_metainfo(*, torrent: Torrent, source: Source) -> None:
    """Note all that `source` knows and a row that the caller has locked does not."""
    learn_infohashes(torrent=torrent, infohash_v1=source.infohash_v1, infohash_v2=source.infohash_v2)
    if torrent.metainfo is None and source.metainfo is not None:
        torrent.metainfo = source.metainfo
        torrent.name = source.name or torrent.name
        torrent.private = source.private
        torrent.size = source.size
        torrent.save(update_fields=["metainfo", "name", "private", "size"])


def merge_torrents(*, kept: Torrent, merged: Torrent) -> None:
    """Move every claim on `merged` to `kept`; both rows are locked by the caller. Links to a claim that its owner
    now holds twice go on working through an alias."""
    for claim in merged.claims.select_related("user").order_by("user_id"):
        change = next_change(claim.user)
        mine = Claim.objects.filter(user=claim.user, torrent=kept).first()
        if mine is None:
            claim.torrent = kept
            claim.completed_at = kept.completed_at if claim.wanted == Claim.Wanted.RUNNING else None
            claim.change = change
            claim.save(update_fields=["torrent", "completed_at", "change"])
            continue
        ClaimAlias.objects.filter(claim=claim).update(claim=mine)
        inherit_traffic(kept=mine, merged=claim)
        claim_id = claim.pk
        claim.delete()
        ClaimAlias.objects.create(pk=claim_id, claim=mine)
        Tombstone.objects.create(user=claim.user, claim_id=claim_id, change=change)
    if kept.unclaimed_at is not None and Claim.objects.filter(torrent=kept).exists():
        kept.unclaimed_at = None
        kept.save(update_fields=["unclaimed_at"])
    _retire(merged)


def wake_reconciler() -> None:
    """Delivered when the transaction commits, so the reconciler sees what it is woken for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [INTENT_CHANNEL])


def _torrent_for(source: Source, user: User) -> Torrent:
    """The locked row for this torrent, made if there is none, knowing all that `source` knows."""
    lock_infohashes(source.infohash_v1, source.infohash_v2)
    rows = list(Torrent.objects.matching(source.infohash_v1, source.infohash_v2).locked())
    lock_change_counters(rows, user)
    if not rows:
        return _create_torrent(source)
    # The one that knows its files is the one that may have data already.
    torrent = next((row for row in rows if row.metainfo is not None), rows[0])
    if torrent.refused:  # whoever asks again gets another try
        torrent.refused = ""
        LiveState.objects.filter(torrent=torrent).update(state=LiveState.State.WAITING)
        wake_reconciler()
    if not torrent.private and not source.private:
        torrent.trackers = list(merge_trackers(torrent.trackers, source.trackers))
    torrent.save(update_fields=["refused", "trackers"])
    if source.metainfo is not None:
        learn_metainfo(torrent=torrent, source=source)
    Claim.objects.mark_changed([torrent.pk])
    return torrent


def _create_torrent(source: Source) -> Torrent:
    infohash_v2 = source.infohash_v2
    if source.metainfo is None and source.infohash_v1 is not None:
        # Anybody can write two infohashes into one magnet. That they belong together only metadata proves;
        # believing it would give one person's torrent to those who ask for another.
        infohash_v2 = None
    torrent = Torrent.objects.create(
        engine=default_engine(),
        infohash_v1=source.infohash_v1,
        infohash_v2=infohash_v2,
        name=source.name or source.infohash_v1 or source.infohash_v2 or "",
        trackers=list(source.trackers),
        metainfo=source.metainfo,
        private=source.private,
        size=source.size,
    )
    LiveState.objects.create(torrent=torrent)
    return torrent


def _retire(torrent: Torrent) -> None:
    Removal.objects.create(pk=torrent.pk, engine_id=torrent.engine_id)
    torrent.delete()
    wake_reconciler()


def _set_wanted(claim: Claim, wanted: str) -> Claim:
    claim = Claim.objects.locked_with_torrent(claim)
    claim.change = next_change(claim.user)
    claim.wanted = wanted
    if (
        wanted == Claim.Wanted.RUNNING
        and claim.completed_at is None
        and claim.torrent.completed_at is not None
    ):
        claim.completed_at = timezone.now()
    claim.save(update_fields=["change", "wanted", "completed_at"])
    wake_reconciler()
    return claim
