"""Whether the engine, and the reconciler that looks after it, are at work."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError
from django.utils import timezone

from torrents.services import default_engine

SILENT_AFTER = timedelta(seconds=60)  # the reconciler looks at the engine every 10 s at least


@dataclass(frozen=True)
class EngineHealth:
    reachable: bool
    message: str  # for anybody who asks, so without addresses or reasons
    checked_at: datetime | None

    @property
    def ok(self) -> bool:
        return self.reachable


def engine_health() -> EngineHealth:
    """Never raises: whoever asks wants to hear what is wrong."""
    try:
        engine = default_engine()
    except OperationalError:
        return EngineHealth(False, "The database does not answer.", None)
    if engine.checked_at is None or timezone.now() - engine.checked_at > SILENT_AFTER:
        return EngineHealth(
            False, "Nothing looks after the download engine: run_engine is not running.", engine.checked_at
        )
    if not engine.reachable:
        return EngineHealth(
            False, "The download engine does not answer. It is asked again all the time.", engine.checked_at
        )
    return EngineHealth(True, "", engine.checked_at)
