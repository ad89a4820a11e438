"""Having a torrent's data hashed again: an admin asks by a mark on its row, the reconciler asks the engine."""

import uuid
from collections.abc import Collection, Mapping

from django.db import transaction
from django.utils import timezone

from torrents.engines.base import Engine as EngineAdapter
from torrents.engines.base import EngineTorrent
from torrents.intents import wake_reconciler
from torrents.models import Engine, Torrent


@transaction.atomic
def request_recheck(torrents: Collection[uuid.UUID]) -> int:
    """Asked for as soon as the engine has them; how many that are."""
    marked = [torrent.pk for torrent in Torrent.objects.filter(pk__in=torrents).locked()]
    Torrent.objects.filter(pk__in=marked).update(recheck_requested_at=timezone.now())
    wake_reconciler()
    return len(marked)


def apply_rechecks(*, engine: EngineAdapter, row: Engine, held: Mapping[uuid.UUID, EngineTorrent]) -> None:
    """Asks the engine first and forgets the mark then: cut off between the two, the data is hashed once more.

    Raises EngineError.
    """
    marked = Torrent.objects.filter(engine=row, recheck_requested_at__isnull=False)
    asked = {
        torrent_id: requested_at
        for torrent_id, requested_at in marked.values_list("pk", "recheck_requested_at")
        if torrent_id in held
    }
    if not asked:
        return
    engine.recheck([held[torrent_id].key for torrent_id in asked])
    for torrent_id, requested_at in asked.items():
        # Not one that somebody asked for meanwhile.
        Torrent.objects.filter(pk=torrent_id, recheck_requested_at=requested_at).update(
            recheck_requested_at=None
        )
