"""Rules that send an episode elsewhere, where releases count on across seasons or count specials in.

The format is that of https://github.com/erengy/anime-relations: `- 10001|10002|10003:14-26 -> 20001|20002|20003:1-13!`,
ids at MyAnimeList, Kitsu and AniList.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_MOST_RULES = 50_000
_SIDE = (
    r"(?P<{0}mal>[0-9]+|[?~])\|(?:[0-9]+|[?~])\|(?P<{0}anilist>[0-9]+|[?~])"
    r":(?P<{0}first>[0-9]+)(?P<{0}to>-(?P<{0}last>[0-9]+|\?))?"
)
_RULE = re.compile(rf"-\s+{_SIDE.format('from_')}\s+->\s+{_SIDE.format('to_')}(?P<also>!)?", re.ASCII)


class NotRules(ValueError):
    """This text is no file of rules; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class ShowIds:
    """Of a show; None: not known. Kitsu's are not used."""

    anilist: int | None
    mal: int | None


@dataclass(frozen=True, slots=True)
class Rule:
    """Episodes `first` to `last` (None: and all after) are those of `to` from `to_first` on."""

    first: int
    last: int | None
    to: ShowIds
    to_first: int
    to_one: bool
    """All of them are the one episode `to_first`."""
    to_itself: bool


@dataclass(frozen=True, slots=True)
class Redirects:
    by_anilist: dict[int, tuple[Rule, ...]]
    by_mal: dict[int, tuple[Rule, ...]]
    """Of shows whose id at AniList the rules do not know."""

    def find(self, ids: ShowIds, number: int, *, to_itself: bool) -> tuple[ShowIds, int] | None:
        """Where episode `number` of a show belongs, and as which episode; `to_itself`: as another number of its own."""
        rules = self.by_anilist.get(ids.anilist, ()) if ids.anilist is not None else ()
        if not rules and ids.mal is not None:
            rules = self.by_mal.get(ids.mal, ())
        for rule in rules:
            if (
                rule.to_itself == to_itself
                and rule.first <= number
                and (rule.last is None or number <= rule.last)
            ):
                return rule.to, rule.to_first if rule.to_one else rule.to_first + number - rule.first
        return None


def parse(text: str) -> Redirects:
    """The rules in `text`. Raises NotRules where it holds none, or a line that cannot be one."""
    by_anilist: dict[int, list[Rule]] = {}
    by_mal: dict[int, list[Rule]] = {}
    count = 0
    for source, rule in _rules(text):
        count += 1
        if count > _MOST_RULES:
            raise NotRules(f"There are more than {_MOST_RULES} rules. Nothing of them was used.")
        if source.anilist is not None:
            by_anilist.setdefault(source.anilist, []).append(rule)
        elif source.mal is not None:
            by_mal.setdefault(source.mal, []).append(rule)
    if not count:
        raise NotRules("There is no rule in it. Is this the address of an anime-relations file?")
    return Redirects(
        {show: tuple(rules) for show, rules in by_anilist.items()},
        {show: tuple(rules) for show, rules in by_mal.items()},
    )


def _rules(text: str) -> Iterator[tuple[ShowIds, Rule]]:
    in_rules = False
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line.startswith("::"):
            in_rules = line == "::rules"
        elif in_rules and line and not line.startswith("#"):
            match = _RULE.fullmatch(line)
            if match is None:
                raise NotRules(f"Line {number} is no rule: {line[:100]}")
            yield from _read(match, number)


def _read(match: re.Match[str], line: int) -> Iterator[tuple[ShowIds, Rule]]:
    source = ShowIds(_id(match["from_anilist"]), _id(match["from_mal"]))
    to = ShowIds(
        source.anilist if match["to_anilist"] == "~" else _id(match["to_anilist"]),
        source.mal if match["to_mal"] == "~" else _id(match["to_mal"]),
    )
    first, to_first = int(match["from_first"]), int(match["to_first"])
    last = _last(match["from_last"], first, open_end=match["from_to"] is not None)
    to_last = _last(match["to_last"], to_first, open_end=match["to_to"] is not None)
    if (last is not None and last < first) or (to_last is not None and to_last < to_first):
        raise NotRules(f"Line {line} ends before it begins: {match[0][:100]}")
    to_one = to_last == to_first and last != first
    itself = to == source
    yield source, Rule(first, last, to, to_first, to_one=to_one, to_itself=itself)
    if match["also"] and not itself:
        yield to, Rule(first, last, to, to_first, to_one=to_one, to_itself=True)


def _id(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _last(text: str | None, first: int, *, open_end: bool) -> int | None:
    if not open_end:
        return first
    return int(text) if text is not None and text.isdecimal() else None
