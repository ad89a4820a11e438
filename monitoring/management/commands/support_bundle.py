"""`manage.py support_bundle`: what somebody who helps wants to know, in one file without secrets."""

import json
from argparse import RawDescriptionHelpFormatter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from monitoring.support.bundle import make_bundle
from monitoring.support.parts import LEFT_OUT, LOG_BYTES


class Command(BaseCommand):
    help = f"""Write a .tar.gz for whoever helps you: what doctor says, versions, settings, figures, migrations, sizes
of tables and volumes, failed tasks, and the end of the logs (of systemd's journal, {LOG_BYTES // 1024} KiB each).
Only you may read the file. It tells itself what is in it and what was taken out:

  taken out    passwords, keys, tokens, cookies, signed links; paths and queries of addresses (passkeys); magnets and
               infohashes; e-mail and internet addresses; user names, unless --user-names
  not in it    {LEFT_OUT}

Only root may read systemd's journal; where there is none, name the box's log by --log.
Look through it before you hand it to somebody: tar -xzOf FILE | less
It works without the database, too. That it was made stands in the audit log.
With --json the object has path, size (bytes), files, unread and removed.
Exit code 0: written. 1: not written, and standard error says why. 2: wrong use.
"""
    requires_system_checks: list[str] = []  # they are among what is told

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", metavar="FILE", type=Path, help="default: support-TIME.tar.gz here")
        parser.add_argument(
            "--hours", type=int, choices=range(1, 721), metavar="N", default=24, help="of logs (default: 24)"
        )
        parser.add_argument(
            "--log",
            metavar="FILE",
            type=Path,
            action="append",
            default=[],
            help="the end of this log, too; may be repeated",
        )
        parser.add_argument("--user-names", action="store_true", help="keep the names of users")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["output"] or Path(f"support-{timezone.now():%Y%m%dT%H%M%SZ}.tar.gz")
        try:
            bundle = make_bundle(
                path, hours=options["hours"], logs=options["log"], user_names=options["user_names"]
            )
        except FileExistsError:
            raise CommandError(f"{path} is there already. Nothing was written; name another file.") from None
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error}") from None
        if options["json"]:
            self.stdout.write(json.dumps(asdict(bundle), default=str))
            return
        self.stdout.write(f"Wrote {bundle.path} ({bundle.size // 1024 + 1} KiB, {len(bundle.files)} files).")
        for name, why in bundle.unread.items():
            self.stdout.write(f"  not read   {name}: {why}")
        for kind, count in bundle.removed.items():
            self.stdout.write(f"  taken out  {kind}: {count}")
        self.stdout.write("Look through it before you hand it to somebody.")
