"""How many rules a second are asked about items, by the code that the worker, the preview and the reasons run.

A decision is one rule's answer to one item, also where the rule's words or pattern alone rule the item out: finding
that out for many rules at once is what the code is for. Reading items and writing what was decided are not in it.
"""

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from benchmarks.common import Figures, Promise
from benchmarks.feed_server import series_of, title_of
from feeds.releases import parse
from feeds.releases.objects import to_object
from feeds.rules import Candidate, RuleSpec
from feeds.rules.book import RuleBook
from feeds.rules.conditions import CompiledRule

RULES = 1000
PEOPLE = 5  # a book for each; as many rules as a person may have by default
BAR = 200_000  # decisions a second
AIM = 1_000_000


def deciding(items: int, say: Callable[[str], None]) -> Figures:
    candidates = [_candidate(number) for number in range(items)]
    figures: Figures = {"items": items, "rules": RULES, "people": PEOPLE}
    for kind in ("words", "regex", "mixed"):
        say(f"deciding by {RULES} rules: {kind}")
        figures[kind] = _decide(kind, candidates)
    return figures


def _candidate(number: int) -> Candidate:
    title = title_of(0, number)
    return Candidate(
        title=title,
        release=to_object(parse(title)),
        source=number % 20,
        size=300_000_000 + number,
        seen_at=datetime.now(UTC),
    )


def _decide(kind: str, candidates: list[Candidate]) -> Figures:
    begun = time.process_time()
    books = [
        RuleBook({number: _rule(kind, number) for number in range(place, RULES, PEOPLE)})
        for place in range(PEOPLE)
    ]
    ready = time.process_time()
    verdicts = [
        verdict for candidate in candidates for book in books for _key, verdict in book.verdicts(candidate)
    ]
    seconds = time.process_time() - ready
    return {
        "decisions_per_s": round(len(candidates) * RULES / seconds),
        "us_per_item_and_person": round(seconds / len(candidates) / PEOPLE * 1e6, 1),
        "taken": sum(verdict.taken for verdict in verdicts),
        "nearly": sum(not verdict.taken for verdict in verdicts),
        "compiling_ms": round((ready - begun) * 1000),
    }


def _rule(kind: str, number: int) -> CompiledRule:
    """Of one series each, in 1080p; as patterns where `kind` says so, half of them where it says mixed."""
    series = series_of(random.Random(number).randrange(2000))  # noqa: S311  nothing secret
    if kind == "regex" or (kind == "mixed" and number % 2):
        pattern = rf"{series.replace(' ', '.')}\D+\d+.*1080p"
        return CompiledRule(RuleSpec(regex=pattern, max_size=10**10))
    return CompiledRule(
        RuleSpec(
            must_contain=f"{series} AND (1080p OR 2160p) NOT dubbed",
            resolutions=("1080p", "2160p"),
            refused_groups=("Gamma",),
        )
    )


def promises(figures: Figures) -> Iterator[Promise]:
    for kind in ("words", "regex", "mixed"):
        yield Promise(
            f"{kind}: µs of one core for a thousand decisions ({BAR:,} a second; aim {AIM:,}: 1,000)",
            round(1e9 / figures[kind]["decisions_per_s"], 1),
            1e9 / BAR,
        )
