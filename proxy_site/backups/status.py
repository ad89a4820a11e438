"""What is known of backups, as a file beside the archives it speaks of.

Not rows: a database that was restored would tell of the day it was saved, and one that is lost nothing. Written by
whoever makes or tries a backup, one at a time; read by whoever likes, at any time.
"""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

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

    def write(self, directory: Path) -> None:
        """Whole or not at all."""
        draft = directory / f".{FILE}.{os.getpid()}"
        try:
            draft.write_text(json.dumps(asdict(self), default=datetime.isoformat, indent=1) + "\n")
            draft.replace(directory / FILE)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()


def _month() -> str:
    return f"{datetime.now(UTC):%Y-%m}"
