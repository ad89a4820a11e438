"""Files, directories and links as resources."""

import contextlib
import errno
import grp
import os
import pwd
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from deploy.converge.commands import InstallError

FOLLOWED = 0  # a flag of open()


def uid_of(name: str) -> int | None:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(name).pw_uid
    return None


def gid_of(name: str) -> int | None:
    with contextlib.suppress(KeyError):
        return grp.getgrnam(name).gr_gid
    return None


@dataclass
class Owned:
    """A file that somebody else makes, and who it belongs to. Where they may write, a link in its place could lead to
    any file of root's: it is refused."""

    links: ClassVar[int] = os.O_NOFOLLOW

    path: Path
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644

    def differs(self) -> list[str]:
        if not os.path.lexists(self.path):
            return []
        found = self.path.stat(follow_symlinks=self.links == FOLLOWED)
        wanted = (uid_of(self.owner), gid_of(self.group), self.mode)
        if (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == wanted:
            return []
        return [f"give {self.path} to {self.owner}:{self.group}, mode {self.mode:04o}"]

    def apply(self) -> None:
        self._own(self.path)

    def _own(self, path: Path) -> None:
        descriptor = _opened(path, os.O_RDONLY | os.O_NONBLOCK | self.links)
        try:
            os.fchown(descriptor, uid_of(self.owner) or 0, gid_of(self.group) or 0)
            os.fchmod(descriptor, self.mode)  # after chown, which takes setgid away
        finally:
            os.close(descriptor)


@dataclass
class File(Owned):
    """A file of exactly this content; replaced in one step, so that nobody ever reads half of it."""

    content: str = ""
    about: str = ""  # what is new in it, for the phrase
    _before: Callable[[], None] | None = field(default=None, repr=False)

    def differs(self) -> list[str]:
        if not self.path.is_file() or self.path.is_symlink():
            return [f"write {self.path}{self.about}"]
        if self.path.read_bytes() != self.content.encode():
            return [f"rewrite {self.path}{self.about}"]
        return super().differs()

    def apply(self) -> None:
        self._before = _remembered(self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_in_one_step(self.path, self.content.encode(), before_it_shows=self._own)

    def takes_back(self) -> None:
        if self._before is not None:
            self._before()


@dataclass
class Directory(Owned):
    """All are in folders of root's; the operator may have put one on another volume by a link."""

    links = FOLLOWED

    mode: int = 0o755

    def differs(self) -> list[str]:
        return super().differs() if self.path.is_dir() else [f"make the directory {self.path}"]

    def apply(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        self._own(self.path)


@dataclass
class Kept(Owned):
    """A file that others write to; made empty, so that it belongs to the right people from the beginning."""

    def differs(self) -> list[str]:
        return super().differs() if self.path.exists() else [f"make the file {self.path}"]

    def apply(self) -> None:
        os.close(_opened(self.path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW))
        super().apply()


@dataclass
class Link:
    """A symbolic link; replaced in one step."""

    path: Path
    target: str

    def differs(self) -> list[str]:
        if self.path.is_symlink() and str(self.path.readlink()) == self.target:
            return []
        return [f"let {self.path} point to {self.target}"]

    def apply(self) -> None:
        draft = self.path.with_name(f".{self.path.name}.new")
        draft.unlink(missing_ok=True)
        draft.symlink_to(self.target)
        draft.replace(self.path)


@dataclass
class Missing:
    """A file or directory that shall not be there."""

    path: Path
    _before: Callable[[], None] | None = field(default=None, repr=False)

    def differs(self) -> list[str]:
        return [f"remove {self.path}"] if self.path.exists() or self.path.is_symlink() else []

    def apply(self) -> None:
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path)
        else:
            self._before = _remembered(self.path)
            self.path.unlink()

    def takes_back(self) -> None:
        if self._before is not None:
            self._before()


def _opened(path: Path, flags: int) -> int:
    """Its descriptor. Raises InstallError for a link that is not to be followed."""
    try:
        return os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise InstallError(
            f"{path} is a symbolic link, which root does not follow. Remove it, then run this again."
        ) from error


def write_in_one_step(path: Path, content: bytes, *, before_it_shows: Callable[[Path], None]) -> None:
    draft = path.with_name(f".{path.name}.new")  # always this name: what a killed run left goes with the next
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        before_it_shows(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _remembered(path: Path) -> Callable[[], None]:
    """What puts the file back as it is now."""
    if not path.is_file():
        return lambda: path.unlink(missing_ok=True)
    content, found = path.read_bytes(), path.stat()

    def as_before(draft: Path) -> None:
        os.chown(draft, found.st_uid, found.st_gid)
        draft.chmod(stat.S_IMODE(found.st_mode))

    return lambda: write_in_one_step(path, content, before_it_shows=as_before)
