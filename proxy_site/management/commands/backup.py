"""`manage.py backup`: one archive of the box."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from proxy_site.backups.progress import in_units
from proxy_site.backups.services import BackupError, back_up
from proxy_site.management.backup_output import failed, plain_help


class Command(BaseCommand):
    help = """Save the database and the configuration as one encrypted archive.

It goes to BACKUP_DIR and, where BACKUP_BUCKET is set, to the bucket; what BACKUP_DAILY, BACKUP_WEEKLY and
BACKUP_MONTHLY do not ask to keep is removed there. The box may run meanwhile. Needs BACKUP_KEY, and twice the size of
the database for a moment. docs/backups.md says more.

Exit code 0: stored everywhere. 1: not, or not in the bucket; standard error says why. 2: wrong use.
"""
    create_parser = plain_help

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one object in one line, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = back_up(say=self.stderr.write)
        except BackupError as error:
            raise failed(self, str(error), as_json=options["json"]) from error
        if options["json"]:
            self.stdout.write(json.dumps({"ok": not made.error, **asdict(made)}))
        else:
            self.stdout.write(f"{made.name}: {in_units(made.size)} in {made.seconds:.1f} s.")
            for kind, names in made.pruned.items():
                self.stdout.write(
                    f"Stored in the {kind}" + (f"; removed {', '.join(names)}." if names else ".")
                )
        for path in made.left_out:
            self.stderr.write(f"Not in the archive, because this user may not read it: {path}")
        if made.error:
            raise failed(self, made.error, as_json=False)
