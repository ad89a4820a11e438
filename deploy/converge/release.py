"""The code in use: one directory a release, named by its content, each with a Python environment of its own."""

import hashlib
import json
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.converge import places
from deploy.converge.commands import output, run
from deploy.converge.files import Link

KEPT = 3
RECORD = "RELEASE.json"  # written last: a release without one is not whole
LEFT_OUT = frozenset(
    {
        ".git",
        ".env",
        "venv",
        ".venv",
        "__pycache__",
        "build",
        "node_modules",
        RECORD,
        ".ruff_cache",
        ".mypy_cache",
    }
    | {".pytest_cache", ".hypothesis", ".import_linter_cache"}
)


def sources(checkout: Path) -> Iterator[Path]:
    """Every file of the project, relative, in order; what tools and people leave beside is not among them."""
    for path in sorted(checkout.iterdir(), key=lambda one: one.name):
        if path.name in LEFT_OUT or path.name.endswith((".egg-info", ".pyc", ".swp")):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from (Path(path.name) / below for below in sources(path))
        elif path.is_file():
            yield Path(path.name)


def identifier(checkout: Path) -> str:
    """Twelve hexadecimal digits of a hash of all names and contents: the same code is the same release."""
    digest = hashlib.sha256()
    for name in sources(checkout):
        content = (checkout / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]


def commit_of(checkout: Path) -> str:
    """What git says of it, for people; empty where there is none."""
    return output(
        [
            "git",
            "-c",
            f"safe.directory={checkout}",
            "-C",
            checkout,
            "describe",
            "--always",
            "--dirty",
            "--tags",
        ]
    )


def current() -> str | None:
    """The release in use."""
    return places.CURRENT.readlink().name if places.CURRENT.is_symlink() else None


@dataclass
class Release:
    """A copy of a checkout in /opt, with its environment."""

    checkout: Path
    id: str

    @property
    def directory(self) -> Path:
        return places.RELEASES / self.id

    @property
    def python(self) -> Path:
        return self.directory / "venv/bin/python"

    @property
    def link(self) -> Link:
        return Link(places.CURRENT, f"releases/{self.id}")

    def differs(self) -> list[str]:
        try:
            record = json.loads((self.directory / RECORD).read_text())
        except (OSError, ValueError):
            return [f"copy this checkout to {self.directory} and install its Python packages there"]
        if record.get("python") != platform.python_version():
            return [
                f"install the Python packages of {self.directory} again, for Python {platform.python_version()}"
            ]
        return []

    def apply(self) -> None:
        if self.checkout != self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)
            for name in sources(self.checkout):
                target = self.directory / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.checkout / name, target)
                target.chmod(0o755 if (self.checkout / name).stat().st_mode & 0o100 else 0o644)
        run(
            ["python3", "-m", "venv", "--clear", self.directory / "venv"],
            failure="Python could not make an environment. Is python3-venv installed?",
        )
        run(
            [
                *(
                    self.python,
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--no-input",
                    "--disable-pip-version-check",
                ),
                *("--only-binary", ":all:", "-r", self.directory / "requirements.txt"),
            ],
            failure="pip could not install the Python packages. See that this machine reaches its package index, then "
            "run this again:",
        )
        run([self.python, "-m", "compileall", "-q", "-x", "/venv/", self.directory])
        record = {
            "commit": commit_of(self.checkout),
            "installed": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "python": platform.python_version(),
        }
        (self.directory / RECORD).write_text(json.dumps(record) + "\n")

    def manage(
        self,
        *arguments: str,
        variables: dict[str, str],
        failure: str | None = None,
        text: str | None = None,
        secret: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """A command of the box, as its user and with its settings."""
        return run(
            [self.python, "manage.py", *arguments],
            user=places.BOX_USER,
            environment=variables,
            text=text,
            secret=secret,
            failure=failure,
            cwd=self.directory,
        )

    def publish(self, variables: dict[str, str]) -> None:
        """What the web process hands out besides: static files, and the client of this release."""
        failure = "What the web process hands out could not be made:"
        shutil.rmtree(places.DATA / "client", ignore_errors=True)
        self.manage("collectstatic", "--no-input", variables=variables, failure=failure)
        self.manage("build_client", variables=variables, failure=failure)


def installed_releases() -> list[Path]:
    """The newest first; those that were never finished last."""

    def made_at(directory: Path) -> float:
        record = directory / RECORD
        return record.stat().st_mtime if record.exists() else 0.0

    found = places.RELEASES.iterdir() if places.RELEASES.is_dir() else ()
    return sorted((one for one in found if one.is_dir()), key=made_at, reverse=True)


def superfluous(keep: set[str]) -> list[Path]:
    """Releases beyond the newest, never one of `keep`."""
    others = [one for one in installed_releases() if one.name not in keep]
    return others[max(0, KEPT - len(keep)) :]
