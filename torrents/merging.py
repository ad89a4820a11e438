"""One torrent under two infohashes: rows that turn out to be the same torrent become one.

Lock order: infohashes, torrents by id, then change counters by user id. Whoever calls these holds the locks of both
infohashes, of all rows that they name, and of the change counters of all who claim these rows.
"""

from torrents import history, removal
from torrents.admission import settle
from torrents.locks import next_change
from torrents.metainfo import Source, merge_trackers
from torrents.models import Claim, ClaimAlias, Tombstone, Torrent
from torrents.traffic import inherit_traffic, lock_traffic


def learn_infohashes(*, torrent: Torrent, infohash_v1: str | None, infohash_v2: str | None) -> None:
    """Note the infohashes that metadata proves. When they show that another row is the same torrent, that row's
    claims move here."""
    for other in Torrent.objects.matching(infohash_v1, infohash_v2).exclude(pk=torrent.pk).locked():
        merge_torrents(kept=torrent, merged=other)
    torrent.infohash_v1 = torrent.infohash_v1 or infohash_v1
    torrent.infohash_v2 = torrent.infohash_v2 or infohash_v2
    torrent.save(update_fields=["infohash_v1", "infohash_v2"])


def learn_metainfo(*, torrent: Torrent, source: Source) -> None:
    """Note all that `source` knows and the row does not."""
    if torrent.metainfo is None and source.metainfo is not None:
        torrent.metainfo = source.metainfo
        torrent.name = source.name or torrent.name
        torrent.private = source.private
        torrent.size = source.size
        torrent.save(update_fields=["metainfo", "name", "private", "size"])
    learn_infohashes(torrent=torrent, infohash_v1=source.infohash_v1, infohash_v2=source.infohash_v2)


def merge_torrents(*, kept: Torrent, merged: Torrent) -> None:
    """Move every claim on `merged` to `kept`, those given up included, and end `merged`.

    Of two claims of one person the one they hold stays; links to the other go on working through an alias.
    """
    lock_traffic(kept, merged)
    for claim in Claim.with_removed.filter(torrent=merged).select_related("user").order_by("user_id"):
        mine = Claim.with_removed.filter(user=claim.user, torrent=kept).select_related("user").first()
        if mine is not None and mine.removed_at is not None and claim.removed_at is None:
            _become_one(kept=claim, merged=mine)
            mine = None
        if mine is None:
            _move(claim, kept)
        else:
            _become_one(kept=mine, merged=claim)
    if not (kept.private or merged.private):
        kept.trackers = list(merge_trackers(kept.trackers, merged.trackers))
        kept.save(update_fields=["trackers"])
    history.note_completed([kept.pk])
    removal.note_holders(kept)
    removal.retire(merged)


def _move(claim: Claim, kept: Torrent) -> None:
    claim.torrent, claim.completed_at, claim.change = kept, None, next_change(claim.user)
    settle(claim)
    claim.save(update_fields=["torrent", "waits_for", "completed_at", "change"])


def _become_one(*, kept: Claim, merged: Claim) -> None:
    """Of two claims of one person. It runs if they wanted either to run, as the two would have, and what they wished
    of either holds; a claim that they gave up has no say beside one that they hold."""
    if merged.removed_at is None:
        Tombstone.objects.create(user=merged.user, claim_id=merged.pk, change=next_change(merged.user))
    if kept.removed_at is not None and merged.removed_at is not None:
        kept.removed_at = max(kept.removed_at, merged.removed_at)
    wishes = []
    if (kept.removed_at is None) == (merged.removed_at is None):
        wishes = _join_wishes(kept, merged)
        if merged.wanted == Claim.Wanted.RUNNING:
            kept.wanted = merged.wanted
            settle(kept)
    kept.by_torrent_file |= merged.by_torrent_file
    kept.trackers = list(merge_trackers(kept.trackers, merged.trackers))
    kept.label = kept.label or merged.label
    changed = ["wanted", "waits_for", "completed_at", "removed_at", "by_torrent_file", "trackers", "label"]
    kept.save(update_fields=changed + wishes)
    ClaimAlias.objects.filter(claim=merged).update(claim=kept)
    history.inherit(kept=kept, merged=merged)
    inherit_traffic(kept=kept, merged=merged)
    merged_id = merged.pk
    merged.delete()
    ClaimAlias.objects.create(pk=merged_id, claim=kept)


def _join_wishes(kept: Claim, merged: Claim) -> list[str]:
    """The higher of two limits; returns the fields that are set. Nobody chose files: those of one were unknown."""
    limits = ["download_limit", "upload_limit", "seed_ratio", "seed_seconds"]
    for name in limits:
        given = [limit for limit in (getattr(kept, name), getattr(merged, name)) if limit is not None]
        setattr(kept, name, max(given, default=None))
    kept.sequential |= merged.sequential
    return [*limits, "sequential"]
