"""Takedowns: torrents that may not be on this box, named by infohash.

Blocking one ends what everybody has of it, without grace, and adding it is refused from then on, also when only its
metadata tells that it is the one. Lock order as everywhere: infohashes, torrents by id, change counters by user id.
"""

import re
from collections.abc import Collection, Sequence

from django.db import transaction

from accounts import audit
from accounts.audit import COMMAND_LINE, By
from accounts.models import User
from torrents import history, removal
from torrents.locks import lock_change_counters, lock_infohashes
from torrents.models import BlockedInfohash, Claim, Torrent
from torrents.traffic import lock_traffic

REFUSAL = (
    "This torrent is blocked on this box and cannot be added. Ask your admin if you think that is a mistake."
)
ENDED = "It is blocked on this box, so its data was deleted. Ask your admin if you think that is a mistake."
_INFOHASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class NotAnInfohash(ValueError):
    """The text is a sentence for an admin."""


def infohash_of(text: str) -> str:
    """As it is stored. Raises NotAnInfohash."""
    infohash = text.strip().lower()
    if not _INFOHASH.fullmatch(infohash):
        raise NotAnInfohash(
            "An infohash is 40 (v1) or 64 (v2) hexadecimal digits, such as a magnet link holds."
        )
    return infohash


def is_blocked(*infohashes: str | None) -> bool:
    return BlockedInfohash.objects.naming(*infohashes).exists()


@transaction.atomic
def block_infohash(*, infohash: str, reason: str = "", by: By = COMMAND_LINE) -> int:
    """Refuse this torrent from now on, by its other infohash too where that is known, and take down what is here.

    Returns how many people had it. Raises NotAnInfohash.
    """
    infohash = infohash_of(infohash)
    lock_infohashes(infohash)
    rows = list(Torrent.objects.matching(infohash, infohash).locked())
    lock_change_counters(rows)
    ended = _block([infohash], rows, reason=reason, blocked_by=by.actor)
    detail = f"{infohash}, {ended} had it. {reason}".strip()
    audit.record(audit.Action.TORRENT_BLOCKED, user=None, by=by, detail=detail)
    return ended


@transaction.atomic
def unblock_infohash(*, infohash: str, by: By = COMMAND_LINE) -> bool:
    """Let people add it again, by its other infohash too; False if it was not blocked. Raises NotAnInfohash."""
    infohash = infohash_of(infohash)
    found = BlockedInfohash.objects.naming(infohash).first()
    if found is None:
        return False
    BlockedInfohash.objects.naming(infohash, found.other_infohash).delete()
    audit.record(audit.Action.TORRENT_UNBLOCKED, user=None, by=by, detail=infohash)
    return True


def take_down_revealed(rows: Sequence[Torrent], *infohashes: str | None) -> bool:
    """Whether metadata that proves these infohashes shows that `rows` are a blocked torrent: then they are gone now.

    The caller holds the locks of the infohashes, of all rows and of the change counters of all who claim them.
    """
    found = BlockedInfohash.objects.naming(*infohashes).first() if rows else None
    if found is None:
        return False
    known = [infohash for infohash in infohashes if infohash]
    ended = _block(known, rows, reason=found.reason, blocked_by=found.blocked_by)
    detail = f"{found.infohash}, known by its metadata, {ended} had it. {found.reason}".strip()
    audit.record(audit.Action.TORRENT_BLOCKED, user=None, by=COMMAND_LINE, detail=detail)
    return True


def _block(
    infohashes: Collection[str], rows: Sequence[Torrent], *, reason: str, blocked_by: User | None
) -> int:
    of_rows = (infohash for row in rows for infohash in (row.infohash_v1, row.infohash_v2))
    names = {*infohashes, *(infohash for infohash in of_rows if infohash)}
    known = BlockedInfohash.objects.naming(*names).exclude(other_infohash="")
    names.update(known.values_list("other_infohash", flat=True))
    BlockedInfohash.objects.bulk_create(
        [
            BlockedInfohash(
                infohash=name,
                other_infohash=next((other for other in names if other != name), ""),
                reason=reason,
                blocked_by=blocked_by,
            )
            for name in sorted(names)
        ],
        update_conflicts=True,
        unique_fields=["infohash"],
        update_fields=["other_infohash", "reason", "blocked_by"],
    )
    return sum(_take_down(row) for row in rows)


def _take_down(torrent: Torrent) -> int:
    """End all claims, those that could still be taken back too, and have the data deleted; how many held it."""
    lock_traffic(torrent)
    claims = Claim.with_removed.filter(torrent=torrent).select_related("user", "torrent").order_by("user_id")
    held = 0
    for claim in claims:
        held += claim.removed_at is None
        removal.end(claim, why=ENDED, kind=history.Kind.BLOCKED)
    removal.retire(torrent)
    return held
