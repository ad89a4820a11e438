"""Letting downloads in: reads what people hold and what there is left, asks `budgets.py`, writes what changed.

The reconciler decides before it reads what it is to do, and again when it has learned a torrent's size. What a verb
of services.py makes complete at once, because others have downloaded it, goes through `settle`.
"""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from torrents import budgets, egress, history, seeding
from torrents.allowances import allowance_of, read_held, read_people, size_of
from torrents.budgets import Box, Decision, Held
from torrents.locks import lock_change_counters
from torrents.models import Claim, Engine, Torrent
from torrents.own_files import are_there
from torrents.seeding import SeedingPolicy, SeedingRules

_WRITE = """
WITH decided AS (
    SELECT claim.id, claim.user_id, news.waits_for, news.admitted_size, news.completes,
           claim.waits_for != news.waits_for OR news.completes AS visible
    FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::bool[]) AS news (id, waits_for, admitted_size, completes)
    JOIN torrents_claim claim ON claim.id = news.id
), bumped AS (
    INSERT INTO torrents_changecounter AS counter (user_id, value, pruned)
    SELECT user_id, 1, 0 FROM decided WHERE visible GROUP BY user_id ORDER BY user_id
    ON CONFLICT (user_id) DO UPDATE SET value = counter.value + 1
    RETURNING user_id, value
)
UPDATE torrents_claim claim
SET waits_for = decided.waits_for, admitted_size = decided.admitted_size,
    completed_at = CASE WHEN decided.completes THEN now() END,
    change = CASE WHEN decided.visible THEN bumped.value ELSE claim.change END
FROM decided LEFT JOIN bumped ON bumped.user_id = decided.user_id
WHERE claim.id = decided.id
"""

Changed = dict[uuid.UUID, tuple[Held, Decision]]


@transaction.atomic
def decide(*, engine: Engine, free_space: int | None) -> bool:
    """Set what each unfinished claim waits for; True if that changed for any.

    `free_space` in bytes, None where it is not known. Two reads, and nothing written where nothing changed. Where
    something did, it is decided again under the locks that every wish takes, so that neither a wish nor the room for
    it is lost in between; a torrent that only the second look would change waits for the next time.
    """
    before = _changed(engine, free_space)
    if not before:
        return False
    concerned = {claim.torrent_id for claim, _ in before.values()}
    torrents = Torrent.objects.filter(pk__in=concerned).locked()
    lock_change_counters(torrents)
    changed = {
        id: (claim, decision)
        for id, (claim, decision) in _changed(engine, free_space).items()
        if claim.torrent_id in concerned
    }
    _write(changed)
    history.note_completed({claim.torrent_id for claim, decision in changed.values() if decision.completes})
    return any(decision.waits_for != claim.waits_for for claim, decision in changed.values())


def _changed(engine: Engine, free_space: int | None) -> Changed:
    """The claims on which the decision is another one than stands in their rows."""
    held = read_held(engine_id=engine.pk)
    people, to_peers = read_people()
    box = Box(
        free_space=free_space,
        floor=settings.DISK_FLOOR,
        active_limit=settings.MAX_ACTIVE_TORRENTS,
        egress=to_peers + sum(person.sent for person in people.values()),
        egress_limit=settings.MONTHLY_EGRESS_LIMIT,
        lookups=settings.METADATA_LOOKUPS,
    )
    decisions = budgets.decide(held, people, box, timezone.now())
    return {
        claim.id: (claim, decision)
        for claim in held
        if (decision := decisions.get(claim.id)) is not None
        and decision != Decision(claim.waits_for, claim.admitted_size)
    }


def _write(changed: Changed) -> None:
    rows = [(id, new.waits_for, new.admitted_size, new.completes) for id, (_, new) in changed.items()]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_WRITE, [list(column) for column in zip(*rows, strict=True)])


def settle(claim: Claim) -> None:
    """For a claim that its owner just made run: set what it waits for, and whether it is complete because its files
    are there. The caller holds the torrent's lock and the user's change counter, and saves both fields.

    Only the owner's disk is looked at. Everything else, which matters to downloads alone, is the reconciler's.
    """
    if claim.wanted != Claim.Wanted.RUNNING or claim.completed_at is not None:
        return
    size = size_of(claim)
    let_in = size is not None and claim.admitted_size is not None and size <= claim.admitted_size
    if not let_in and not _fits(claim):
        claim.waits_for = Claim.WaitsFor.USER_DISK
    elif are_there(claim.torrent, claim.chosen_files):
        claim.waits_for = ""
        claim.completed_at = timezone.now()


def settle_again(claim: Claim) -> None:
    """The same for a claim that its owner takes back: others of theirs may have its room by now. The caller saves
    `admitted_size` too."""
    claim.admitted_size = None
    if claim.completed_at is None or not _fits(claim):
        claim.completed_at = None
        settle(claim)


def _fits(claim: Claim) -> bool:
    """Whether its owner's quota has room for it beside all else that they hold."""
    size = size_of(claim)
    return size is None or size <= allowance_of(claim.user_id, without=claim.torrent_id).disk_left


def seeding_over(engine: Engine) -> set[uuid.UUID]:
    """Finished torrents that are not to be seeded any more, as people wish and the month's budgets allow: those of our
    own ledgers, and that of all that the machine sends."""
    people, to_peers = read_people()
    sent = to_peers + sum(person.sent for person in people.values())
    return seeding.seeding_over(
        Claim.objects.seeding_wishes(engine),
        rules=seeding_rules(),
        budget_left=to_peers < settings.SEEDING_MONTHLY_LIMIT
        and sent < settings.MONTHLY_EGRESS_LIMIT
        and egress.current_policy().seeding != egress.Seeding.STOPPED,
        now=timezone.now(),
    )


def seeding_rules() -> SeedingRules:
    return SeedingRules(
        default=SeedingPolicy(settings.SEEDING_RATIO, timedelta(hours=settings.SEEDING_HOURS)),
        most=SeedingPolicy(settings.SEEDING_MAX_RATIO, timedelta(hours=settings.SEEDING_MAX_HOURS)),
    )
