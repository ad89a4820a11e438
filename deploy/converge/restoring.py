"""A new machine that goes on from a backup: its secrets before the first start, then its database."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.converge import caddy, database, places
from deploy.converge.commands import InstallError
from deploy.converge.configuration import Configuration
from deploy.converge.environment_files import read_variables
from deploy.converge.files import Directory, File, uid_of
from deploy.converge.release import Release
from deploy.converge.run import Run

# What belongs to this machine and not to the box: the rest of a backup's settings is taken over.
OF_THE_MACHINE = frozenset(
    {
        "ALLOWED_HOSTS",
        "DATA_DIR",
        "DOWNLOADS_DIR",
        "BACKUP_DIR",
        "DATABASE_URL",
        "SFTP_PUBLIC_HOST",
        "WEB_ADDRESS",
    }
    | {"CADDY_LOG", "EGRESS_INTERFACES", "OCPUS", "TORRENT_INTERFACE", "BACKUP_CONFIGURATION"}
)


@dataclass
class Takeover:
    """`archive`: a file here, or s3://BUCKET/NAME; `key`: the age identity that opens it. `given`: settings that the
    operator named, such as how the bucket is reached."""

    archive: str
    key: str
    given: Mapping[str, str]

    @contextmanager
    def _unpacked(self, release: Release) -> Iterator[Path]:
        """A directory with the configuration that is in the archive, by full paths below it."""
        with tempfile.TemporaryDirectory(dir=places.INSTALLER) as name:
            places.INSTALLER.chmod(0o711)
            os.chown(name, uid_of(places.BOX_USER) or 0, -1)
            release.manage(
                *("restore", self.archive, "--configuration-to", name),
                variables=self._settings(),
                failure="The backup cannot be opened:",
            )
            yield Path(name)

    def _settings(self) -> dict[str, str]:
        """Enough for the command `restore` before there is a box.env."""
        return {
            **self.given,
            "ENVIRONMENT": "development",
            "DATA_DIR": str(places.DATA),
            "DOWNLOADS_DIR": str(places.DOWNLOADS),
            "BACKUP_DIR": str(places.BACKUPS),
            "DATABASE_URL": places.DATABASE_URL,
            "BACKUP_KEY": self.key,
        }

    def _take_certificate(self, root: Path) -> None:
        for path, owner, group, mode in caddy.OWN_CERTIFICATE:
            kept = root / str(path).lstrip("/")
            if kept.exists():
                Directory(places.TLS).apply()
                File(path, owner, group, mode, content=kept.read_text()).apply()

    def configuration(self, release: Release) -> dict[str, str]:
        """The settings and secrets in it, and the certificate that people have pinned put in its place."""
        with self._unpacked(release) as root:
            self._take_certificate(root)
            box_env = root / str(places.BOX_ENV).lstrip("/")
            if not box_env.exists():
                raise InstallError(
                    f"{self.archive} holds no {places.BOX_ENV}: it is not of a box on a server."
                )
            found = read_variables(box_env.read_text())
        return {name: value for name, value in found.items() if name not in OF_THE_MACHINE} | {
            "BACKUP_KEY": self.key
        }

    def database(self, session: Run, release: Release, settings: Configuration) -> None:
        """Only into an empty one: that of a box that has been used is its own."""
        if database.applied_migrations(settings.database_url):
            session.notice(
                "The database is not empty, so nothing was restored into it (manage.py restore does that)."
            )
            return
        session.change(
            [f"restore the database from {self.archive}"],
            lambda: release.manage(
                *("restore", self.archive, "--yes"),
                variables=settings.variables,
                failure="The database could not be restored:",
            ),
        )
