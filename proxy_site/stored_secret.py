"""Secrets that a single machine makes for itself, so that nobody has to invent a password."""

import os
import secrets
from pathlib import Path


def stored_secret(path: Path) -> str:
    """The secret kept in `path`; made on first use, readable by its owner only."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(48) + "\n")
    try:
        os.link(draft, path)  # atomic, and never replaces one that another process made first
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text().strip()
