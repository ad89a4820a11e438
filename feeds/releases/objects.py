"""A `Release` as an object of JSON, as it is stored and sent."""

import dataclasses
import datetime
from typing import Any

from feeds.releases.release import Release

_FIELDS = tuple(field.name for field in dataclasses.fields(Release))


def to_object(release: Release) -> dict[str, Any]:
    """What is not stated is left out."""
    stated = {}
    for name in _FIELDS:
        value = getattr(release, name)
        if value is None or value is False or value in ("", ()):
            continue
        if isinstance(value, tuple):
            value = list(value)
        stated[name] = value.isoformat() if isinstance(value, datetime.date) else value
    return stated
