"""Which releases somebody wants of a show: the wishes of the entry, where it has none those of its owner's preferences,
and where these have none what is said here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from accounts.models import User
from feeds.rules import Candidate, Reason, RuleError, RuleSpec
from feeds.rules.conditions import CompiledRule
from watchlist.languages import languages
from watchlist.models import Entry, Preferences, Show, Wishes
from watchlist.records import Airing

# What a person sits down to watch; openings, trailers and menus are nobody's episode.
_WATCHED = frozenset({"OVA", "ONA", "OAD", "SP", "MOVIE"})
_STILL_AIRS = frozenset({Airing.RELEASING, Airing.NOT_YET_RELEASED, Airing.HIATUS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Every wish, as in `watchlist.models.Wishes`."""

    groups: tuple[str, ...] = ()
    only_groups: bool = False
    refused_groups: tuple[str, ...] = ()
    resolutions: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    must_not_contain: str = ""
    batches: str = Wishes.Batches.ANY
    """Of a show that still airs where nothing else was said: none. Its episodes come one by one, and would come again.
    """
    specials: bool = False
    newer_versions: bool = True
    delay_seconds: int = 0
    stalled_hours: int = 24
    start_paused: bool = False
    label: str = ""


_NAMES = tuple(field.name for field in fields(Wanted))


def wanted_of(entry: Entry | None, preferences: Preferences | None) -> Wanted:
    """Of one entry; without, of whatever show, as their preferences have it."""
    said: dict[str, Any] = {}
    if entry is not None and not may_come_as_batch(entry.show):
        said["batches"] = Wishes.Batches.NONE
    for wishes in (preferences, entry):
        if wishes is None:
            continue
        for name in _NAMES:
            value = getattr(wishes, name)
            if value is not None:
                said[name] = tuple(value) if isinstance(value, list) else value
    return Wanted(**said)


def wishes_of(user: User) -> Callable[[Entry], Wanted]:
    """Of one person's entries; their preferences are read once."""
    preferences = Preferences.objects.filter(user=user).first()
    return lambda entry: wanted_of(entry, preferences)


def may_come_as_batch(show: Show) -> bool:
    """Where nobody has said anything else."""
    return show.status not in _STILL_AIRS


class Judge:
    """Asks releases for one person's wishes."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._unclear: tuple[Reason, ...] = ()
        self._languages = languages(wanted.languages)
        try:
            self._rule = CompiledRule(_spec(wanted))
        except (
            RuleError
        ) as error:  # saved by another version of this software: take nothing rather than anything
            self._unclear = (Reason("must_not_contain", wanted.must_not_contain, str(error)),)
            self._rule = CompiledRule(_spec(Wanted()))

    def reasons(
        self,
        candidate: Candidate,
        title: str,
        *,
        special: str,
        numbers: Sequence[float],
        from_episode: int,
    ) -> tuple[Reason, ...]:
        """Why this release is not wanted. `title` is normalised; `special` and `numbers` are what it holds of the show,
        as `watchlist.models.Candidate` has them."""
        return (
            *self._unclear,
            *self._rule.verdict(candidate, title).reasons,
            *self._language_reasons(candidate),
            *self._number_reasons(special, numbers, from_episode),
        )

    def preference(self, candidate: Candidate) -> list[int]:
        """Smaller is better, as lists compare."""
        return self._rule.preference(candidate)

    def _language_reasons(self, candidate: Candidate) -> list[Reason]:
        stated = candidate.release.get("languages") or ()
        if not self._languages or not stated or languages(stated) & self._languages:
            return []
        return [Reason("languages", ", ".join(stated), " or ".join(self.wanted.languages))]

    def _number_reasons(self, special: str, numbers: Sequence[float], from_episode: int) -> list[Reason]:
        if special and (special not in _WATCHED or not self.wanted.specials):
            return [Reason("specials", special, "OVAs and specials" if self.wanted.specials else "episodes")]
        if not numbers:
            return [Reason("episodes", "none stated", "the numbers of its episodes")]
        if special:
            return []
        counted = numbers if self.wanted.specials else [number for number in numbers if number % 1 == 0]
        if not counted:  # 12.5: a recap between two episodes
            return [Reason("specials", f"episode {numbers[0]:g}", "episodes")]
        if max(counted) < from_episode:
            return [Reason("from_episode", f"episode {max(counted):g}", f"from episode {from_episode}")]
        return []


@lru_cache(maxsize=1024)
def judge_of(wanted: Wanted) -> Judge:
    """One for all who wish the same."""
    return Judge(wanted)


def _spec(wanted: Wanted) -> RuleSpec:
    return RuleSpec(
        must_not_contain=wanted.must_not_contain,
        resolutions=wanted.resolutions,
        groups=wanted.groups,
        # An entry may ask for the groups of preferences that have none any more.
        only_groups=wanted.only_groups and bool(wanted.groups),
        refused_groups=wanted.refused_groups,
        batches=wanted.batches,
    )
