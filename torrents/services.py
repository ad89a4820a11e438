"""What people may do with torrents. Each verb is one short transaction that records a wish; nothing here waits for
the engine. The reconciler (reconciler.py) makes the wishes come true and writes back through engine_records.py.

Lock order: infohashes, torrents by id, then change counters by user id.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from proxy_site.compiled_query import CompiledQuery, hidden, rows_together
from torrents import blocking, history, private, removal
from torrents.admission import settle
from torrents.intents import wake_reconciler
from torrents.locks import lock_change_counters, lock_infohashes, next_change
from torrents.merging import learn_metainfo
from torrents.metainfo import Source, merge_trackers
from torrents.models import ChangeCounter, Claim, Engine, LiveState, Tombstone, Torrent
from torrents.standing import Standing as Standing
from torrents.standing import standing as standing

DEFAULT_ENGINE = "default"


class TorrentRefused(Exception):
    """This torrent cannot be added; the text says why. `code` is stable."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class Counted(NamedTuple):
    """Somebody's change counter, as it was read."""

    value: int
    pruned: int


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
    origin_detail: str = "",
) -> tuple[Claim, bool]:
    """Give `user` a claim on the torrent that `source` describes; True if it is new to them.

    Adding the same torrent again, by either of its infohashes, finds the claim that is there, and takes back the one
    that they gave up and could still take back. Raises TorrentRefused for a private torrent (see torrents.private) and
    for one that is blocked (see torrents.blocking).
    """
    torrent = _torrent_for(source, user)
    claim = _claim_on(torrent, user)
    presented = source.metainfo is not None
    if claim is None and torrent.private and not presented:
        raise TorrentRefused(private.NEEDS_TORRENT_FILE, code="private")
    if claim is not None:
        claim.by_torrent_file |= presented
        claim.trackers = _trackers_of(claim, source)
        claim.save(update_fields=["by_torrent_file", "trackers"])
    if claim is not None and claim.removed_at is None:
        return claim, False
    if claim is not None:
        removal.take_back(claim, wanted=wanted)
    else:
        claim = Claim(
            user=user,
            torrent=torrent,
            wanted=wanted,
            origin=origin,
            origin_detail=origin_detail,
            by_torrent_file=presented,
            change=next_change(user),
        )
        claim.trackers = _trackers_of(claim, source)
        settle(claim)
        claim.save(force_insert=True)
        removal.note_holders(torrent)
        history.note_added(claim)
        history.note_completed([torrent.pk])
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
    """End one person's hold, who can take it back for a while: see restore_torrent.

    Like the verbs above, raises Claim.DoesNotExist when another request removed the claim first.
    """
    removal.give_up(Claim.objects.locked_with_torrent(claim))
    wake_reconciler()


@transaction.atomic
def restore_torrent(*, claim: Claim) -> Claim:
    """Take back what was removed, as it was. A claim that is held stays as it is.

    Raises Claim.DoesNotExist when it cannot be taken back any more.
    """
    claim = Claim.with_removed.locked_with_torrent(claim)
    if claim.removed_at is None:
        return claim
    if removal.is_over(claim):
        raise Claim.DoesNotExist
    removal.take_back(claim, wanted=claim.wanted)
    wake_reconciler()
    return claim


@transaction.atomic
def remove_named(*, user: User, claim_id: uuid.UUID) -> bool:
    """remove_torrent for who knows only its id, or that of a claim that was merged into it; False if it is gone."""
    claim = Claim.objects.filter(user=user).named(claim_id).first()
    if claim is None:
        return False
    try:
        remove_torrent(claim=claim)
    except Claim.DoesNotExist:
        return False
    return True


def retire_unclaimed_torrents() -> int:
    """End for good what nobody took back in time, and hand torrents without any claim to the reconciler for
    deletion; how many. One short transaction each."""
    for claim in Claim.with_removed.removed_until(timezone.now() - removal.grace()):
        _forget_removed(claim)
    return sum(_retire_unclaimed(torrent) for torrent in Torrent.objects.without_claims())


def changes_since(*, user: User, change: int, limit: int, counter: Counted | None = None) -> Changes:
    """What changed for `user` after `change`, at most about `limit` claims; never cuts through one change.

    The counter is read first, here or by the caller: what is committed between the two reads is delivered now and
    once more, never lost.
    """
    if counter is None:
        read = ChangeCounter.objects.filter(pk=user.pk).values_list("value", "pruned").first()
        counter = Counted(*read or (0, 0))
    if change == counter.value:
        return Changes(change=change, more=False, reset=False, claims=[], removed=[])
    # Ahead of us: the database was restored. Behind what is still known: removals could be missed.
    reset = change > counter.value or 0 < change < counter.pruned
    after = 0 if reset else change
    query = _changed_after(limit + 1)
    rows, rows_of_gone = rows_together(
        query.statement(user.pk, after),
        _REMOVED.statement(user.pk, after or LAST_CHANGE),  # from somebody who begins, nothing is gone
    )
    claims = query.objects(rows)
    upto = counter.value
    more = len(claims) > limit
    if more:
        # Not below what was pruned: the client would be told to start afresh when it asks for the rest.
        upto = max(claims[limit - 1].change, counter.pruned)
        claims = list(Claim.objects.of(user).changed_after(after).filter(change__lte=upto))
    # What went after what is told of is told next time; what was taken back is not gone.
    held = {claim.pk for claim in claims}
    gone = [
        removed.claim_id
        for removed in _REMOVED.objects(rows_of_gone)
        if removed.change <= upto and removed.claim_id not in held
    ]
    return Changes(change=upto, more=more, reset=reset, claims=claims, removed=gone)


