"""What state every episode of an entry is in: not aired, aired, found, downloading, there, or missing.

Whether an episode has aired: its own airing time says so. Without one, it has where a later one has aired or the show
has finished, and it has not where nothing tells. For a day after it aired an episode has `aired`; then it is `missing`,
since it aired.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.utils import timezone

from watchlist.models import Candidate, Entry, Grab, Show
from watchlist.models import Episode as Airing
from watchlist.picking import Episode, held_by
from watchlist.records import Airing as Status
from watchlist.records import Format

GRACE = timedelta(days=1)  # groups need some hours from an airing to a release
LONGEST_SHOW = 5000  # episodes that are listed one by one


class EpisodeStatus(StrEnum):
    NOT_AIRED = "not_aired"
    AIRED = "aired"
    FOUND = "found"
    DOWNLOADING = "downloading"
    HAVE = "have"
    MISSING = "missing"
    UNWANTED = "unwanted"
    """Before the first wanted episode, or removed by the entry's owner before it was there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeState:
    """`title`, `group`, `version`: of the release that it comes from, or would come from. `message`: what the state
    does not tell, in words."""

    number: float
    special: str = ""
    airs_at: datetime | None = None
    state: EpisodeStatus
    missing_since: datetime | None = None
    """None too where it is missing and nobody knows when it aired."""
    title: str = ""
    group: str = ""
    version: int | None = None
    candidate_id: int | None = None
    claim_id: UUID | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How many episodes are in which state, specials that were found included."""

    aired: int | None
    """Episodes of the show, wanted or not; None: not known."""
    have: int
    downloading: int
    found: int
    missing: int
    missing_since: datetime | None
    next_episode: int | None
    next_airs_at: datetime | None


def episodes_of(entry: Entry) -> list[EpisodeState]:
    """In their order, specials last."""
    return states_of([entry])[entry.pk]


def states_of(entries: Collection[Entry]) -> dict[UUID, list[EpisodeState]]:
    """By entry, as `episodes_of`, in as many queries for all as for one."""
    return {entry.pk: known.states() for entry, known in _known(entries).items()}


def summaries(entries: Iterable[Entry]) -> dict[UUID, Summary]:
    """By entry, in four queries or fewer."""
    return {entry.pk: _summary(known) for entry, known in _known(list(entries)).items()}


class _Schedule:
    """Which episodes of a show have aired, as far as anybody knows."""

    def __init__(self, show: Show, airings: Mapping[int, datetime], now: datetime) -> None:
        self._airings = airings
        self._now = now
        finished = show.status == Status.FINISHED
        self._ended_at = datetime.combine(show.ends_on, time(), UTC) if finished and show.ends_on else None
        count = 1 if show.episodes is None and show.format == Format.MOVIE else show.episodes
        aired = [number for number, airs_at in airings.items() if airs_at <= now]
        to_come = [number for number, airs_at in airings.items() if airs_at > now]
        self.next = min(to_come, default=None)
        self.last_aired: int | None = max(aired, default=None)
        if self.last_aired is None and self.next is not None:
            self.last_aired = self.next - 1
        if finished and count is not None:
            self.last_aired = count
        self.last = max(count or 0, *airings, 0)
        self.is_known = show.status != "" or bool(airings)

    def airs_at(self, number: float) -> datetime | None:
        return self._airings.get(int(number)) if number == int(number) else None

    def has_aired(self, number: float) -> bool:
        airs_at = self.airs_at(number)
        if airs_at is not None:
            return airs_at <= self._now
        return self.last_aired is not None and number <= self.last_aired

    def aired_at(self, number: float) -> datetime | None:
        """Of one that has, where that is known; of a show that has ended, no later than then."""
        return self.airs_at(number) or self._ended_at


@dataclass(slots=True)
class _Known:
    """Of one entry."""

    entry: Entry
    schedule: _Schedule
    now: datetime
    grabs: dict[Episode, Grab] = field(default_factory=dict)
    offers: dict[Episode, Candidate] = field(default_factory=dict)
    failed: dict[Episode, Candidate] = field(default_factory=dict)

    def states(self) -> list[EpisodeState]:
        numbered = {("", float(number)) for number in range(1, min(self.schedule.last, LONGEST_SHOW) + 1)}
        episodes = numbered | self.grabs.keys() | self.offers.keys() | self.failed.keys()
        return [self._state(episode) for episode in sorted(episodes)]

    def _state(self, episode: Episode) -> EpisodeState:
        special, number = episode
        unwanted = not special and number < self.entry.from_episode
        grab, offer = self.grabs.get(episode), self.offers.get(episode)
        if grab is not None and grab.candidate.state in _BY_CANDIDATE:
            state = _BY_CANDIDATE[Candidate.State(grab.candidate.state)]
            return self._of_release(episode, state, grab.candidate, grab.successor)
        if offer is not None and not unwanted:
            return self._of_release(episode, EpisodeStatus.FOUND, offer)
        if unwanted:
            return self._without_release(episode, EpisodeStatus.UNWANTED)
        # What nobody announced, 12.5 or a special, is known of by a release alone: one that could not be had.
        if special or number != int(number):
            return self._without_release(episode, EpisodeStatus.MISSING)
        if not self.schedule.has_aired(number):
            return self._without_release(episode, EpisodeStatus.NOT_AIRED)
        since = self.schedule.aired_at(number)
        if since is not None and self.now - since < GRACE:
            return self._without_release(episode, EpisodeStatus.AIRED)
        return self._without_release(episode, EpisodeStatus.MISSING, since)

    def _of_release(
        self,
        episode: Episode,
        state: EpisodeStatus,
        release: Candidate,
        successor: Candidate | None = None,
    ) -> EpisodeState:
        message = release.message
        if successor is not None:
            message = f"{successor.title} takes its place as soon as it is there."
        return EpisodeState(
            number=episode[1],
            special=episode[0],
            airs_at=None if episode[0] else self.schedule.airs_at(episode[1]),
            state=state,
            title=release.title,
            group=release.group,
            version=release.version,
            candidate_id=release.pk,
            claim_id=release.claim_id,
            message=message,
        )

    def _without_release(
        self, episode: Episode, state: EpisodeStatus, since: datetime | None = None
    ) -> EpisodeState:
        message = ""
        if (failed := self.failed.get(episode)) is not None:
            message = f"{failed.title}: {failed.message}"
        elif state == EpisodeStatus.NOT_AIRED and not self.schedule.is_known:
            message = "When it airs is not known. It is taken when a release of it appears."
        return EpisodeState(
            number=episode[1],
            special=episode[0],
            airs_at=None if episode[0] else self.schedule.airs_at(episode[1]),
            state=state,
            missing_since=since,
            message=message,
        )


_BY_CANDIDATE = {
    Candidate.State.HAVE: EpisodeStatus.HAVE,
    Candidate.State.TAKEN: EpisodeStatus.DOWNLOADING,
    Candidate.State.REMOVED: EpisodeStatus.UNWANTED,
}


def _known(entries: Collection[Entry]) -> dict[Entry, _Known]:
    prefetch_related_objects(list(entries), "show")
    now = timezone.now()
    airings = Airing.objects.by_show({entry.show_id for entry in entries})
    found = {
        entry.pk: _Known(entry, _Schedule(entry.show, airings.get(entry.show_id, {}), now), now)
        for entry in entries
    }
    for grab in Grab.objects.of_entries(entries).shown():
        found[grab.entry_id].grabs[grab.special, grab.number] = grab
    for candidate in Candidate.objects.not_taken_for(entries):
        known = found[candidate.entry_id]
        for episode in held_by(candidate):
            if candidate.state == Candidate.State.FOUND:
                known.offers.setdefault(episode, candidate)
            elif known.failed.setdefault(episode, candidate).changed_at < candidate.changed_at:
                known.failed[episode] = candidate
    return {entry: found[entry.pk] for entry in entries}


def _summary(known: _Known) -> Summary:
    states = known.states()
    counts = Counter(one.state for one in states)
    since = [one.missing_since for one in states if one.missing_since is not None]
    schedule = known.schedule
    return Summary(
        aired=schedule.last_aired,
        have=counts[EpisodeStatus.HAVE],
        downloading=counts[EpisodeStatus.DOWNLOADING],
        found=counts[EpisodeStatus.FOUND],
        missing=counts[EpisodeStatus.MISSING],
        missing_since=min(since, default=None),
        next_episode=schedule.next,
        next_airs_at=schedule.airs_at(schedule.next) if schedule.next is not None else None,
    )
