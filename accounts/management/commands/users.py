"""`manage.py users`: who has an account, and what each may have."""

import json
from typing import Any

from django.core.management.base import CommandParser

from accounts.limits import LIMITS
from accounts.management.person_command import PersonCommand
from accounts.models import Role, User

HEADINGS = ("NAME", "ROLE", "STATE", "LAST LOGIN (UTC)", "DISK", "DOWNLOADS", "TRAFFIC")


class Command(PersonCommand):
    help = """List everybody who has an account: role, whether they may log in, when they last did, their limits.

With --json the object has users: a list of objects with username, role, active, joined, last_login (ISO 8601 or
null) and each limit (bytes, bytes a second or a count; null where the server's default holds).
Exit code 0, also where nobody has an account. 2: wrong use.
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--role", choices=Role.values, help="only these")
        self.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        people = User.objects.listed(role=options["role"])
        if options["json"]:
            self.stdout.write(json.dumps({"users": [facts(user) for user in people]}))
            return
        rows: list[tuple[str, ...]] = [HEADINGS]
        rows += [
            (
                user.username,
                user.role,
                "active" if user.is_active else "disabled",
                f"{user.last_login:%Y-%m-%d %H:%M}" if user.last_login else "never",
                *(limit.shown(user) for limit in LIMITS[:3]),
            )
            for user in people
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            self.stdout.write(
                "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            )


def facts(user: User) -> dict[str, Any]:
    return {
        "username": user.username,
        "role": user.role,
        "active": user.is_active,
        "joined": user.date_joined.isoformat(),
        "last_login": user.last_login.isoformat() if user.last_login else None,
        **{limit.field: getattr(user, limit.field) for limit in LIMITS},
    }
