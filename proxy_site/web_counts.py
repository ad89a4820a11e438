"""Where the processes of one gunicorn keep what they count, for each other to add up."""

import re
from pathlib import Path


def counts_directory(data_dir: Path, address: str) -> Path:
    """An empty directory of its own for whoever listens there. Raises OSError.

    What stood in it is of processes that have ended: counters may begin anew, but never twice.
    """
    directory = data_dir / "run" / "counts" / re.sub(r"[^0-9A-Za-z.]", "_", address)
    directory.mkdir(parents=True, exist_ok=True)
    for left in directory.glob("*.db"):
        left.unlink(missing_ok=True)
    return directory
