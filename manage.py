#!/usr/bin/env python3
"""Every command of the box starts here: `python manage.py help`."""

import os
import sys

from proxy_site import environment


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxy_site.settings")
    try:
        environment.prepare(sys.argv[1:])
    except environment.EnvironmentNotReadyError as problem:
        sys.exit(str(problem))
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
