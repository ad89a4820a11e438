"""The health of a torrent's swarm, as counts and in words. Read from the engine only while somebody looks.

Whoever asks notes an interest and gets what is stored; the reconciler reads what interests somebody, a few torrents a
round. So no request waits for the engine, and a thousand torrents at which nobody looks cost nothing.
"""

import logging
import time
import uuid
from collections.abc import Mapping
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from torrents.engines.base import Engine as EngineAdapter
from torrents.engines.base import EngineError, EngineTorrent, SwarmCounts
from torrents.intents import wake_reconciler
from torrents.models import Claim, Engine, Interest, LiveState, Swarm, Torrent
from torrents.states import message_of, state_of

logger = logging.getLogger(__name__)

INTEREST = timedelta(seconds=30)
READ_AT_ONCE = 5  # torrents a round, those read longest ago first
READ_AGAIN = 3.0  # seconds after which the counts of a torrent are read anew
COUNTS = ("trackers_working", "trackers_failing", "trackers_waiting")
MAYBE_COUNTS = ("known_seeds", "known_peers", "availability")
UNKNOWN = -1


@transaction.atomic
def note_interest(torrent_id: uuid.UUID) -> None:
    """Somebody looks at this torrent now. Cheap enough for every request: it writes every 15 seconds at most."""
    now = timezone.now()
    until = Interest.objects.filter(pk=torrent_id).values_list("until", flat=True).first()
    if until is not None and until > now + INTEREST / 2:
        return
    with connection.cursor() as cursor:
        # KEY SHARE: a torrent that goes away just now is no error.
        cursor.execute(
            """
            INSERT INTO torrents_interest (torrent_id, until)
            SELECT id, %s FROM torrents_torrent WHERE id = %s FOR KEY SHARE
            ON CONFLICT (torrent_id) DO UPDATE SET until = excluded.until
            """,
            [now + INTEREST, torrent_id],
        )
    if until is None or until <= now:
        wake_reconciler()


def interesting(engine: Engine) -> set[uuid.UUID]:
    """The engine's torrents at which somebody looks."""
    alive = Interest.objects.filter(torrent__engine=engine, until__gt=timezone.now())
    return set(alive.values_list("torrent_id", flat=True))


class SwarmReader:
    """The reconciler's part: reads the counts of what interests somebody."""

    def __init__(self, *, engine: EngineAdapter, row: Engine) -> None:
        self._engine = engine
        self._row = row
        self._read_at: dict[uuid.UUID, float] = {}  # of what interests somebody; 0.0: not yet

    def reload(self) -> None:
        self._read_at = {
            torrent_id: self._read_at.get(torrent_id, 0.0) for torrent_id in interesting(self._row)
        }

    def read(self, held: Mapping[uuid.UUID, EngineTorrent]) -> None:
        """One round's share. What the engine does not tell now is asked again later."""
        now = time.monotonic()
        due = [
            torrent_id
            for torrent_id, read_at in sorted(self._read_at.items(), key=lambda item: item[1])
            if torrent_id in held and (not read_at or now - read_at >= READ_AGAIN)
        ]
        counts = {}
        for torrent_id in due[:READ_AT_ONCE]:
            self._read_at[torrent_id] = now
            try:
                counts[torrent_id] = self._engine.swarm(held[torrent_id].key)
            except EngineError as error:
                logger.info("The swarm of %s cannot be read now: %s", torrent_id, error)
                break  # if it is the engine, the next poll tells
        if counts:
            record_swarms(counts)


@transaction.atomic
def record_swarms(counts: Mapping[uuid.UUID, SwarmCounts]) -> None:
    """Store what was read just now. Nobody's change counter moves: who looks asks again."""
    now = timezone.now()
    there = Torrent.objects.filter(pk__in=counts).locked().values_list("pk", flat=True)
    Swarm.objects.bulk_create(
        [
            Swarm(
                torrent_id=torrent_id,
                checked_at=now,
                **{name: getattr(counts[torrent_id], name) for name in COUNTS},
                **{name: _stored(getattr(counts[torrent_id], name)) for name in MAYBE_COUNTS},
            )
            for torrent_id in there
        ],
        update_conflicts=True,
        unique_fields=["torrent"],
        update_fields=[*COUNTS, *MAYBE_COUNTS, "checked_at"],
    )


def swarm_of(claim: Claim) -> Swarm | None:
    """The counts as they were last read; None before that."""
    return Swarm.objects.filter(torrent_id=claim.torrent_id).first()


def known(count: float) -> float | None:
    """A stored count; None where it is unknown."""
    return None if count == UNKNOWN else count


def swarm_message(claim: Claim, swarm: Swarm | None) -> str:
    """Why the torrent stalls and what happens next, as far as the counts tell; else what `message_of` says."""
    state = state_of(claim)
    if swarm is None or state not in (LiveState.State.STALLED, LiveState.State.METADATA):
        return message_of(claim)
    if not claim.torrent.engine.reachable:
        return message_of(claim)
    live = claim.torrent.live
    if live.seeds or live.peers:
        return _connected(claim, swarm)
    if swarm.known_seeds > 0:
        firewalled = claim.torrent.engine.connection == "firewalled"
        return (
            f"{_people(swarm.known_seeds)} said to have all of it, but none is connected: they are away, busy, or "
            "behind a firewall. It keeps trying and goes on by itself."
            + (" The box is behind a firewall too; an admin can open its torrent port." if firewalled else "")
        )
    if swarm.trackers_failing and not swarm.trackers_working and not swarm.trackers_waiting:
        return (
            f"{_trackers(swarm.trackers_failing)}, so nobody can be found that way. They are asked again by "
            "themselves. If it stays like this, add the torrent from a link with other trackers."
        )
    if swarm.trackers_waiting and not swarm.trackers_working:
        return "The trackers are being asked who has it. Look again in a minute."
    if state == LiveState.State.METADATA:
        return message_of(claim)
    return (
        "Nobody who has all of it is known right now. It goes on by itself when somebody comes back. If that takes "
        "days, look for another release of the same thing."
    )


def _stored(count: float | None) -> float:
    return UNKNOWN if count is None else count


def _connected(claim: Claim, swarm: Swarm) -> str:
    """Words for a torrent that is connected to somebody and still gets nothing."""
    copies = known(swarm.availability)
    if not claim.torrent.live.seeds and copies is not None and copies < 1:
        return (
            f"Those who are connected have only {copies:.0%} of it together, and nobody who has all of it is there. "
            "It goes on by itself when somebody brings the rest."
        )
    return message_of(claim)


def _people(count: int) -> str:
    return "One is" if count == 1 else f"{count} are"


def _trackers(count: int) -> str:
    return "Its tracker does not answer" if count == 1 else f"None of its {count} trackers answers"
