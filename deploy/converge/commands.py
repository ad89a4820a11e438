"""Programs of the system, run from lists, with what they say in the log and never a secret there."""

import logging
import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

logger = logging.getLogger("converge.commands")

SHOWN_LINES = 15  # of what a program said last, in an error


class InstallError(Exception):
    """A sentence for the operator: what happened and what to do. Ends the run with exit code 1."""


def run(
    command: Sequence[str | Path],
    *,
    user: str | None = None,
    environment: Mapping[str, str] | None = None,
    text: str | None = None,
    secret: bool = False,
    failure: str | None = None,
    cwd: str | Path = "/",
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, as `user` if one is named; `text` is its standard input.

    `environment` is added to what little it gets of ours. `secret`: what it prints is kept out of the log. With
    `failure` (a sentence), an exit code other than 0 raises InstallError with that and the program's last lines.
    """
    logger.debug("$ %s%s", " ".join(map(str, command)), f"   (as {user})" if user else "")
    try:
        done = subprocess.run(
            [str(part) for part in command],
            input="" if text is None else text,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd=cwd,
            env={**inherited(user), **(environment or {})},
            **identity(user),
        )
    except FileNotFoundError:
        done = subprocess.CompletedProcess(
            [str(part) for part in command], 127, "", f"There is no program {command[0]}."
        )
    for line in ("" if secret else done.stdout + done.stderr).splitlines():
        logger.debug("  %s", line)
    if done.returncode:
        logger.debug("  exit code %d", done.returncode)
        if failure:
            said = "" if secret else done.stderr or done.stdout
            lines = [f"    {line}" for line in said.splitlines() if line.strip()]
            raise InstallError("\n".join([failure, *lines[-SHOWN_LINES:]]))
    return done


def succeeds(command: Sequence[str | Path], *, user: str | None = None) -> bool:
    return run(command, user=user).returncode == 0


def output(command: Sequence[str | Path], *, user: str | None = None) -> str:
    """What a program that only looks prints, stripped; empty where it fails."""
    done = run(command, user=user)
    return done.stdout.strip() if done.returncode == 0 else ""


class Identity(TypedDict, total=False):
    """The arguments of subprocess that make a program run as somebody."""

    user: int
    group: int
    extra_groups: list[int]
    umask: int


def identity(user: str | None) -> Identity:
    """With all groups of theirs; nothing for None."""
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    groups = os.getgrouplist(user, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups, "umask": 0o027}


def inherited(user: str | None) -> dict[str, str]:
    """Of our environment: where programs are, and how this machine reaches its package index (pip, proxies)."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("PIP_") or name.lower() in ("http_proxy", "https_proxy", "no_proxy", "tmpdir")
    }
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "HOME": pwd.getpwnam(user).pw_dir if user else "/root",
        **kept,
    }
