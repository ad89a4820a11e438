"""All figures that are made of our rows, and how backups stand, read at once."""

import logging
from datetime import datetime

from django.db import DatabaseError, InterfaceError

from monitoring.metrics import automation, backups, machine, people, torrents
from monitoring.metrics.catalogue import Samples

logger = logging.getLogger(__name__)


def read_rows(samples: Samples, now: datetime) -> bool:
    """Whether the database answered. Where it did not, what could be read is there."""
    backups.read(samples)
    try:
        for part in (torrents, people, machine, automation):
            part.read(samples, now)
    except (DatabaseError, InterfaceError):
        logger.exception("The figures of our rows cannot be read")
        return False
    return True
