"""A `Release` as an object of JSON, as it is stored and sent."""

import dataclasses
import datetime
from typing import Any

from feeds.releases.release import Release


def to_object(release: Release) -> dict[str, Any]:
    """What is not stated is left out."""
    stated = {}
    for field in dataclasses.fields(release):
        value = getattr(release, field.name)
        if value is None or value is False or value in ("", ()):
            continue
        if isinstance(value, tuple):
            value = list(value)
        stated[field.name] = value.isoformat() if isinstance(value, datetime.date) else value
    return stated
