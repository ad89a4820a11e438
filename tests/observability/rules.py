"""What the committed rules say, for tests."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from proxy_site.environment import PROJECT_DIR

FOLDER = PROJECT_DIR / "deploy" / "prometheus"
RULES = sorted((FOLDER / "rules").glob("*.yml"))
RULE_TESTS = sorted((FOLDER / "tests").glob("*.yml"))

# In this order: what a grouping leaves behind makes a function of the word before it.
_NOT_METRICS = (
    re.compile(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]'),  # texts, matchers, ranges
    re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"),
    re.compile(r"\b(?:and|or|unless|bool|offset)\b|\b[a-z_0-9]+\s*(?=\()"),  # operators, functions
)
_METRIC = re.compile(r"\b[a-zA-Z_][a-zA-Z0-9_:]*")


@dataclass(frozen=True)
class Alert:
    name: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]


@cache
def all_rules() -> tuple[dict[str, Any], ...]:
    return tuple(
        rule
        for path in RULES
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    )


def alerts() -> Iterator[Alert]:
    for rule in all_rules():
        if "alert" in rule:
            yield Alert(rule["alert"], rule["expr"], rule["labels"], rule["annotations"])


def recorded() -> set[str]:
    return {rule["record"] for rule in all_rules() if "record" in rule}


def metrics_of(promql: str) -> set[str]:
    """The names of what it asks for."""
    for other in _NOT_METRICS:
        promql = other.sub(" ", promql)
    return set(_METRIC.findall(promql))


def cases(path: Path) -> Iterator[tuple[str, bool]]:
    """Which alert each question of a file of promtool's tests is about, and whether it is to fire."""
    for group in yaml.safe_load(path.read_text())["tests"]:
        for asked in group["promql_expr_test"]:
            (name,) = re.findall(r'alertname="(\w+)"', asked["expr"])
            yield name, bool(asked["exp_samples"])
