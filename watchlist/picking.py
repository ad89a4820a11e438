"""Which release is taken for which episodes, and which takes the place of another. Pure: rows in, no queries.

Among releases of the same episodes the smallest `preference` wins, then the one that was found first; of one group's
versions only the newest is looked at. A batch, which is any release of several episodes, goes before single ones
where at least two of its episodes are lacking and nothing else that it holds is there or under way. Otherwise singles
go first, and a batch fills what they leave, unless it holds something that is under way: nothing is downloaded twice at
the same time.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from watchlist.models import Candidate, Grab

Episode = tuple[str, float]
"""("", 3.0) is the third of the show, ("OVA", 1.0) the first that is called so."""

SEVERAL = 2  # episodes that a batch must bring to go before single ones


@dataclass(frozen=True, slots=True)
class Pick:
    candidate: Candidate
    episodes: frozenset[Episode]


def held_by(candidate: Candidate) -> frozenset[Episode]:
    return frozenset((candidate.special, number) for number in candidate.numbers)


def first_found(candidates: Iterable[Candidate]) -> dict[Episode, datetime]:
    """When each episode's first release was found: the wait for a better one begins there."""
    first: dict[Episode, datetime] = {}
    for candidate in candidates:
        for episode in held_by(candidate):
            first[episode] = min(first.get(episode, candidate.found_at), candidate.found_at)
    return first


def pick(
    offers: Sequence[Candidate],
    *,
    lacking: AbstractSet[Episode],
    ripe: AbstractSet[Episode],
    there: AbstractSet[Episode],
    under_way: AbstractSet[Episode],
) -> list[Pick]:
    """`lacking`: wanted, and to be had from one of `offers`; `ripe`: those of them whose wait is over. What is taken
    for one of these brings the others that it holds along."""
    ranked = sorted(_newest_versions(offers), key=lambda offer: (offer.preference, offer.found_at, offer.pk))
    batches = [offer for offer in ranked if len(offer.numbers) > 1]
    singles = [offer for offer in ranked if len(offer.numbers) == 1]
    left, busy, picks = set(lacking), set(under_way), list[Pick]()

    def brings(offer: Candidate) -> frozenset[Episode]:
        brought = held_by(offer) & left
        return brought if brought & ripe else frozenset()

    def take(offer: Candidate) -> None:
        picks.append(Pick(offer, brings(offer)))
        left.difference_update(held_by(offer))
        busy.update(held_by(offer))

    for batch in batches:
        if len(brings(batch)) >= SEVERAL and not held_by(batch) & (busy | there):
            take(batch)
    for single in singles:
        if brings(single):
            take(single)
    for batch in batches:
        if brings(batch) and not held_by(batch) & busy:
            take(batch)
    return picks


def upgrades(offers: Iterable[Candidate], grabs: Mapping[Episode, Grab]) -> list[Pick]:
    """Newer versions of what is there or under way, of the same group. Of a batch: a newer one of just the same
    episodes, or of one of them."""
    picks, taken = list[Pick](), set[Episode]()
    for offer in sorted(
        offers, key=lambda offer: (-offer.version, offer.preference, offer.found_at, offer.pk)
    ):
        episodes = held_by(offer)
        present = {grab.successor or grab.candidate for grab in map(grabs.get, episodes) if grab is not None}
        if len(present) != 1 or episodes & taken or not episodes <= grabs.keys():
            continue
        (one,) = present
        if _supersedes(offer, one) and (len(episodes) == 1 or episodes == held_by(one)):
            picks.append(Pick(offer, episodes))
            taken |= episodes
    return picks


def _newest_versions(offers: Collection[Candidate]) -> list[Candidate]:
    newest: dict[tuple[object, ...], int] = {}
    for offer in offers:
        key = _kind(offer)
        newest[key] = max(newest.get(key, offer.version), offer.version)
    return [offer for offer in offers if not offer.group or offer.version == newest[_kind(offer)]]


def _kind(offer: Candidate) -> tuple[object, ...]:
    return offer.group.casefold(), held_by(offer)


def _supersedes(offer: Candidate, other: Candidate) -> bool:
    same_group = offer.group != "" and offer.group.casefold() == other.group.casefold()
    return same_group and offer.version > other.version and other.state in ("taken", "have")
