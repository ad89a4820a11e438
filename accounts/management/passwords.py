"""Where a command takes a password from: a terminal, standard input, or nowhere, and then one is made."""

import sys
from collections.abc import Callable
from getpass import getpass
from typing import Any

from django.core.management.base import CommandError, CommandParser

SOURCES = """On a terminal the password is asked for twice. Scripts choose one of:
  --generate         a strong password is made and printed once, alone on a line of standard output;
                     everything else goes to standard error:
                         password=$(python manage.py {command} alice --generate)
  --password-stdin   the first line of standard input is the password:
                         python manage.py {command} alice --password-stdin < file
"""


def add_password_arguments(parser: CommandParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    source.add_argument("--generate", action="store_true", help="make a password and print it once")


def chosen_password(options: dict[str, Any]) -> str | None:
    """None: make one. Raises CommandError."""
    if options["generate"]:
        return None
    if options["password_stdin"]:
        return _typed(sys.stdin.readline)
    if not sys.stdin.isatty():
        raise CommandError(
            "There is no terminal to ask for a password. Add --generate to have one made and printed, "
            "or --password-stdin to hand one over.",
            returncode=2,
        )
    password = _typed(lambda: getpass("Password: "))
    if password != _typed(lambda: getpass("Password again: ")):
        raise CommandError("The two passwords differ. Nothing was done; run the command again.")
    return password


def _typed(read: Callable[[], str]) -> str:
    """UTF-8 whatever the locale: in that of `cron` and `ssh`, Python passes it on as surrogates."""
    try:
        line = read().encode(errors="surrogateescape").decode()
    except UnicodeError:
        raise CommandError("The password is no text in UTF-8. Nothing was done; use another.") from None
    if "\0" in line:
        raise CommandError(
            "The password holds a NUL, which nobody could type to log in. Nothing was done; use another."
        )
    return line.rstrip("\r\n")
