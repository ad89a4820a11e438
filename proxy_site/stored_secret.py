"""Secrets that a single machine makes for itself, so that nobody has to invent a password."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path


def stored_secret(path: Path) -> str:
    """The secret kept in `path`; made on first use, readable by its owner only.

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
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(descriptor)  # a power cut must not leave an empty secret
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # atomic, and never replaces one that another process made first
    finally:
        Path(draft).unlink()
    return path.read_text().strip()
