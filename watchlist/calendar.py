"""When what people follow airs."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import User
from watchlist.episodes import EpisodeState, EpisodeStatus, states_of
from watchlist.models import Entry, Episode


@dataclass(frozen=True, slots=True, kw_only=True)
class Airing:
    airs_at: datetime
    number: int
    entry_id: UUID
    title: str
    """Of the show."""
    state: EpisodeStatus


def calendar(*, user: User, since: datetime, until: datetime) -> list[Airing]:
    """What airs from `since` on and before `until`, of the shows that they follow or have paused, in its order."""
    episodes = Episode.objects.airing(since, until)
    entries = {entry.show_id: entry for entry in Entry.objects.in_calendar(user, episodes)}
    states: dict[tuple[UUID, float], EpisodeState] = {
        (entry_id, one.number): one
        for entry_id, all_of_it in states_of(entries.values()).items()
        for one in all_of_it
        if not one.special
    }
    return [
        Airing(
            airs_at=episode.airs_at,
            number=episode.number,
            entry_id=entry.pk,
            title=entry.show.title,
            state=state.state,
        )
        for episode in episodes.filter(show__in=entries)
        if (entry := entries[episode.show_id])
        and (state := states.get((entry.pk, episode.number))) is not None
    ]
