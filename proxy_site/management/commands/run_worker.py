"""`manage.py run_worker`: what is done in the background, until SIGTERM."""

import sys
import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

import psutil
from django.core.management.base import BaseCommand
from django.db import connection
from django_q.cluster import Cluster

from proxy_site import life_signs
from proxy_site.worker_watch import STUCK_AFTER, is_stuck

LOOK_EVERY = 15.0  # seconds


class Command(BaseCommand):
    help = (
        "Run the background tasks: checking feeds, what follows from that, and housekeeping. Ends with exit code 1 "
        "when it finds itself stuck, so that whoever started it (manage.py up, systemd) starts it again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--stuck-after",
            type=float,
            default=STUCK_AFTER.total_seconds(),
            metavar="SECONDS",
            help="how long a task may be ready while no other ends (default: %(default)g)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        patience = timedelta(seconds=options["stuck_after"])
        cluster = Cluster()
        cluster.start()
        life_signs.ready()
        began = time.monotonic()
        every = min(LOOK_EVERY, patience.total_seconds() / 4)
        while cluster.sentinel is not None and cluster.sentinel.is_alive():
            life_signs.alive()
            cluster.sentinel.join(every)
            # What was left from before gets the same time.
            if time.monotonic() - began > patience.total_seconds() and is_stuck(after=patience):
                self.stderr.write(
                    "Tasks are ready and nobody takes them: the worker is stuck. It starts afresh."
                )
                kill_children()
                sys.exit(1)
            connection.close()  # of this process, which looks now and then


def kill_children() -> None:
    """At once: what is stuck cannot be asked. What they were doing is done again."""
    for child in psutil.Process().children(recursive=True):
        child.kill()
