"""That something is going on, for a person who waits."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from proxy_site.backups.errors import BackupError

Say = Callable[[str], None]
EVERY = 10.0  # seconds


@contextmanager
def telling(say: Say, size: Callable[[], int], *, every: float = EVERY) -> Iterator[None]:
    """While it lasts, say now and then how many bytes there are."""
    done = threading.Event()

    def tell() -> None:
        while not done.wait(every):
            with suppress(BackupError):
                say(f"  {in_units(size())} so far")

    thread = threading.Thread(target=tell, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def size_of(*paths: Path) -> int:
    """Of the files that are there yet, in bytes."""
    sizes = []
    for path in paths:
        with suppress(FileNotFoundError):
            sizes.append(path.stat().st_size)
    return sum(sizes)


def in_units(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
