"""`manage.py evaluate_matching FILE.jsonl`: how often release names are read rightly, and matched to the right show."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feeds.releases import parse
from feeds.releases.evaluation import Verdict, judge, summary, usable_rows
from watchlist.matching import redirects
from watchlist.matching.catalogue import Catalogue
from watchlist.matching.evaluation import MatchVerdict, judge_matches, match_summary
from watchlist.matching.media import shows_in


class Command(BaseCommand):
    help = (
        "Read the release names of a file whose right answers are known, and print one JSON object: shares in per "
        "cent, CPU times in microseconds. Rows without `series` or with `options` are skipped. With a catalogue, rows "
        "that state an `anilist_id` are matched, too: right_pct, wrong_pct and unsure_pct of matched_n; left_out are "
        "those whose show the catalogue does not hold."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            metavar="FILE.jsonl",
            help="one object a line: title, series, episode, absolute, anilist_id, path, …",
        )
        parser.add_argument(
            "--catalogue",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="JSON, JSONL or a folder of these with what AniList answered; may be given several times",
        )
        parser.add_argument(
            "--relations",
            type=Path,
            metavar="FILE",
            help="rules that redirect episodes, as of https://github.com/erengy/anime-relations",
        )
        parser.add_argument(
            "--failures",
            action="store_true",
            help="first each name whose series (leniently), episode or show is wrong, or whose show is unsure",
        )

    def handle(
        self,
        *args: Any,
        file: Path,
        catalogue: list[Path],
        relations: Path | None,
        failures: bool,
        **options: Any,
    ) -> None:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
            rows = list(usable_rows(lines))
            verdicts = [judge(row, parse) for row in rows]
            figures: dict[str, float | int] = summary(verdicts)
            known = [row for row in map(json.loads, filter(str.strip, lines)) if row.get("anilist_id")]
            matched = [row["title"] for row in known] and known
        except (OSError, ValueError, KeyError, AttributeError) as error:
            raise CommandError(
                f"{file} cannot be read as one JSON object with a title a line: {error}"
            ) from None
        if failures:
            self._tell(_failure(verdict) for verdict in verdicts if not _is_right(verdict))
        if catalogue:
            shows = _catalogue(catalogue, relations)
            held, left_out = judge_matches(matched, shows)
            figures |= match_summary(held, left_out)
            if not rows:
                figures["n"] = len(held)
            if failures:
                not_right = [verdict for verdict in held if not verdict.right]
                not_right += [verdict for verdict in left_out if verdict.wrong]
                self._tell(_match_failure(verdict, shows) for verdict in not_right)
        self.stdout.write(json.dumps(figures))

    def _tell(self, failures: Iterator[dict[str, Any]]) -> None:
        for failure in failures:
            self.stdout.write(json.dumps(failure, ensure_ascii=False))


def _catalogue(paths: Sequence[Path], relations: Path | None) -> Catalogue:
    rules = None
    if relations is not None:
        try:
            rules = redirects.parse(relations.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"{relations} cannot be read as rules: {error}") from None
    files = [file for path in paths for file in (sorted(path.glob("*.json*")) if path.is_dir() else [path])]
    shows = shows_in(document for file in files for document in _documents(file))
    if not shows:
        raise CommandError(
            f"There is no show in {', '.join(map(str, paths))}: no object with an id and a title object."
        )
    return Catalogue(shows, rules)


def _documents(file: Path) -> Iterator[Any]:
    """The one document of a JSON file, or those of a JSONL file."""
    try:
        text = file.read_text(encoding="utf-8")
        try:
            yield json.loads(text)
        except ValueError:
            yield from [json.loads(line) for line in text.splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} cannot be read as JSON, or as one JSON object a line: {error}") from None


def _is_right(verdict: Verdict) -> bool:
    return verdict.series_lenient and verdict.episode


def _failure(verdict: Verdict) -> dict[str, Any]:
    found = verdict.found
    return {
        "title": verdict.row["title"],
        "series": verdict.row["series"],
        "found_series": found and found.series,
        "episode": verdict.row.get("episode"),
        "absolute": verdict.row.get("absolute"),
        "found_episodes": found and found.episodes,
        "found_absolute": found and found.absolute,
    }


def _match_failure(verdict: MatchVerdict, catalogue: Catalogue) -> dict[str, Any]:
    match = verdict.match

    def named(show: int) -> str:
        titles = catalogue.shows[show].titles
        return f"{show} {titles[0]}" if titles else str(show)

    return {
        "title": verdict.row["title"],
        "path": verdict.row.get("path"),
        "anilist_id": verdict.row["anilist_id"],
        "outcome": match.outcome,
        "found": None if match.show is None else named(match.show),
        "episodes": match.episodes,
        "special": match.special,
        "candidates": [named(show) for show in match.candidates],
        "reasons": [f"{reason.what}: {reason.got}; wanted: {reason.wanted}" for reason in match.reasons],
    }
