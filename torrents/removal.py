"""Giving up a torrent, taking it back, and the end of both.

A claim that its owner gave up is kept for REMOVAL_GRACE_SECONDS and can be taken back as it was. Until then it keeps
the torrent's data, and nothing else: the torrent stops when nobody holds it. These are the parts of the verbs in
services.py; whoever calls them holds the torrent's row lock.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from torrents import history
from torrents.admission import settle_again
from torrents.intents import wake_reconciler
from torrents.locks import next_change
from torrents.models import Claim, Removal, Tombstone, Torrent


def grace() -> timedelta:
    return timedelta(seconds=settings.REMOVAL_GRACE_SECONDS)


def until(claim: Claim) -> datetime:
    """When a claim that was given up goes for good."""
    assert claim.removed_at is not None
    return claim.removed_at + grace()


def is_over(claim: Claim) -> bool:
    return until(claim) <= timezone.now()


def give_up(claim: Claim) -> None:
    claim.removed_at = timezone.now()
    claim.change = next_change(claim.user)
    claim.save(update_fields=["removed_at", "change"])
    Tombstone.objects.create(user=claim.user, claim_id=claim.pk, change=claim.change)
    history.note(claim=claim, kind=history.Kind.REMOVED)
    note_holders(claim.torrent)


def take_back(claim: Claim, *, wanted: str) -> None:
    """Hold it again, by the same id. If others completed it meanwhile, it is finished at once."""
    claim.removed_at = None
    claim.wanted = wanted
    claim.change = next_change(claim.user)
    settle_again(claim)
    claim.save(update_fields=["removed_at", "wanted", "change", "waits_for", "admitted_size", "completed_at"])
    # Else a client that missed both the removal and this would take the removal for the last word.
    Tombstone.objects.filter(user=claim.user, claim_id=claim.pk).delete()
    history.note(claim=claim, kind=history.Kind.RESTORED)
    history.note_completed([claim.torrent_id])
    note_holders(claim.torrent)


def end(claim: Claim, *, why: str, kind: str = history.Kind.REMOVED) -> None:
    """Against its owner's will and for good. `why` is a sentence for their history; it must not tell of others."""
    if claim.removed_at is None:
        Tombstone.objects.create(user=claim.user, claim_id=claim.pk, change=next_change(claim.user))
        history.note(claim=claim, kind=kind, detail=why)
    claim.delete()


def note_holders(torrent: Torrent) -> None:
    """Keep in mind since when nobody holds the torrent."""
    held = Claim.objects.filter(torrent=torrent).exists()
    if held == (torrent.unclaimed_at is not None):
        torrent.unclaimed_at = None if held else timezone.now()
        torrent.save(update_fields=["unclaimed_at"])


def retire(torrent: Torrent) -> None:
    """The row goes now, its data when the reconciler gets to it. Nobody has a claim on it, not even a removed one."""
    Removal.objects.create(pk=torrent.pk, engine_id=torrent.engine_id)
    torrent.delete()
    wake_reconciler()
