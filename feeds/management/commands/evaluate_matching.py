"""`manage.py evaluate_matching FILE.jsonl`: how often release names are read rightly."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feeds.releases import parse
from feeds.releases.evaluation import Verdict, judge, summary, usable_rows


class Command(BaseCommand):
    help = (
        "Read the release names of a file whose right answers are known, and print one JSON object: shares in per "
        "cent, CPU times in microseconds. Rows without `series` or with `options` are skipped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            metavar="FILE.jsonl",
            help="one object a line: title, series, episode, absolute, …",
        )
        parser.add_argument(
            "--failures",
            action="store_true",
            help="first each name whose series (leniently) or episode is wrong",
        )

    def handle(self, *args: Any, file: Path, failures: bool, **options: Any) -> None:
        try:
            rows = list(usable_rows(file.read_text(encoding="utf-8").splitlines()))
        except (OSError, ValueError, KeyError) as error:
            raise CommandError(
                f"{file} cannot be read as one JSON object with a title a line: {error}"
            ) from None
        verdicts = [judge(row, parse) for row in rows]
        if failures:
            for verdict in verdicts:
                if not (verdict.series_lenient and verdict.episode):
                    self.stdout.write(json.dumps(_failure(verdict), ensure_ascii=False))
        self.stdout.write(json.dumps(summary(verdicts)))


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
