"""Claims, people and a box for the rules of budgets.py, without a database. Sizes are plain numbers."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from torrents.budgets import Box, Decision, Held, Person, decide

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLENTY = 10**9
ALICE, BOB, CHARLIE = 1, 2, 3


def person(**limits: int) -> Person:
    return Person(
        **{"disk_quota": PLENTY, "active_limit": PLENTY, "traffic_limit": PLENTY, "sent": 0, **limits}
    )


def a_box(**left: Any) -> Box:
    plenty = {
        "free_space": PLENTY,
        "floor": 0,
        "active_limit": PLENTY,
        "egress": 0,
        "egress_limit": PLENTY,
        "lookups": 2,
    }
    return Box(**{**plenty, **left})


def held(user: int = ALICE, size: int | None = 10, *, hours: float = 0, **known: Any) -> Held:
    """A claim that wants to run, added so many hours ago."""
    unknown = {
        "id": uuid.uuid4(),
        "user_id": user,
        "torrent_id": uuid.uuid4(),
        "added_at": NOW - hours * HOUR,
        "running": True,
        "complete": False,
        "waits_for": "",
        "admitted_size": None,
        "handed_over": 0,
        "size": size,
        "torrent_size": size,
        "torrent_complete": False,
        "progress": 0.0,
        "refused": False,
    }
    return Held(**{**unknown, **known})


def running(user: int = ALICE, size: int = 10, *, hours: float = 0, **known: Any) -> Held:
    return held(user, size, hours=hours, **{"admitted_size": size, **known})


def complete(user: int = ALICE, size: int = 10, **known: Any) -> Held:
    whole = {"complete": True, "torrent_complete": True, "progress": 1.0, "handed_over": size}
    return held(user, size, **{**whole, **known})


def also(other: Held, user: int, **known: Any) -> Held:
    """The same torrent, claimed by somebody else just now."""
    fresh = {"id": uuid.uuid4(), "user_id": user, "admitted_size": None, "complete": False, "handed_over": 0}
    return replace(other, **{**fresh, "added_at": NOW, "waits_for": "", **known})


def decided(
    claims: Collection[Held],
    box: Box | None = None,
    *,
    now: datetime = NOW,
    **people: Person,
) -> dict[uuid.UUID, Decision]:
    named = {"alice": ALICE, "bob": BOB, "charlie": CHARLIE}
    limits: Mapping[int, Person] = {id: people.get(name, person()) for name, id in named.items()}
    return decide(claims, limits, box or a_box(), now)


def waits(
    claims: Collection[Held], box: Box | None = None, *, now: datetime = NOW, **people: Person
) -> list[str]:
    """What each of the claims waits for, in their order."""
    decisions = decided(claims, box, now=now, **people)
    return [decisions[claim.id].waits_for for claim in claims if claim.id in decisions]


def after(claims: Collection[Held], decisions: Mapping[uuid.UUID, Decision]) -> list[Held]:
    """The claims as they are when the decisions are written."""
    return [
        replace(
            claim,
            waits_for=decision.waits_for,
            admitted_size=decision.admitted_size,
            complete=decision.completes,
        )
        if (decision := decisions.get(claim.id))
        else claim
        for claim in claims
    ]
