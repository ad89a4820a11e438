"""What the commands about one person have in common: their help, finding the person, words or JSON as the answer."""

import json
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User

EXIT_CODES = (
    "Exit code 0: done, or it was so already. 1: not done, and standard error says why. 2: wrong use."
)


class PersonCommand(BaseCommand):
    """`help` is shown as it is written. Standard output carries what programs read, standard error the sentence."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="NAME", help="whose account; in any case")
        self.add_json(parser)

    def add_json(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def person(self, options: dict[str, Any]) -> User:
        user = User.objects.named(options["username"]).first()
        if user is None:
            raise CommandError(
                f"There is no user {options['username']!r}. `python manage.py users` lists all there are."
            )
        return user

    def tell(self, options: dict[str, Any], sentence: str, facts: dict[str, Any]) -> None:
        """`facts` go to programs that asked for them."""
        if options["json"]:
            self.stdout.write(json.dumps(facts))
        self.stderr.write(self.style.SUCCESS(sentence))

    def tell_password(
        self, options: dict[str, Any], sentence: str, facts: dict[str, Any], made: str | None
    ) -> None:
        """A made password stands alone on standard output, or in the JSON object; nowhere else and never again."""
        if made is not None:
            facts = {**facts, "password": made}
            if not options["json"]:
                self.stdout.write(made)
        self.tell(options, sentence, facts)
