"""`manage.py run_engine`: the loop that makes the engine match people's wishes. Runs until it is told to stop."""

import logging
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, close_old_connections, connections

from proxy_site import life_signs
from torrents.checksums import Checksums
from torrents.engines.base import Engine
from torrents.engines.registry import create_engine
from torrents.reconciler import Reconciler
from torrents.reconciler_lock import FolderLock, LockLost, ReconcilerLock
from torrents.services import default_engine

logger = logging.getLogger(__name__)
RETRY_SECONDS = 2.0
LAST_WORDS_SECONDS = 0.2


class Command(BaseCommand):
    help = (
        "Keep the download engine in step with what people asked for. One of these runs at a time; a second one "
        "waits and takes over when the first is gone. Stop it with Ctrl-C or SIGTERM."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()

        def ask_to_stop(number: int, frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, ask_to_stop)
        signal.signal(signal.SIGINT, ask_to_stop)
        checksums = Checksums(stop)
        checksums.start()
        adapter = create_engine()
        life_signs.ready()
        try:
            while not stop.is_set():
                life_signs.alive()
                try:
                    reconcile(adapter, stop)
                except (LockLost, DatabaseError, InterfaceError) as error:
                    logger.warning("The database went away, trying again: %s", error)
                    connections.close_all()
                    stop.wait(RETRY_SECONDS)
        finally:
            adapter.close()
            checksums.join()


def reconcile(adapter: Engine, stop: threading.Event) -> None:
    """Queue for the engine's lock, then work until told to stop or until the lock is lost."""
    close_old_connections()
    row = default_engine()
    with ReconcilerLock(row.pk) as lock:
        announced = False
        while not lock.try_acquire():
            if not announced:
                logger.info("Another run_engine is at work; waiting to take over.")
                announced = True
            life_signs.alive()
            if stop.wait(RETRY_SECONDS):
                return
        with FolderLock(Path(settings.DOWNLOADS_DIR)) as writing:
            # Whoever lost the lock to us may still be in the middle of a round.
            while not writing.try_acquire():
                if stop.wait(LAST_WORDS_SECONDS):
                    return
                lock.check()
            logger.info("Looking after the engine.")
            row.refresh_from_db()
            Reconciler(engine=adapter, row=row, lock=lock).run(stop)
