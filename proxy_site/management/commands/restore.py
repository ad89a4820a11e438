"""`manage.py restore`: having a backup back."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from proxy_site.backups.progress import in_units
from proxy_site.backups.services import (
    BackupError,
    Manifest,
    drop_kept,
    restore,
    unpack_configuration,
)
from proxy_site.management.backup_output import failed, plain_help


class Command(BaseCommand):
    help = """Put an archive in the place of the box's database.

Stop the box first: systemctl stop torrentproxy.target, or Ctrl-C where `manage.py up` runs. The archive is fetched,
opened and restored beside the database; when it is whole and as it was saved, the two change places at once. What was
there before stays as NAME_before_restore_TIME until you drop it. Where anything is wrong, it is said, and nothing is
changed. Needs BACKUP_KEY, and a role that may make databases (CREATEDB).

ARCHIVE is newest, a name that `backups` lists in the directory, a path, or s3://BUCKET/NAME.

  manage.py restore newest                          the database
  manage.py restore newest --configuration          and the files of BACKUP_CONFIGURATION, each with a copy of the old
  manage.py restore newest --configuration-to DIR   only unpack these files below DIR
  manage.py restore --drop NAME_before_restore_TIME

Exit code 0: done. 1: not done, and standard error says why. 2: wrong use.
"""
    create_parser = plain_help

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("archive", nargs="?", metavar="ARCHIVE")
        parser.add_argument("--configuration", action="store_true", help="put the configuration back, too")
        parser.add_argument(
            "--configuration-to", type=Path, metavar="DIR", help="unpack the configuration there, only"
        )
        parser.add_argument("--drop", metavar="NAME", help="drop a database that a restore put aside")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--json", action="store_true", help="one object in one line, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["archive"] is None) == (options["drop"] is None):
            raise CommandError("Name an archive to restore, or with --drop a database to drop.", returncode=2)
        if options["archive"] and not (options["yes"] or options["configuration_to"] or sys.stdin.isatty()):
            raise CommandError(
                "Nobody can be asked here. Say --yes to restore without being asked.", returncode=2
            )
        try:
            told = self.do(options)
        except BackupError as error:
            raise failed(self, str(error), as_json=options["json"]) from error
        if options["json"]:
            self.stdout.write(json.dumps({"ok": True, **told}, default=datetime.isoformat))

    def do(self, options: dict[str, Any]) -> dict[str, Any]:
        if options["drop"] is not None:
            drop_kept(options["drop"])
            self.stderr.write(f"Dropped {options['drop']}.")
            return {"dropped": options["drop"]}
        if options["configuration_to"]:
            paths = unpack_configuration(
                options["archive"], options["configuration_to"], say=self.stderr.write
            )
            for path in paths:
                self.stderr.write(str(path))
            return {"unpacked": [str(path) for path in paths]}
        restored = restore(
            options["archive"],
            with_configuration=options["configuration"],
            agreed=(lambda *_: True) if options["yes"] else self.agreed,
            say=self.stderr.write,
        )
        if restored is None:
            raise BackupError("Nothing was restored, as you wished.")
        self.stderr.write(f"Restored {restored.name}, made at {restored.made_at:%Y-%m-%d %H:%M} UTC.")
        for line in (*restored.configuration, *restored.notices):
            self.stderr.write(line)
        return asdict(restored)

    def agreed(self, manifest: Manifest, database: str) -> bool:
        self.stderr.write(
            f"This archive was made at {manifest.made_at:%Y-%m-%d %H:%M} UTC on {manifest.host} (release "
            f"{manifest.release}, {in_units(manifest.database_bytes)}). It takes the place of the database {database}, "
            f"which stays under another name."
        )
        try:
            return input("Restore it? [y/N] ").strip().lower() in ("y", "yes")
        except EOFError:
            return False
