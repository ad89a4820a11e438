"""Titles of all shows, to be looked up by what a release is called."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from watchlist.matching import CatalogueShow
from watchlist.matching.titles import Title, before_subtitle, letters, numbers, read, variants, with_number

_NEVER = frozenset(("MUSIC", "MANGA", "NOVEL", "ONE_SHOT"))
_BUCKET = 5  # letters at either end of a name: what differs at both is not looked at
_SHORTEST = 10  # letters of a name that is looked for with differences
_MOST_ALIKE = 95.0
_ALIKE = 88.0
"""Per cent of letters: from `_MOST_ALIKE` on a name may be another's misspelt, from `_ALIKE` on a person is asked."""
_MOST_OF_A_BUCKET = 300
_MOST_ASKED_ABOUT = 8
_ANTHOLOGY = 30  # synonyms: a show with as many lists the names of its parts, which may be shows themselves


class Entry(NamedTuple):
    """One title of one show."""

    show: int
    title: Title
    rank: int
    """0: a main title; 1: a synonym; 2: one of these, read in another way."""
    written: str


@dataclass(frozen=True, slots=True)
class Alike:
    """Entries whose names are not quite the wanted one; `surely` where they can only be meant."""

    entries: tuple[Entry, ...]
    surely: bool


class TitleIndex:
    def __init__(self, shows: Iterable[CatalogueShow]) -> None:
        self._by_stem: defaultdict[str, list[Entry]] = defaultdict(list)
        self._before_subtitle: defaultdict[str, list[Entry]] = defaultdict(list)
        for show in shows:
            if show.format not in _NEVER:
                self._add(show.id, show.titles, 0)
                if len(show.synonyms) < _ANTHOLOGY:
                    self._add(show.id, show.synonyms, 1)
                else:
                    self._add_parts(show.id, show.synonyms)
        self._by_letters: defaultdict[str, list[str]] = defaultdict(list)
        self._by_beginning: defaultdict[str, list[str]] = defaultdict(list)
        self._by_end: defaultdict[str, list[str]] = defaultdict(list)
        for stem, entries in self._by_stem.items():
            bare = letters(entries[0].title)
            of_this = self._by_letters[bare]
            if not of_this and len(bare) >= _SHORTEST:
                self._by_beginning[bare[:_BUCKET]].append(bare)
                self._by_end[bare[-_BUCKET:]].append(bare)
            of_this.append(stem)

    def _add(self, show: int, names: Sequence[str], rank: int) -> None:
        for name in dict.fromkeys(filter(None, names)):
            title, *others = variants(name)
            self._by_stem[title.stem].append(Entry(show, title, rank, name))
            if numbered := with_number(name, title):
                others.append(numbered)
            for other in others:
                self._by_stem[other.stem].append(Entry(show, other, 2, name))
            if not rank and (head := before_subtitle(name)):
                self._before_subtitle[head.stem].append(Entry(show, head, 2, name))

    def _add_parts(self, show: int, names: Sequence[str]) -> None:
        """Names that only may be those of a show."""
        for name in filter(None, names):
            title = read(name)
            self._before_subtitle[title.stem].append(Entry(show, title, 2, name))

    def exact(self, stem: str) -> Sequence[Entry]:
        """All titles that are called so, of whatever season."""
        return self._by_stem.get(stem, ())

    def same_letters(self, title: Title) -> Sequence[Entry]:
        """Titles with the same letters and the same numbers, wherever these stand: "Part 1 East" and "1: East"."""
        wanted = numbers(title)
        if not wanted or len(letters(title)) < _SHORTEST:
            return ()
        return [entry for entry in self._of_letters(letters(title)) if numbers(entry.title) == wanted]

    def other_numbers(self, title: Title) -> Sequence[Entry]:
        """Titles with the same letters, whatever their numbers."""
        bare = letters(title)
        return list(self._of_letters(bare)) if len(bare) >= _SHORTEST else ()

    def named_with_subtitle(self, title: Title) -> Sequence[Entry]:
        """Titles that go on behind a colon or dash."""
        return self._before_subtitle.get(title.stem, ())

    def _of_letters(self, bare: str) -> Iterator[Entry]:
        return chain.from_iterable(self._by_stem[stem] for stem in self._by_letters.get(bare, ()))

    def alike(self, title: Title) -> Alike:
        """Titles that differ in a letter or two, and others that a person may have meant."""
        bare = letters(title)
        sure: dict[Entry, None] = {}
        others: dict[Entry, None] = {}
        if len(bare) >= _SHORTEST:
            pool = (*self._by_beginning.get(bare[:_BUCKET], ()), *self._by_end.get(bare[-_BUCKET:], ()))
            for other, score, _ in process.extract(
                bare,
                dict.fromkeys(pool[:_MOST_OF_A_BUCKET]).keys(),
                scorer=fuzz.ratio,
                score_cutoff=_ALIKE,
                limit=_MOST_ASKED_ABOUT,
            ):
                misspelt = score >= _MOST_ALIKE and _is_misspelt(bare, other)
                for entry in self._of_letters(other):
                    same = misspelt and numbers(entry.title) == numbers(title)
                    (sure if same else others)[entry] = None
        if sure and {entry.show for entry in others} <= {entry.show for entry in sure}:
            return Alike(tuple(sure), surely=True)
        asked_about = (*sure, *others, *self._before_subtitle.get(title.stem, ()))
        return Alike(asked_about[:_MOST_ASKED_ABOUT], surely=False)


def _is_misspelt(one: str, other: str) -> bool:
    """Single letters differ, none of them at an end: "Show" and "Show Z" are two names."""
    edits = Levenshtein.editops(one, other)
    return all(
        0 < edit.src_pos < len(one) - 1 and 0 < edit.dest_pos < len(other) - 1 for edit in edits
    ) and all(
        after.src_pos - before.src_pos > 2 for before, after in zip(edits, list(edits)[1:], strict=False)
    )
