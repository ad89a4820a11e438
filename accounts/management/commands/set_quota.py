"""`manage.py set_quota`: what one person may have, in place of the server's defaults."""

import argparse
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts import services
from accounts.limits import DEFAULT, LIMITS, Limit
from accounts.management.person_command import EXIT_CODES, PersonCommand


class Command(PersonCommand):
    help = f"""Show or set what one person may have. Sizes are written as in the settings (200 GiB, 2 TB), speeds are
sizes a second. The word "{DEFAULT}" in place of a value takes one limit back to the server's default, --default
all five; a default of speed is no limit. Without an option the limits are shown and nothing is changed.

    python manage.py set_quota alice --disk '200 GiB' --active 40
    python manage.py set_quota alice --traffic {DEFAULT}

What waits for room starts within half a minute of a raised limit; nothing is deleted for a lowered one. The audit
log at /admin/ keeps what was changed.

With --json the object has username, changed (a list), before and after: bytes, bytes a second or a count, null
where nothing is set.
{EXIT_CODES}
"""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        for limit in LIMITS:
            parser.add_argument(
                f"--{limit.option}",
                dest=limit.field,
                metavar="VALUE",
                type=_typed(limit),
                default=argparse.SUPPRESS,
                help=limit.help,
            )
        parser.add_argument("--default", action="store_true", help="take all five limits back")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = {limit.field: options[limit.field] for limit in LIMITS if limit.field in options}
        if options["default"] and wanted:
            raise CommandError(
                "--default takes every limit back: give it alone, or write the word default after one option.",
                returncode=2,
            )
        if options["default"]:
            wanted = dict.fromkeys((limit.field for limit in LIMITS), None)
        user = self.person(options)
        shown_before = [limit.shown(user) for limit in LIMITS]
        before = {limit.field: getattr(user, limit.field) for limit in LIMITS}
        changed = services.set_limits(user=user, limits=wanted)
        if not options["json"]:
            for limit, old in zip(LIMITS, shown_before, strict=True):
                new = limit.shown(user)
                self.stdout.write(f"{limit.title:20} {old}" + (f"  ->  {new}" if new != old else ""))
        facts = {
            "username": user.username,
            "changed": changed,
            "before": before,
            "after": {limit.field: getattr(user, limit.field) for limit in LIMITS},
        }
        self.tell(
            options, f"Changed {len(changed)} limits of {user}." if changed else "Nothing was changed.", facts
        )


def _typed(limit: Limit) -> Callable[[str], int | None]:
    def typed(text: str) -> int | None:
        try:
            return limit.typed(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return typed
