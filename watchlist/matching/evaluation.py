"""How often releases are matched to the right show, where the right answer is known.

A row is one object: `title`, `anilist_id`, and optionally `path`, whose folders count as they do for a file.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from feeds.releases import parse
from watchlist.matching import Match, Outcome
from watchlist.matching.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class MatchVerdict:
    row: Mapping[str, Any]
    match: Match

    @property
    def right(self) -> bool:
        return self.match.outcome is Outcome.FOUND and self.match.show == self.row["anilist_id"]

    @property
    def wrong(self) -> bool:
        return self.match.outcome is Outcome.FOUND and not self.right


def judge_matches(
    rows: Iterable[Mapping[str, Any]], catalogue: Catalogue
) -> tuple[list[MatchVerdict], list[MatchVerdict]]:
    """Rows whose show the catalogue holds, and those whose show it does not: there nothing can be right."""
    verdicts = list(_verdicts(rows, catalogue))
    held = [verdict for verdict in verdicts if verdict.row["anilist_id"] in catalogue.shows]
    return held, [verdict for verdict in verdicts if verdict.row["anilist_id"] not in catalogue.shows]


def _verdicts(rows: Iterable[Mapping[str, Any]], catalogue: Catalogue) -> Iterator[MatchVerdict]:
    for row in rows:
        folders = [parse(folder) for folder in folders_of(row.get("path") or "")]
        yield MatchVerdict(row, catalogue.match(parse(row["title"]), folders=folders))


def folders_of(path: str) -> list[str]:
    """The folders of a file's path, the nearest first."""
    *folders, _file = re.split(r"[/\\]", path)
    return [folder for folder in reversed(folders) if folder.strip()]


def match_summary(held: list[MatchVerdict], left_out: list[MatchVerdict]) -> dict[str, float | int]:
    """Shares in per cent of `matched_n`; who is not right and not wrong is unsure."""
    count = len(held)

    def share(number: int) -> float:
        return round(100 * number / count, 1) if count else 0.0

    right = sum(verdict.right for verdict in held)
    wrong = sum(verdict.wrong for verdict in held)
    return {
        "matched_n": count,
        "left_out": len(left_out),
        "left_out_found": sum(verdict.wrong for verdict in left_out),
        "right_pct": share(right),
        "wrong_pct": share(wrong),
        "unsure_pct": share(count - right - wrong),
    }
