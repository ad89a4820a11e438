"""`manage.py backups`: which archives there are."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand

from proxy_site.backups.progress import in_units
from proxy_site.backups.services import BackupError, Listing, listing, manifest_of
from proxy_site.management.backup_output import failed, plain_help


class Command(BaseCommand):
    help = """List the archives: when they were made, their size, where they are, and when they were last verified.

With ARCHIVE (newest, a name of the list, a path, or s3://BUCKET/NAME): what that one says of itself, without fetching
all of it.

Exit code 0: listed. 1: something could not be asked or opened, and standard error says what. 2: wrong use.
"""
    create_parser = plain_help

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("archive", nargs="?", metavar="ARCHIVE")
        parser.add_argument("--json", action="store_true", help="one object in one line, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["archive"]:
            self.show_one(options["archive"], as_json=options["json"])
            return
        told = listing()
        if options["json"]:
            self.stdout.write(
                json.dumps({"ok": not told.problems, **asdict(told)}, default=datetime.isoformat)
            )
        else:
            self.show(told)
        for problem in told.problems:
            self.stderr.write(problem)
        if told.problems:
            sys.exit(1)

    def show(self, told: Listing) -> None:
        now = datetime.now(UTC)
        if not told.archives:
            self.stdout.write("There is no archive yet. Make one: python manage.py backup")
        else:
            self.stdout.write(f"{'archive':<28}{'size':>12}{'age':>10}  {'where':<19}verified")
        for one in told.archives:
            verified = f"{one.verified_at:%Y-%m-%d %H:%M}" if one.verified_at else "never"
            self.stdout.write(
                f"{one.name:<28}{in_units(one.size):>12}{_age((now - one.made_at).total_seconds()):>10}  "
                f"{', '.join(one.places):<19}{verified}"
            )
        for name, size in told.kept_databases:
            self.stdout.write(f"Kept from before a restore: the database {name} ({in_units(size)}).")

    def show_one(self, archive: str, *, as_json: bool) -> None:
        try:
            manifest = manifest_of(archive)
        except BackupError as error:
            raise failed(self, str(error), as_json=as_json) from error
        text = manifest.to_json().decode()
        self.stdout.write(json.dumps(json.loads(text)) if as_json else text, ending="\n" if as_json else "")


def _age(seconds: float) -> str:
    hours = int(seconds // 3600)
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"
