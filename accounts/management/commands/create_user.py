"""`manage.py create_user`: how the first admin comes to be, and how scripts add people."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from accounts import services
from accounts.management.passwords import SOURCES, add_password_arguments, chosen_password
from accounts.management.person_command import EXIT_CODES, PersonCommand
from accounts.models import Role, User


class Command(PersonCommand):
    help = f"""Create a person who may use this server.

{SOURCES.format(command="create_user")}
With --json the object has username, role, created, and password where one was made.
{EXIT_CODES}
A name that is taken is exit code 1; with --if-missing it is 0, and that account stays as it is.
"""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "username", metavar="NAME", help="letters (a to z), digits, dots, underscores, hyphens"
        )
        parser.add_argument(
            "--role",
            choices=Role.values,
            default=Role.USER.value,
            help="what the person may do (default: %(default)s); an admin manages people at /admin/",
        )
        parser.add_argument(
            "--if-missing", action="store_true", help="do nothing where there is a user of that name"
        )
        add_password_arguments(parser)
        self.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        there = User.objects.named(options["username"]).first() if options["if_missing"] else None
        if there is not None:
            facts = {"username": there.username, "role": there.role, "created": False}
            return self.tell(options, f"There is a user {there} already. Nothing was changed.", facts)
        try:
            user, made = services.create_user(
                username=options["username"], role=options["role"], password=chosen_password(options)
            )
        except ValidationError as error:
            raise CommandError("No user was created. " + " ".join(error.messages)) from None
        facts = {"username": user.username, "role": user.role, "created": True}
        return self.tell_password(options, f"Created {user.get_role_display().lower()} {user}.", facts, made)
