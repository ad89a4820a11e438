"""The first account, and what is to be shown once: kept in a file of root's until it was."""

import json
import secrets
from pathlib import Path

from deploy.converge import places
from deploy.converge.commands import InstallError
from deploy.converge.configuration import Configuration
from deploy.converge.database import query
from deploy.converge.files import File
from deploy.converge.release import Release
from deploy.converge.run import Run

UNSHOWN = places.INSTALLER / "unshown.json"


def unshown() -> dict[str, str]:
    """By name: "admin_password"; "backup_key", which stands in box.env, as a mark alone."""
    try:
        found = json.loads(UNSHOWN.read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in found.items()}


def to_show(name: str, value: str) -> None:
    """Have it shown at the end, of this run or, where this one is killed, of the next."""
    content = json.dumps({**unshown(), name: value})
    File(UNSHOWN, mode=0o600, content=content).apply()


def was_shown() -> None:
    UNSHOWN.unlink(missing_ok=True)


def first_admin(session: Run, name: str, release: Release, settings: Configuration) -> None:
    """An account that may administer, unless there is one. Its password was remembered first: a kill loses nothing."""
    if session.dry and not Path(release.python).exists():
        session.change([f"make the admin {name}"], lambda: None)
        return
    if query(settings.database_url, "SELECT 1 FROM accounts_user WHERE role = 'admin' LIMIT 1"):
        return

    def make() -> None:
        password = unshown().get("admin_password") or secrets.token_urlsafe(12)
        to_show("admin_password", password)
        done = release.manage(
            *("create_user", name, "--role", "admin", "--password-stdin"),
            variables=settings.variables,
            text=password + "\n",
            secret=True,
        )
        if done.returncode:
            raise InstallError(
                f"The admin {name} could not be made: {done.stderr.strip()}\n"
                "Choose another name by --admin and run this again."
            )

    session.change([f"make the admin {name}"], make)
