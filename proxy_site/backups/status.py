"""What is known of backups, as a file beside the archives it speaks of.

Not rows: a database that was restored would tell of the day it was saved, and one that is lost nothing. Written by
whoever makes or tries a backup, one at a time; read by whoever likes, at any time.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from proxy_site.backups.places import give_to_owner_of

FILE = "status.json"


@dataclass
class PlaceStatus:
    """Of one place, when it last got an archive."""

    last_success: datetime
    newest: str
    newest_bytes: int
    stored_bytes: int  # all archives
    count: int


@dataclass
class Status:
    places: dict[str, PlaceStatus] = field(default_factory=dict)  # by kind
    since: datetime | None = None  # when the first archive was made
    verified: dict[str, datetime] = field(default_factory=dict)  # archives that were restored on trial: when
    failures: dict[str, int] = field(default_factory=lambda: {"backup": 0, "verify": 0})  # in a row
    last_failure: dict[str, str] = field(default_factory=dict)  # in words; of what failed last
    left_out: list[str] = field(default_factory=list)  # of the newest archive's configuration
    requests_month: str = ""  # 2026-11
    requests: int = 0  # to the bucket in that month

    @property
    def last_verified(self) -> datetime | None:
        return max(self.verified.values(), default=None)

    def newest_bytes(self) -> int:
        return max((place.newest_bytes for place in self.places.values()), default=0)

    def requests_this_month(self) -> int:
        return self.requests if self.requests_month == _month() else 0

    def count_request(self) -> None:
        self.requests, self.requests_month = self.requests_this_month() + 1, _month()

    @classmethod
    def read(cls, directory: Path) -> Self:
        """What was never written, or cannot be read, is as at the beginning."""
        try:
            told: dict[str, Any] = json.loads((directory / FILE).read_bytes())
            told["places"] = {
                kind: PlaceStatus(**{**place, "last_success": datetime.fromisoformat(place["last_success"])})
                for kind, place in told["places"].items()
            }
            told["since"] = datetime.fromisoformat(told["since"]) if told["since"] else None
            told["verified"] = {name: datetime.fromisoformat(at) for name, at in told["verified"].items()}
            return cls(**told)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return cls()

    @classmethod
    @contextmanager
    def changing(cls, directory: Path) -> Iterator[Self]:
        """As it is now, and written afterwards, whole or not at all; whoever else changes it waits. Raises OSError."""
        locked = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(locked, fcntl.LOCK_EX)
            status = cls.read(directory)
            yield status
            status.write(directory)
        finally:
            os.close(locked)

    def write(self, directory: Path) -> None:
        """For `changing`; the only one who writes there now."""
        draft = directory / f".{FILE}.new"
        draft.unlink(missing_ok=True)  # of a run that was killed, or a link to who knows what
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(self), file, default=datetime.isoformat, indent=1)
        give_to_owner_of(directory, draft)
        draft.replace(directory / FILE)


def _month() -> str:
    return f"{datetime.now(UTC):%Y-%m}"
