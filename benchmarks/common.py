"""The shape in which every benchmark reports."""

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]  # numbers, or more of the same by name


@dataclass(frozen=True)
class Promise:
    """`figure` shall not be more than `bar`; or, `at_least`, not less."""

    what: str
    figure: float
    bar: float
    at_least: bool = False

    @property
    def held(self) -> bool:
        return self.figure >= self.bar if self.at_least else self.figure <= self.bar


def report(*, name: str, figures: Figures, promises: Sequence[Promise], as_json: bool) -> str:
    """One JSON object for programs, or a table for people."""
    if as_json:
        rows = [{"what": p.what, "figure": p.figure, "bar": p.bar, "held": p.held} for p in promises]
        return json.dumps({"name": name, "figures": figures, "promises": rows})
    lines = [name, *(f"  {label:<58} {value}" for label, value in _flat(figures)), "promises"]
    lines += [
        f"  {p.what:<58} {p.figure:>9g}  (at {'least' if p.at_least else 'most'} {p.bar:g})  {_verdict(p)}"
        for p in promises
    ]
    return "\n".join(lines)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median_and_p95(values: Sequence[float]) -> dict[str, float]:
    """Of seconds, in milliseconds."""
    return {
        "median_ms": round(statistics.median(values) * 1000, 2),
        "p95_ms": round(percentile(values, 0.95) * 1000, 2),
    }


def _verdict(promise: Promise) -> str:
    return "held" if promise.held else "BROKEN"


def _flat(figures: Figures, prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for label, value in figures.items():
        name = f"{prefix}{label}"
        rows += _flat(value, f"{name} · ") if isinstance(value, dict) else [(name, str(value))]
    return rows
