"""`manage.py reset_password`: an admin's way back in, and everybody's who forgot theirs."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from accounts import services
from accounts.management.passwords import SOURCES, add_password_arguments, chosen_password
from accounts.management.person_command import EXIT_CODES, PersonCommand


class Command(PersonCommand):
    help = f"""Give a person a new password, and log them out everywhere: sessions, signed links and transfer
credentials end at once. SSH keys stay. `changepassword` is the same command by Django's name.

{SOURCES.format(command="reset_password")}
With --json the object has username, and password where one was made.
{EXIT_CODES}
"""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_password_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = self.person(options)
        try:
            made = services.set_password(user=user, password=chosen_password(options))
        except ValidationError as error:
            raise CommandError("The password was not changed. " + " ".join(error.messages)) from None
        sentence = f"Changed the password of {user}, who has to log in again everywhere."
        self.tell_password(options, sentence, {"username": user.username}, made)