LAST_CHANGE = 2**63 - 1  # nobody's counter comes so far
_REMOVED = CompiledQuery(
    lambda user_id, after: Tombstone.objects.filter(
        user_id=hidden(user_id), change__gt=hidden(after)
    ).order_by("change"),
    -1,
    -2,
)


@lru_cache(maxsize=256)
def _changed_after(count: int) -> CompiledQuery[Claim]:
    return CompiledQuery(
        lambda user_id, change: Claim.objects.of_user_id(hidden(user_id)).changed_after(hidden(change))[
            :count
        ],
        -1,
        -2,
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


def _trackers_of(claim: Claim, source: Source) -> list[str]:
    """What `claim` has brought, this time included. A private torrent's trackers are those of its .torrent."""
    if source.private:
        return list(source.trackers)
    return list(merge_trackers(claim.trackers, () if claim.torrent.private else source.trackers))


def _claim_on(torrent: Torrent, user: User) -> Claim | None:
    """The one that `user` holds or can still take back."""
    claim = Claim.with_removed.filter(user=user, torrent=torrent).select_related("user").first()
    if claim is None:
        return None
    if claim.removed_at is not None and removal.is_over(claim):
        claim.delete()  # it only has not been cleared away yet
        return None
    claim.torrent = torrent
    return claim


def _torrent_for(source: Source, user: User) -> Torrent:
    """The locked row for this torrent, made if there is none, knowing all that `source` knows."""
    lock_infohashes(source.infohash_v1, source.infohash_v2)
    rows = list(Torrent.objects.matching(source.infohash_v1, source.infohash_v2).locked())
    if blocking.is_blocked(
        source.infohash_v1, source.infohash_v2
    ):  # asked under the locks that blocking takes
        raise TorrentRefused(blocking.REFUSAL, code="blocked")
    lock_change_counters(rows, user)
    if not rows:
        return _create_torrent(source)
    # The one that knows its files is the one that may have data already.
    torrent = next((row for row in rows if row.metainfo is not None), rows[0])
    before = [_shown(row) for row in rows]
    if torrent.refused:  # whoever asks again gets another try
        torrent.refused = ""
        LiveState.objects.filter(torrent=torrent).update(state=LiveState.State.WAITING)
        wake_reconciler()
    if not torrent.private and not source.private:
        torrent.trackers = list(merge_trackers(torrent.trackers, source.trackers))
    torrent.save(update_fields=["refused", "trackers"])
    if source.metainfo is not None:
        learn_metainfo(torrent=torrent, source=source)
    if source.private:
        torrent = _own_private_row(torrent, source, user)
    if before != [_shown(torrent)]:  # else those who hold it would be told that somebody joined them
        Claim.objects.mark_changed([torrent.pk])
    return torrent


def _shown(torrent: Torrent) -> tuple[object, ...]:
    """What its holders see of the row, so far as adding it once more can change that."""
    return (
        torrent.pk,
        torrent.infohash_v1,
        torrent.infohash_v2,
        torrent.name,
        torrent.size,
        torrent.private,
        torrent.refused,
    )


def _own_private_row(torrent: Torrent, source: Source, user: User) -> Torrent:
    """The row for the .torrent that `user` presents, which holds nothing of anybody else."""
    if private.presented_by_another(torrent, user):
        raise TorrentRefused(private.CANNOT_BE_ADDED, code="private")
    fresh = private.make_room(torrent, user)
    if fresh is not None:
        return _create_torrent(source, fresh)
    torrent.metainfo, torrent.trackers = source.metainfo, list(source.trackers)
    torrent.save(update_fields=["metainfo", "trackers"])
    return torrent


def _create_torrent(source: Source, torrent_id: uuid.UUID | None = None) -> Torrent:
    infohash_v2 = source.infohash_v2
    if source.metainfo is None and source.infohash_v1 is not None:
        # Anybody can write two infohashes into one magnet. That they belong together only metadata proves;
        # believing it would give one person's torrent to those who ask for another.
        infohash_v2 = None
    torrent = Torrent.objects.create(
        pk=torrent_id or uuid.uuid4(),
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


@transaction.atomic
def _forget_removed(claim: Claim) -> None:
    try:
        claim = Claim.with_removed.locked_with_torrent(claim)
    except Claim.DoesNotExist:  # somebody else was quicker
        return
    if claim.removed_at is not None and removal.is_over(claim):  # else it was taken back meanwhile
        claim.delete()


@transaction.atomic
def _retire_unclaimed(torrent: Torrent) -> bool:
    locked = Torrent.objects.filter(pk=torrent.pk).locked().first()
    # Asked again under the lock, which whoever claims it holds too.
    if locked is None or Claim.with_removed.filter(torrent=locked).exists():
        return False
    removal.retire(locked)
    return True


def _set_wanted(claim: Claim, wanted: str) -> Claim:
    claim = Claim.objects.locked_with_torrent(claim)
    claim.change = next_change(claim.user)
    claim.wanted = wanted
    settle(claim)
    claim.save(update_fields=["change", "wanted", "waits_for", "completed_at"])
    history.note_completed([claim.torrent_id])
    wake_reconciler()
    return claim
