from collections.abc import Iterator
from contextlib import contextmanager


class BackupError(Exception):
    """It was not done; the text is a sentence that says what happened and what to do next."""


class Busy(BackupError):
    """Another run is at work."""


@contextmanager
def disk_in_words() -> Iterator[None]:
    """What this machine's disk refuses is a BackupError, too."""
    try:
        yield
    except OSError as error:
        raise BackupError(
            f"This machine's disk refused: {error}. See that there is space, and run this as the user that the box "
            "runs as."
        ) from error
