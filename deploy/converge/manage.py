"""`torrentproxy-manage COMMAND …`: manage.py of the release in use, as the box's user and with the box's settings."""

import os
import sys

from deploy.converge import places
from deploy.converge.commands import identity, inherited
from deploy.converge.environment_files import read_variables


def main() -> None:
    if os.geteuid() != 0:
        sys.exit("Run this as root: sudo torrentproxy-manage …")
    environment = {
        **inherited(places.BOX_USER),
        "TERM": os.environ.get("TERM", "dumb"),
        **read_variables(places.BOX_ENV.read_text()),
    }
    who = identity(places.BOX_USER)
    os.chdir(places.CURRENT)
    os.setgroups(who["extra_groups"])
    os.setgid(who["group"])
    os.setuid(who["user"])
    os.umask(who["umask"])
    python = str(places.CURRENT / "venv/bin/python")
    os.execve(python, [python, "manage.py", *sys.argv[1:]], environment)  # noqa: S606


if __name__ == "__main__":
    main()
