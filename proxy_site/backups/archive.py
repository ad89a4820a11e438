"""An archive: a tar of three files, encrypted as a whole by age (age-encryption.org), so that the ordinary programs
`age` and `tar` open it without us.

age authenticates every 64 KiB, and that the last is the last: what is cut, changed or made with another key is
refused. The manifest comes first, so it can be read without the rest. Memory stays bounded whatever the size.
"""

import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO

import pyrage

from proxy_site.backups.errors import BackupError

MANIFEST, CONFIGURATION, DATABASE = NAMES = "manifest.json", "configuration.tar", "database.dump"
BLOCK = 1024 * 1024
BEGINNING = 512 * 1024  # bytes of an archive in which its manifest is, whole
LONGEST_MANIFEST = 256 * 1024
NO_MATCH = "No matching keys found"  # age's words for a wrong key; a test holds them


def write(target: BinaryIO, *, key: str, manifest: bytes, configuration: Path, database: Path) -> None:
    """`key` is the identity that opens it. Raises BackupError for one that is none, or where it cannot be written."""
    if len(manifest) > LONGEST_MANIFEST:
        raise BackupError(
            f"The manifest is longer than {LONGEST_MANIFEST} bytes: this database has too many tables."
        )
    recipient = _identity(key).to_public()
    encrypted_from, written_to = _pipe()
    with (
        _meanwhile(lambda: pyrage.encrypt_io(encrypted_from, target, [recipient]), closing=encrypted_from),
        written_to,
        tarfile.open(fileobj=written_to, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        first = tarfile.TarInfo(MANIFEST)
        first.size, first.mode = len(manifest), 0o600
        tar.addfile(first, BytesIO(manifest))
        for name, path in ((CONFIGURATION, configuration), (DATABASE, database)):
            with path.open("rb") as file:
                tar.addfile(tar.gettarinfo(arcname=name, fileobj=file), file)


def read_manifest(beginning: BinaryIO, *, key: str) -> bytes:
    """Of an archive, or of no more than its first BEGINNING bytes. That the rest is whole is not known then."""
    decrypted, written_to = _pipe()
    told: bytes | None = None
    try:
        with (
            _meanwhile(_decrypting(beginning, written_to, key), closing=written_to),
            decrypted,
            _tar(decrypted) as tar,
        ):
            for member in tar:
                told = _content(tar, member).read(LONGEST_MANIFEST) if member.name == MANIFEST else None
                break
    except BackupError:
        if told is None:  # else only what comes after it is missing
            raise
    if told is None:
        raise BackupError("That is no archive of this box: it does not begin with a manifest.")
    return told


def unpack(source: BinaryIO, into: Path, *, key: str) -> None:
    """Write the three files to a folder, readable by their owner only. What is there counts only if this returns:
    BackupError says that the archive is incomplete or changed, or that the key is another's."""
    decrypted, written_to = _pipe()
    found = []
    with _meanwhile(_decrypting(source, written_to, key), closing=written_to), decrypted:
        with _tar(decrypted) as tar:
            for member in tar:
                if member.name not in NAMES:
                    raise BackupError(
                        f"The archive holds {member.name!r}, which archives of this box do not."
                    )
                content = _content(tar, member)
                with _private_file(into / member.name) as file:
                    copyfileobj(content, file, BLOCK)
                found.append(member.name)
        while decrypted.read(BLOCK):  # what authenticates the end comes after the tar's
            pass
    if sorted(found) != sorted(NAMES):
        raise BackupError(f"The archive holds {', '.join(found) or 'nothing'} instead of {', '.join(NAMES)}.")


def _decrypting(source: BinaryIO, target: BinaryIO, key: str) -> Callable[[], None]:
    identity = _identity(key)

    def work() -> None:
        try:
            pyrage.decrypt_io(source, target, [identity])
        except pyrage.DecryptError as error:
            if str(error) == NO_MATCH:
                raise BackupError(
                    "The archive was made with another BACKUP_KEY. Set the one it was made with; nothing else opens it."
                ) from error
            raise BackupError(f"The archive is incomplete or damaged ({error}). Use another one.") from error
        except OSError as error:
            if error.errno is not None:  # the disk's, or nobody reads on
                raise
            raise BackupError(f"The archive is incomplete or damaged ({error}). Use another one.") from error

    return work


@contextmanager
def _meanwhile(work: Callable[[], None], *, closing: BinaryIO) -> Iterator[None]:
    """`work` in a thread, which closes its end of the pipe when it ends. Its error goes before ours, which then comes
    of it; that we stopped reading is none."""
    failed: list[Exception] = []

    def run() -> None:
        try:
            with closing:
                work()
        except BrokenPipeError:
            pass
        except pyrage.EncryptError as error:
            failed.append(BackupError(f"The archive could not be written: {error}"))
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="age", daemon=True)
    thread.start()
    try:
        yield
    except (OSError, tarfile.TarError) as error:
        thread.join()
        raise (failed[0] if failed else error) from error
    finally:
        thread.join()
    if failed:
        raise failed[0]


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    reading, writing = os.pipe()
    return os.fdopen(reading, "rb"), os.fdopen(writing, "wb")


def _tar(source: BinaryIO) -> tarfile.TarFile:
    return tarfile.open(fileobj=source, mode="r|")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
    # What has holes could be longer than any disk; nothing of ours has.
    content = tar.extractfile(member) if member.isreg() and not member.issparse() else None
    if content is None:
        raise BackupError(f"The archive holds {member.name!r} as something that is no file.")
    return content  # type: ignore[return-value]  # an IO[bytes]


def _private_file(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def require_key(key: str) -> None:
    """Raises BackupError for what opens nothing."""
    _identity(key)


def _identity(key: str) -> "pyrage.x25519.Identity":
    if not key:
        raise BackupError(
            "BACKUP_KEY is not set. Set the key of your archives; for the first one make a key, and keep a copy of it "
            "elsewhere: python -c 'import pyrage; print(pyrage.x25519.Identity.generate())'"
        )
    try:
        return pyrage.x25519.Identity.from_str(key)
    except pyrage.IdentityError as error:
        raise BackupError("BACKUP_KEY is not a key of age: a character of it is wrong or missing.") from error
