"""What would become of releases, before there are any: by the very code that decides."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import User
from feeds.rules import Reason
from watchlist import catalogue
from watchlist.deciding import Deciding
from watchlist.follower import Follower, shows_of
from watchlist.matching import Match
from watchlist.models import Entry, Show
from watchlist.offers import Offers

MAX_TITLES = 200
_MAX_TITLE = 500  # characters, as of an item


@dataclass(frozen=True, slots=True)
class Previewed:
    """One title. It is wanted where it is found, followed, and there are no reasons."""

    title: str
    match: Match
    show: Show | None
    entry: Entry | None
    """Of that show, in whatever state it is."""
    candidates: list[Show]
    """Where a person would be asked: the likeliest first."""
    numbers: tuple[float, ...]
    """Episodes, of something whole too."""
    reasons: tuple[Reason, ...]
    """Why it is not wanted; those of the match are its own."""

    @property
    def wanted(self) -> bool:
        return self.entry is not None and not self.reasons


def preview(*, user: User, titles: Sequence[str]) -> list[Previewed]:
    """Of as many pasted titles as MAX_TITLES; empty lines are left out."""
    lines = [title.strip()[:_MAX_TITLE] for title in titles if title.strip()][:MAX_TITLES]
    offers = Offers(catalogue.everybodys())
    deciding = Deciding(Follower.of(user, offers.shows))
    decided = deciding.verdicts([offers.of_title(line) for line in lines])
    shows = Show.objects.visible_to(user).in_bulk(
        {show for _offer, verdict in decided for show in shows_of(verdict.match)}
    )
    return [
        Previewed(
            title=offer.title,
            match=verdict.match,
            show=shows.get(verdict.match.show) if verdict.match.show is not None else None,
            entry=verdict.entry,
            candidates=[shows[show] for show in verdict.match.candidates if show in shows],
            numbers=verdict.numbers,
            reasons=verdict.reasons,
        )
        for offer, verdict in decided
    ]
