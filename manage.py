#!/usr/bin/env python3
"""Every command of the box starts here: `python manage.py help`."""

import os
import signal
import sys
from types import FrameType

from proxy_site import environment

# `up` owns a PostgreSQL before it can listen to signals, and has to stop it; the others leave what is not encrypted
# yet, and databases that nobody uses, if they are not let end in order.
TIDY = frozenset({"up", "backup", "verify_backup", "restore"})
UNDEFINED_TABLE = "42P01"  # PostgreSQL: Appendix A, error codes


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxy_site.settings")
    if sys.argv[1:2] and sys.argv[1] in TIDY:
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                signal.signal(number, end)
    try:
        run()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def run() -> None:
    try:
        environment.prepare(sys.argv[1:])
    except environment.EnvironmentNotReadyError as problem:
        sys.exit(str(problem))
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError, ProgrammingError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        sys.exit(str(problem))
    except ProgrammingError as problem:
        if getattr(problem.__cause__, "sqlstate", None) != UNDEFINED_TABLE:
            raise
        sys.exit("This database has no tables of ours yet. Make them first: python manage.py migrate")
    except OperationalError as problem:
        if getattr(problem.__cause__, "sqlstate", None):  # the server answered: what it says is a bug's trace
            raise
        sys.exit(f"PostgreSQL cannot be reached (DATABASE_URL names it): {str(problem).strip()}")


def end(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
