"""Private torrents (BEP 27): their trackers count traffic by a passkey that is one person's.

So a private torrent has one claim, and its row, folder and trackers never pass from one person to another. Whoever
presents the .torrent goes before those who came by a magnet, which holds no passkey. Until metadata arrives nobody
knows that a magnet's torrent is private: then the oldest claim stays. No words of this module tell anybody that
somebody else has it; that it can be inferred from a refusal cannot be helped.
"""

import uuid

from accounts.models import User
from torrents import removal
from torrents.metainfo import with_trackers
from torrents.models import Claim, Torrent
from torrents.traffic import lock_traffic

NEEDS_TORRENT_FILE = (
    "This torrent is private, so a magnet link is not enough for it. Add it by its .torrent file."
)
CANNOT_BE_ADDED = "This private torrent cannot be added here."


def presented_by_another(torrent: Torrent, user: User) -> bool:
    """Whether somebody else holds it who came with the .torrent."""
    return Claim.objects.filter(torrent=torrent, by_torrent_file=True).exclude(user=user).exists()


def make_room(torrent: Torrent, user: User) -> uuid.UUID | None:
    """`user` presents the .torrent: end all other claims. Returns the id under which the caller makes the torrent's
    row anew, or None where the row was theirs alone and stays.

    The caller holds the row's lock and those of the change counters, and has asked `presented_by_another`.
    """
    others = Claim.with_removed.filter(torrent=torrent).exclude(user=user).select_related("user", "torrent")
    if not others:
        return None
    lock_traffic(torrent)
    for claim in others.order_by("user_id"):
        removal.end(claim, why=NEEDS_TORRENT_FILE)
    fresh = uuid.uuid4()
    # The foreign key is checked when the transaction commits; the caller makes the row that it names.
    Claim.with_removed.filter(torrent=torrent).update(torrent=fresh, completed_at=None)
    removal.retire(torrent)
    return fresh


def leave_one_claim(torrent: Torrent) -> None:
    """Metadata or a merge may have shown that this torrent, perhaps of several people, is private: the oldest claim
    stays, and of the trackers those that it brought.

    The caller holds the row's lock and those of the change counters.
    """
    if not torrent.private:
        return
    lock_traffic(torrent)
    claims = list(Claim.with_removed.filter(torrent=torrent).select_related("user", "torrent"))
    claims.sort(key=lambda c: (c.removed_at is not None, not c.by_torrent_file, c.added_at, c.pk))
    for claim in sorted(claims[1:], key=lambda claim: claim.user_id):
        removal.end(claim, why=NEEDS_TORRENT_FILE)
    if claims and not claims[0].by_torrent_file:
        torrent.trackers = claims[0].trackers
        if torrent.metainfo is not None:
            torrent.metainfo = with_trackers(bytes(torrent.metainfo), torrent.trackers)
        torrent.save(update_fields=["trackers", "metainfo"])
