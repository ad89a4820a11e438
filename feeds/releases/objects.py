"""A `Release` as an object of JSON, as it is stored and sent."""

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from feeds.releases.release import Release, Special

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


def from_object(stated: Mapping[str, Any]) -> Release:
    """What `to_object` made, also by an older version of this software: what is not known any more is left out."""
    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in stated.items()
        if name in _FIELDS
    }
    if "special" in known:
        known["special"] = Special(known["special"]) if known["special"] in _SPECIALS else None
    if "date" in known:
        known["date"] = datetime.date.fromisoformat(known["date"])
    return Release(**{"series": ""} | known)


_SPECIALS = frozenset(Special)
