"""`manage.py create_user`: how the first admin comes to be, and how scripts add people."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from accounts.management.passwords import SOURCES, add_password_arguments, chosen_password
from accounts.models import Role

DESCRIPTION = f"""Create a person who may use this server.

{SOURCES.format(command="create_user")}
Exit code 0: created. 1: not created, and standard error says why (for example: the name is taken).
"""


class Command(BaseCommand):
    help = DESCRIPTION

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

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
        add_password_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user, generated = services.create_user(
                username=options["username"], role=options["role"], password=chosen_password(options)
            )
        except ValidationError as error:
            raise CommandError("No user was created. " + " ".join(error.messages)) from None
        if generated is not None:
            self.stdout.write(generated)
        self.stderr.write(self.style.SUCCESS(f"Created {user.get_role_display().lower()} {user}."))
