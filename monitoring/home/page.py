"""How the box is, as one page."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from monitoring.configuration import examined
from monitoring.health import Check
from monitoring.home import automation, machine, people, torrents
from monitoring.home.figures import Section
from monitoring.metrics.catalogue import Samples
from monitoring.metrics.reading import read_rows

logger = logging.getLogger(__name__)
PARTS = (torrents, machine, people, automation)


@dataclass(frozen=True, slots=True)
class Home:
    at: datetime
    wrong: Sequence[Check]
    well: Sequence[Check]
    sections: Sequence[Section]  # none where they cannot be read


def read_home() -> Home:
    """Never raises."""
    now = timezone.now()
    checks = examined()
    return Home(
        at=now,
        wrong=[check for check in checks if not check.ok],
        well=[check for check in checks if check.ok],
        sections=_sections(now),
    )


def _sections(now: datetime) -> list[Section]:
    samples = Samples()
    if not read_rows(samples, now):
        return []
    try:
        return [section for part in PARTS for section in part.sections(samples, now)]
    except (DatabaseError, InterfaceError):
        logger.exception("The figures of the first page cannot be read")
        return []
