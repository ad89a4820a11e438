"""A new machine that goes on from a backup: its settings and secrets before the first start, then its database."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.converge import caddy, places
from deploy.converge.commands import InstallError
from deploy.converge.configuration import Configuration
from deploy.converge.environment_files import read_variables
from deploy.converge.files import Directory, File, gid_of, uid_of
from deploy.converge.release import Release
from deploy.converge.run import Run

# What belongs to a machine and not to its box: all other settings of a backup are taken over.
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
RESTORED = places.INSTALLER / "restored"


@dataclass
class Takeover:
    """`archive`: a file here, or s3://BUCKET/NAME; `key`: the age identity that opens it. `given`: settings that the
    operator named, such as how the bucket is reached."""

    archive: str
    key: str
    given: Mapping[str, str]

    def configuration(self, release: Release) -> dict[str, str]:
        """The settings in it. The certificate that people have pinned is put in its place. Raises InstallError."""
        with self._readable() as archive, _directory_of_the_boxs() as directory:
            root = directory / "configuration"
            release.manage(
                *("restore", archive, "--configuration-to", str(root)),
                variables=self._settings(),
                failure=f"The backup {self.archive} cannot be opened:",
            )
            box_env = _below(root, places.BOX_ENV)
            if not box_env.exists():
                raise InstallError(
                    f"{self.archive} holds no {places.BOX_ENV}: it is not of a box on a server."
                )
            for path, owner, group, mode in caddy.OWN_CERTIFICATE:
                if (kept := _below(root, path)).exists():
                    Directory(places.TLS).apply()
                    File(path, owner, group, mode, content=kept.read_text()).apply()
            found = read_variables(box_env.read_text())
        return {name: value for name, value in found.items() if name not in OF_THE_MACHINE} | {
            "BACKUP_KEY": self.key
        }

    def database(self, session: Run, release: Release, settings: Configuration) -> None:
        """Once: a run that is killed later does not undo what people have done since. Raises InstallError."""
        if RESTORED.exists() or session.dry:
            return
        with self._readable() as archive:
            session.change(
                [f"restore the database from {self.archive}"],
                lambda: release.manage(
                    *("restore", archive, "--yes"),
                    variables=settings.variables,
                    failure="The database could not be restored:",
                ),
            )
        File(RESTORED, content=self.archive + "\n").apply()

    @contextmanager
    def _readable(self) -> Iterator[str]:
        """The archive where the box's user, who restores, may read it."""
        if self.archive.startswith("s3://"):
            yield self.archive
            return
        with _directory_of_the_boxs() as directory:
            try:
                copy = Path(shutil.copy(self.archive, directory))
            except OSError as error:
                raise InstallError(f"The backup cannot be read: {error}") from error
            _give_to_box(copy)
            yield str(copy)

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


@contextmanager
def _directory_of_the_boxs() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=places.DATA, prefix=".restoring-") as name:
        _give_to_box(Path(name))
        yield Path(name)


def _give_to_box(path: Path) -> None:
    os.chown(path, uid_of(places.BOX_USER) or 0, gid_of(places.BOX_USER) or 0, follow_symlinks=False)


def _below(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")
