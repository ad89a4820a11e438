"""`manage.py verify_backup`: whether the newest archive can be had back."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from proxy_site.backups.progress import in_units
from proxy_site.backups.services import BackupError, verify_newest
from proxy_site.management.backup_output import failed, plain_help


class Command(BaseCommand):
    help = """Restore the newest archive on trial.

It is fetched (from the bucket, where there is one), decrypted, restored into a database of a random name, compared with
what was saved (tables, rows, migrations, the newest row) and dropped. The box's own database is not touched, and the
box may run meanwhile. The role that DATABASE_URL names needs the right to make databases (CREATEDB).

Exit code 0: it can be had back. 1: it cannot, and standard error says why. 2: wrong use.
"""
    create_parser = plain_help

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one object in one line, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            verified = verify_newest(say=self.stderr.write)
        except BackupError as error:
            raise failed(self, str(error), as_json=options["json"]) from error
        if options["json"]:
            self.stdout.write(json.dumps({"ok": True, **asdict(verified)}))
            return
        self.stdout.write(
            f"{verified.name} ({in_units(verified.size)}, from the {verified.place}) can be restored: "
            f"{verified.tables} tables with {verified.rows} rows are as they were saved. It took "
            f"{verified.seconds:.1f} s."
        )
