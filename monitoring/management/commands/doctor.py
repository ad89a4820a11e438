"""`manage.py doctor`: what is wrong with the box, and what to do about it."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from monitoring.configuration import examined
from monitoring.health import Check


class Command(BaseCommand):
    help = (
        "Look at every part of the box, as /health/ready does, and at how it is set up; say what to do about what is "
        "wrong. Exit code 1 where something is. For admins: unlike /health/ready it tells reasons."
    )
    requires_system_checks: list[str] = []  # they are among what is looked at

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one object for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        checks = examined()
        ok = all(check.ok for check in checks)
        if options["json"]:
            self.stdout.write(json.dumps({"ok": ok, "checks": [asdict(check) for check in checks]}))
        else:
            for check in checks:
                self.tell(check)
            self.stdout.write("Everything is well." if ok else "Not everything is well.")
        if not ok:
            sys.exit(1)

    def tell(self, check: Check) -> None:
        self.stdout.write(f"{'ok   ' if check.ok else 'WRONG'}  {check.name}")
        for line in filter(None, (check.message, check.remedy)):
            self.stdout.write(f"         {line}")
