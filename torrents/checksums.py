"""SHA-256 of every finished file, so that whoever fetches it can tell that it arrived whole.

One file at a time, in the background of `run_engine`. The rows are the queue: a finished file without a checksum
is work to do, so nothing is lost when the process ends in the middle.
"""

import hashlib
import io
import logging
import os
import threading
import time

from django.db import DatabaseError, InterfaceError, connections

from torrents.files import FileGone, open_file
from torrents.models import TorrentFile

logger = logging.getLogger(__name__)
LOOK_EVERY = 1.0  # seconds
RETRY_EVERY = 600.0
BLOCK = 1024 * 1024


class Checksums(threading.Thread):
    """Ends soon after `stop` is set, also in the middle of a large file."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(name="checksums", daemon=True)
        self._stop_asked = stop
        self._unreadable: set[int] = set()
        self._retry_at = 0.0

    def run(self) -> None:
        while not self._stop_asked.is_set():
            if time.monotonic() >= self._retry_at:  # what could not be read may have been downloaded again
                self._unreadable.clear()
                self._retry_at = time.monotonic() + RETRY_EVERY
            try:
                file = TorrentFile.objects.without_checksum().exclude(pk__in=self._unreadable).first()
                if file is not None:
                    self.compute(file)
                    continue
            except (DatabaseError, InterfaceError):
                connections.close_all()
            self._stop_asked.wait(LOOK_EVERY)
        connections.close_all()

    def compute(self, file: TorrentFile) -> None:
        """Hash one file and store the result, unless it changed or the torrent lost data meanwhile."""
        try:
            self._compute(file)
        except (FileGone, OSError) as error:
            logger.warning("No checksum for file %s of %s: %s", file.index, file.torrent_id, error)
            self._unreadable.add(file.pk)

    def _compute(self, file: TorrentFile) -> None:
        descriptor = open_file(file)
        digest = hashlib.sha256()
        with io.FileIO(descriptor, "rb") as stream:
            before = os.fstat(descriptor)
            while block := stream.read(BLOCK):
                digest.update(block)
                if self._stop_asked.is_set():
                    return
            after = os.fstat(descriptor)
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            TorrentFile.objects.filter(pk=file.pk, torrent__completed_at=file.torrent.completed_at).update(
                sha256=digest.hexdigest()
            )
