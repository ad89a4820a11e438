"""`manage.py count_handover FILE`: adds to the traffic ledger what Caddy handed over."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError, connections

from proxy_site import life_signs
from torrents.access_log import count_new_lines

LOOK_EVERY = 1.0  # seconds


class Command(BaseCommand):
    help = (
        "Count the bytes that Caddy handed over, from its access log (CADDY_LOG), each line once. --follow goes on "
        "until it is stopped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="Caddy's access log, as deploy/Caddyfile writes it.")
        parser.add_argument("--follow", action="store_true")

    def handle(self, *args: Any, file: Path, follow: bool, **options: Any) -> None:
        log = file.absolute()
        if not follow:
            if not log.is_file():
                raise CommandError(f"There is no file {log}. Name the access log that Caddy writes.")
            count_new_lines(log)
            return
        trouble = ""
        life_signs.ready()
        while True:
            life_signs.alive()
            try:
                count_new_lines(log)
                trouble = ""
            except (DatabaseError, InterfaceError, OSError) as error:
                # Nothing is lost: the position has not moved.
                connections.close_all()
                if trouble != str(error):
                    trouble = str(error)
                    self.stderr.write(f"Not counted yet, trying again: {trouble.strip()}")
            time.sleep(LOOK_EVERY)
