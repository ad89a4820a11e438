"""What the rules of claims_model.py ask of the engine and of who may download, as sentences about what is wrong.

The rules are stated afresh: nothing of the product's own merging, sharing out or admission is used here.
"""

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping

from torrents.engines.base import EngineFile, EngineState, EngineTorrent
from torrents.tests.claims_model import ClaimsModel, Hold, Row

Seen = Mapping[Row, EngineTorrent]


def wrong_wishes(row: Row, seen: EngineTorrent, files: Collection[EngineFile]) -> Iterator[str]:
    """Of a row that runs: the union of the files, in order if anybody wants that. `files`: none before metadata."""
    choices = [hold.wishes.files for hold in row.running]
    wanted = {
        file.index for file in files if any(choice is None or file.index in choice for choice in choices)
    }
    if wanted != {file.index for file in files if file.wanted}:
        yield f"the engine fetches other files than {wanted}: {files}"
    if seen.sequential != any(hold.wishes.sequential for hold in row.running):
        yield f"sequential is {seen.sequential}"


def right_states(row: Row) -> Collection[EngineState]:
    """Of a row that runs, once everything has settled."""
    if not row.can_finish:
        return EngineState.METADATA, EngineState.STALLED, EngineState.SEEDING
    seeds = any(hold.wishes.seed_ratio != 0 for hold in row.running)
    return (EngineState.SEEDING,) if seeds else (EngineState.STOPPED,)


def wrong_limits(model: ClaimsModel, seen: Seen) -> Iterator[str]:
    """The highest of those who let it run; for a torrent that one person alone holds, within that person's own."""
    for name in ("download_limit", "upload_limit"):
        alone: dict[str, list[tuple[Row, Hold]]] = {}
        for row in seen:
            holders = [(user, hold) for user, hold in row.holds.items() if hold.held]
            limit = getattr(model.people[holders[0][0]], name)
            if len(holders) == 1 and limit is not None:
                alone.setdefault(holders[0][0], []).append((row, holders[0][1]))
            else:
                highest = _highest(getattr(hold.wishes, name) for hold in row.running)
                if getattr(seen[row], name) != highest:
                    yield f"{name} is {getattr(seen[row], name)} instead of {highest}"
        for user, held in alone.items():
            limit = getattr(model.people[user], name)
            given = [(getattr(hold.wishes, name), getattr(seen[row], name), hold) for row, hold in held]
            yield from (f"{name} of {user}: {what}" for what in _badly_shared(limit, given))


def _badly_shared(limit: int, given: Iterable[tuple[int | None, int | None, Hold]]) -> Iterator[str]:
    """A finished torrent may use the whole of a person's limit; the others divide it, and nobody gets less than
    another who asked for as much."""
    unfinished = []
    for own, got, hold in given:
        if hold.told.complete:
            if got != min(limit, own or limit):
                yield f"a finished torrent has {got} of {limit}, its own is {own}"
        elif got is None or got > (own or limit):
            yield f"{got} is more than {limit}, or than its own {own}"
        else:
            unfinished.append((own, got))
    if not unfinished:
        return
    total = sum(got for _, got in unfinished)
    if total > limit:
        yield f"{total} is shared out of {limit}"
    unsatisfied = [got for own, got in unfinished if own is None or got < own]
    if unsatisfied and (total < limit or min(unsatisfied) + 1 < max(got for _, got in unfinished)):
        yield f"{limit} is shared out badly: {unfinished}"


def needless_waits(model: ClaimsModel) -> Iterator[str]:
    """Who waits though there is room: it would have to start by itself."""
    for user in model.people:
        person, held = model.people[user], _held(model, user)
        taken = sum(row.size_of(hold) for row, hold in held if _takes_space(hold))
        active = sum(hold.downloads for _, hold in held)
        for row, hold in held:
            size = row.size_of(hold)
            match hold.told.waits_for if hold.waits else None:
                case None:
                    justified = True
                case "user_disk":
                    justified = person.disk_quota is not None and taken + size > person.disk_quota
                case "user_active":
                    justified = (
                        person.active_torrent_limit is not None and active >= person.active_torrent_limit
                    )
                case _:
                    justified = False
            if not justified:
                yield f"{user} waits for {hold.told.waits_for} with {taken} and {active} of {person} taken"


class Doorkeeper:
    """Watches that nobody is let in beyond a limit. What runs stays, also when its owner's limit goes down."""

    def __init__(self) -> None:
        self._let_in: set[uuid.UUID] = set()
        self._downloading: set[uuid.UUID] = set()

    def too_much(self, model: ClaimsModel) -> list[str]:
        """Of what was let in since the last question."""
        found = []
        let_in: set[uuid.UUID] = set()
        downloading: set[uuid.UUID] = set()
        for user, person in model.people.items():
            taking = [(row, hold) for row, hold in _held(model, user) if hold.downloads or hold.told.complete]
            active = [hold for _, hold in taking if hold.downloads]
            taken = sum(row.size_of(hold) for row, hold in taking)
            news = any(not hold.ids & self._let_in for _, hold in taking)
            if news and person.disk_quota is not None and taken > person.disk_quota:
                found.append(f"{user} was given {taken} of {person.disk_quota}")
            begun = any(not hold.ids & self._downloading for hold in active)
            if begun and person.active_torrent_limit and len(active) > person.active_torrent_limit:
                found.append(f"{user} downloads {len(active)} and may {person.active_torrent_limit}")
            let_in.update(*(hold.ids for _, hold in taking))
            downloading.update(*(hold.ids for hold in active))
        self._let_in, self._downloading = let_in, downloading
        return found


def _held(model: ClaimsModel, user: str) -> list[tuple[Row, Hold]]:
    return [(row, hold) for row, hold in model.holds_of(user) if hold.held]


def _takes_space(hold: Hold) -> bool:
    """At most: of what is paused, only the part that is there counts."""
    return hold.downloads or hold.told.complete or (not hold.running and hold.told.begun)


def _highest(limits: Iterable[int | None]) -> int | None:
    """No limit is the highest of all."""
    given = list(limits)
    return None if None in given else max(limit for limit in given if limit is not None)
