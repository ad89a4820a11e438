"""Small files that are written whole or not at all, readable by their owner only."""

import contextlib
import json
import os
import tempfile
from pathlib import Path


def make_private_directory(directory: Path) -> None:
    """Only a directory that we create is closed to others: the person may have named one of their own."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)


def write_json(path: Path, value: object) -> None:
    """Replace `path` in one step, also across a power cut. Raises OSError."""
    make_private_directory(path.parent)
    # mkstemp creates the file with mode 0600.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def read_json_object(path: Path) -> dict[str, object]:
    """Empty when there is no such file or it cannot be understood."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
