"""`manage.py changepassword`: an admin's way back in. In place of Django's own, which would end no session or link
and note nothing."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from accounts.management.passwords import SOURCES, add_password_arguments, chosen_password
from accounts.models import User

DESCRIPTION = f"""Give a person a new password, and log them out everywhere.

{SOURCES.format(command="changepassword")}
Exit code 0: changed. 1: not changed, and standard error says why.
"""


class Command(BaseCommand):
    help = DESCRIPTION

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="NAME", help="in any case")
        add_password_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.named(options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['username']!r}. /admin/ lists all there are.")
        try:
            generated = services.set_password(user=user, password=chosen_password(options))
        except ValidationError as error:
            raise CommandError("The password was not changed. " + " ".join(error.messages)) from None
        if generated is not None:
            self.stdout.write(generated)
        self.stderr.write(
            self.style.SUCCESS(f"Changed the password of {user}, who has to log in again everywhere.")
        )
