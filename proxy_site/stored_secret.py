"""Secrets that a single machine makes for itself, so that nobody has to invent a password."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path


def random_secret() -> str:
    return secrets.token_urlsafe(48)


def stored_secret(path: Path, *, make: Callable[[], str] = random_secret) -> str:
    """The secret kept in `path`; made by `make` on first use, readable by its owner only.

    Raises OSError where the file cannot be read or made.
    """
    with contextlib.suppress(FileNotFoundError):
        return path.read_text().strip()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, draft = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}."
    )  # 0600 from its first moment
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(make() + "\n")
            file.flush()
            os.fsync(descriptor)  # a power cut must not leave an empty secret
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # atomic, and never replaces one that another process made first
    finally:
        Path(draft).unlink()
    return path.read_text().strip()
