"""How often `parse` is right on names whose right answer is known.

A row of the answer file is one JSON object a line: `title`, `series`, `episode`, `absolute` (number, string, list or
null), and optionally `series_alternatives`, `formatted_title` and `options`.
"""

import json
import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from feeds.releases.release import Release

Row = dict[str, Any]

_SEASON_OR_YEAR = re.compile(
    r"[\s._(\[-]*(?:(?<![0-9])(?:19|20)[0-9]{2}|(?<![a-z0-9])s[0-9]{1,2}|season[\s._]?[0-9]{1,2}"
    r"|[0-9]{1,2}(?:st|nd|rd|th)[\s._]season)[)\]]?$"
)
_RANGE = re.compile(r"([0-9]+)\s*[-~]\s*([0-9]+)")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one row. `microseconds` is CPU time of one call of `parse`."""

    row: Row
    found: Release | None
    microseconds: float
    series: bool
    series_lenient: bool
    episode: bool


def usable_rows(lines: Iterable[str]) -> Iterator[Row]:
    """Rows that can be scored, each title once (case-insensitively); those without `series` or with `options` not."""
    seen: set[str] = set()
    for line in lines:
        if not line.strip():
            continue
        row = json.loads(line)
        key = row["title"].casefold()
        if not row.get("series") or row.get("options") or key in seen:
            continue
        seen.add(key)
        yield row


def comparable(name: str, *, lenient: bool = False) -> str:
    """`name` as it is compared: letters and digits only, without case and diacritics, `&` read as `and`.

    Lenient drops a trailing year, `S2`, `Season 2` or `2nd season` first, while something remains.
    """
    folded = unicodedata.normalize("NFKC", name).casefold().replace("&", "and").strip()
    while lenient and (match := _SEASON_OR_YEAR.search(folded)) and _bare(folded[: match.start()]):
        folded = folded[: match.start()]
    return _bare(folded)


def _bare(text: str) -> str:
    return "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text)
        if letter.isalnum() and not unicodedata.combining(letter)
    )


def numbers(stated: Any) -> frozenset[str]:
    """The set of episode numbers that a field states, as text: `[1, "2-4", 5.0]` is 1, 2, 3, 4 and 5."""
    if stated is None:
        return frozenset()
    if isinstance(stated, (list, tuple)):
        return frozenset().union(*(numbers(one) for one in stated))
    text = str(stated).strip().casefold()
    if span := _RANGE.fullmatch(text):
        return frozenset(str(number) for number in range(int(span[1]), int(span[2]) + 1))
    try:
        return frozenset([f"{float(text):g}"])
    except ValueError:
        return frozenset([text.lstrip("0") or "0"])


def judge(row: Row, parse: Callable[[str], Release]) -> Verdict:
    """Parse the row's title and compare. An exception counts as nothing found."""
    started = time.thread_time()
    try:
        found: Release | None = parse(row["title"])
    except Exception:  # what raises is a figure of its own
        found = None
    microseconds = (time.thread_time() - started) * 1e6
    if found is None:
        return Verdict(row, None, microseconds, series=False, series_lenient=False, episode=False)
    names = [row["series"], *(row.get("series_alternatives") or [])]
    if row.get("formatted_title"):
        names.append(row["formatted_title"])
    return Verdict(
        row,
        found,
        microseconds,
        series=comparable(found.series) in {comparable(name) for name in names},
        series_lenient=comparable(found.series, lenient=True)
        in {comparable(name, lenient=True) for name in names},
        episode=_episode_is_right(row, found),
    )


def _episode_is_right(row: Row, found: Release) -> bool:
    episodes, absolute = numbers(row.get("episode")), numbers(row.get("absolute"))
    got = numbers(found.episodes)
    if not episodes and not absolute:
        return not got
    right = {expected for expected in (episodes, absolute, episodes | absolute) if expected}
    return got in right or got | numbers(found.absolute) in right


def summary(verdicts: list[Verdict]) -> dict[str, float | int]:
    """Shares in per cent of `n`, times in microseconds of CPU."""
    count = len(verdicts)
    times = sorted(verdict.microseconds for verdict in verdicts)

    def share(right: Callable[[Verdict], bool]) -> float:
        return round(100 * sum(map(right, verdicts)) / count, 1) if count else 0.0

    return {
        "n": count,
        "series_pct": share(lambda verdict: verdict.series),
        "episode_pct": share(lambda verdict: verdict.episode),
        "both_pct": share(lambda verdict: verdict.series and verdict.episode),
        "series_lenient_pct": share(lambda verdict: verdict.series_lenient),
        "both_lenient_pct": share(lambda verdict: verdict.series_lenient and verdict.episode),
        "median_us": round(median(times), 1) if times else 0.0,
        "p99_us": round(times[min(count - 1, count * 99 // 100)], 1) if times else 0.0,
        "max_us": round(times[-1], 1) if times else 0.0,
        "exceptions": sum(verdict.found is None for verdict in verdicts),
    }
