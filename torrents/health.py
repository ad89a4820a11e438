"""Whether the engine, and the reconciler that looks after it, are at work."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from torrents.services import default_engine

LEAST_FREE_SPACE = 64 * 2**20  # bytes
SILENT_AFTER = timedelta(seconds=60)  # the reconciler looks at the engine every 10 s at least


@dataclass(frozen=True)
class EngineHealth:
    reachable: bool
    message: str  # for anybody who asks, so without addresses or reasons
    checked_at: datetime | None
    ok: bool = False


def engine_health() -> EngineHealth:
    """Never raises: whoever asks wants to hear what is wrong."""
    try:
        engine = default_engine()
    except (OperationalError, InterfaceError):
        return EngineHealth(
            False, "The box's database does not answer. Everything goes on by itself when it does.", None
        )
    if engine.checked_at is None or timezone.now() - engine.checked_at > SILENT_AFTER:
        return EngineHealth(
            False, "Nothing looks after the download engine: run_engine is not running.", engine.checked_at
        )
    if engine.reachable and engine.free_space is not None and engine.free_space < LEAST_FREE_SPACE:
        return EngineHealth(
            True,
            "The box's disk is full: nothing can be downloaded. It goes on by itself when there is space again.",
            engine.checked_at,
            ok=False,
        )
    if not engine.reachable:
        message = engine.notice or "The download engine does not answer. It is asked again all the time."
        return EngineHealth(False, message, engine.checked_at)
    return EngineHealth(True, "", engine.checked_at, ok=True)
