"""What the commands about backups have in common."""

import json
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


def plain_help(self: BaseCommand, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
    """A `create_parser` that leaves the help as it is written."""
    return BaseCommand.create_parser(
        self, prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs
    )


def failed(command: BaseCommand, why: str, *, as_json: bool) -> CommandError:
    """To be raised: exit code 1 and the sentence on standard error; as one object on standard output too."""
    if as_json:
        command.stdout.write(json.dumps({"ok": False, "error": why}))
    return CommandError(why, returncode=1)
