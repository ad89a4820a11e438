"""What becomes of an offer for one person: of which of their shows it is, and whether it is as they want it. What
consumers, answers and previews all ask."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from feeds.rules import NO_TORRENT, Reason
from watchlist.follower import Follower
from watchlist.matching import CatalogueShow, Match
from watchlist.matching import Outcome as Matched
from watchlist.models import Decision, Entry
from watchlist.offers import Offer
from watchlist.records import Airing, Format
from watchlist.wanted import judge_of, wanted_of

_MOST_EPISODES = 5000  # of a show that a batch is said to hold completely
# A disc or a volume holds some episodes, and does not say which; a film beside a series holds none of them.
_SOME_OF_THEM = re.compile(
    r"\b(?:(?:vol|volume|disc|disk|box|cd|batch)s?[\s._-]*[0-9]{1,2}(?![0-9])|s[0-9]{1,2}\s?[dp][0-9]{1,2}(?![0-9])"
    r"|(?:movies?|films?|gekijou-?ban)\b)",
    re.IGNORECASE,
)

Outcome = Decision.Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`outcome` None: nothing that this person would want to hear of."""

    match: Match
    outcome: Outcome | None = None
    entry: Entry | None = None
    numbers: tuple[float, ...] = ()
    preference: tuple[int, ...] = ()
    reasons: tuple[Reason, ...] = ()
    """Of the wishes; those of the match are its own."""
    newer_versions: bool = True
    """A newer version takes the place of what is there of the same group."""

    @property
    def acceptable(self) -> bool:
        return self.entry is not None and not self.reasons


class Deciding:
    """For one person, under their lock."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower

    def verdicts(self, offers: Iterable[Offer]) -> list[tuple[Offer, Verdict]]:
        return [(offer, self.verdict(offer, match)) for offer, match in self.follower.matches(offers)]

    def verdict(self, offer: Offer, match: Match) -> Verdict:
        """Whether it may be had. Whether its episodes are there already is a question of rows: watchlist.decisions."""
        if match.outcome is Matched.UNSURE:
            asked = any(self.follower.follows(show) for show in match.candidates)
            return Verdict(match=match, outcome=Outcome.REVIEW if asked else None)
        entry = self.follower.entry_of(match.show) if match.show is not None else None
        if match.outcome is not Matched.FOUND or entry is None:
            return Verdict(match=match)
        numbers = numbers_of(match, self.follower.known(entry.show_id), offer.title)
        wanted = wanted_of(entry, self.follower.preferences)
        judge = judge_of(wanted)
        reasons = judge.reasons(
            offer.candidate,
            offer.normalised,
            special=match.special,
            numbers=numbers,
            from_episode=entry.from_episode,
        )
        if offer.item is not None and not offer.item.has_torrent:
            reasons += (NO_TORRENT,)
        if entry.state != Entry.State.FOLLOWED:
            reasons += (Reason("state", Entry.State(entry.state).value, Entry.State.FOLLOWED.value),)
        found = Verdict(
            match=match,
            entry=entry,
            numbers=numbers,
            preference=tuple(judge.preference(offer.candidate)),
            reasons=reasons,
            newer_versions=wanted.newer_versions,
        )
        if entry.state in (Entry.State.LEFT, Entry.State.REMOVED):
            return found
        return replace(found, outcome=Outcome.NEARLY if reasons else Outcome.TAKEN)


def numbers_of(match: Match, show: CatalogueShow | None, title: str) -> tuple[float, ...]:
    """The episodes that it holds; of something whole, all that there are, where that is known. `4a` is no number."""
    if match.episodes or not match.whole:
        return tuple(float(number) for number in match.episodes if not isinstance(number, str))
    if show is None or (show.format != Format.MOVIE and _SOME_OF_THEM.search(title)):
        return ()
    count = 1 if show.format == Format.MOVIE else show.episodes or show.aired or 0
    if show.status == Airing.RELEASING and show.aired is not None:
        count = min(count, show.aired)
    return tuple(float(number) for number in range(1, min(count, _MOST_EPISODES) + 1))
