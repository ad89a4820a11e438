"""`manage.py create_user`: how the first admin comes to be, and how scripts add people."""

import sys
from argparse import RawDescriptionHelpFormatter
from getpass import getpass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from accounts.models import Role

DESCRIPTION = """Create a person who may use this server.

On a terminal the password is asked for twice. Scripts choose one of:
  --generate         a strong password is made and printed once, alone on a line of standard output;
                     everything else goes to standard error:
                         password=$(python manage.py create_user alice --generate)
  --password-stdin   the first line of standard input is the password:
                         python manage.py create_user alice --password-stdin < file

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
        source = parser.add_mutually_exclusive_group()
        source.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )
        source.add_argument("--generate", action="store_true", help="make a password and print it once")

    def handle(self, *args: Any, **options: Any) -> None:
        password = None if options["generate"] else self._password(from_stdin=options["password_stdin"])
        try:
            user, generated = services.create_user(
                username=options["username"], role=options["role"], password=password
            )
        except ValidationError as error:
            raise CommandError("No user was created. " + " ".join(error.messages)) from None
        if generated is not None:
            self.stdout.write(generated)
        self.stderr.write(self.style.SUCCESS(f"Created {user.get_role_display().lower()} {user}."))

    def _password(self, *, from_stdin: bool) -> str:
        if from_stdin:
            return sys.stdin.readline().rstrip("\r\n")
        if not sys.stdin.isatty():
            raise CommandError(
                "There is no terminal to ask for a password. Add --generate to have one made and printed, "
                "or --password-stdin to hand one over."
            )
        password = getpass("Password: ")
        if password != getpass("Password again: "):
            raise CommandError("The two passwords differ. No user was created; run the command again.")
        return password
