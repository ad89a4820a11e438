"""Torrents of the engine that are not ours: shown to admins, never touched."""

import time
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from torrents.engines.base import EngineTorrent
from torrents.metainfo import display_name
from torrents.models import Engine, ForeignTorrent, Removal

LOOK_EVERY = 30.0  # seconds


class ForeignTorrents:
    """What the reconciler writes about them: when one comes, goes or changes, and not more often than that."""

    def __init__(self, row: Engine) -> None:
        self._row = row
        self._next_look = 0.0
        self._written: dict[str, tuple[str, str, int | None]] | None = None  # None: whatever the rows say

    def due(self) -> bool:
        return time.monotonic() >= self._next_look

    def record(self, seen: Iterable[EngineTorrent]) -> None:
        """`seen` are all torrents of the engine whose folder is none of a torrent of ours."""
        self._next_look = time.monotonic() + LOOK_EVERY
        # What is about to be removed has no row any more, but was ours.
        leaving = {str(pk) for pk in Removal.objects.filter(engine=self._row).values_list("pk", flat=True)}
        found = {
            torrent.key: (display_name(torrent.name), _storable(torrent.save_path), torrent.size)
            for torrent in seen
            if torrent.save_path.rpartition("/")[2] not in leaving
        }
        if found != self._written:
            self._write(found)
            self._written = found

    @transaction.atomic
    def _write(self, found: dict[str, tuple[str, str, int | None]]) -> None:
        ForeignTorrent.objects.filter(engine=self._row).exclude(key__in=found).delete()
        ForeignTorrent.objects.bulk_create(
            [
                ForeignTorrent(
                    engine=self._row,
                    key=key,
                    name=name,
                    save_path=save_path,
                    size=size,
                    seen_at=timezone.now(),
                )
                for key, (name, save_path, size) in found.items()
            ],
            update_conflicts=True,
            unique_fields=["engine", "key"],
            update_fields=["name", "save_path", "size", "seen_at"],
        )


def _storable(path: str) -> str:
    """A path that PostgreSQL takes: no NUL, no lone surrogates."""
    return path.replace("\0", "").encode(errors="replace").decode()
