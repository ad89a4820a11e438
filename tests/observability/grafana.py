"""What Grafana does with a dashboard's file, as far as Prometheus sees it. Debian has no Grafana to ask."""

import json
import math
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.observability.prometheus_api import Prometheus, QueryFailed

SCRAPE_INTERVAL = 15  # seconds; in deploy/grafana's data source as in Prometheus' configuration
RANGE = 15 * 60  # seconds
ALL = ".*"  # what our variables stand for when All is chosen

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """`where` names the panel, variable or annotation that asks."""

    where: str
    promql: str
    instant: bool

    def renamed(self, metric: str) -> "Question":
        """The same where the box calls that metric otherwise than the dashboard does."""
        return Question(self.where, re.sub(rf"\b{metric}\b", f"{metric}_renamed", self.promql), self.instant)


def panels_of(dashboard: Json) -> list[Json]:
    """Those that ask something."""
    return [panel for panel in dashboard["panels"] if "targets" in panel]


def questions_of(path: Path, *, user: str = ALL) -> list[Question]:
    """All that a dashboard asks; `user` is what $user stands for."""
    dashboard = json.loads(path.read_text())
    return [
        Question(f"{path.stem}: {where}", _filled_in(promql, user), instant)
        for where, promql, instant in _asked(dashboard)
    ]


def escaped(value: str) -> str:
    """A chosen value of a variable, as Grafana puts it into a regular expression of Prometheus."""
    return re.sub(r"([\\^$.|?*+()\[\]{}])", r"\\\\\1", value)


def light(panel: Json, value: float) -> tuple[str, str]:
    """The word and the colour that a panel gives a value: those of the first range that has it."""
    for mapping in panel["fieldConfig"]["defaults"]["mappings"]:
        told = mapping["options"]
        if mapping["type"] == "range" and _least(told) <= value <= _most(told):
            return told["result"]["text"], told["result"]["color"]
    raise AssertionError(f"{panel['title']} has no word for {value}")


def answer(prometheus: Prometheus, question: Question) -> list[float]:
    """Values that a panel shows: of each series at the end, or over the last minutes. Raises QueryFailed."""
    if question.instant:
        return [sample.value for sample in prometheus.query(question.promql) if not math.isnan(sample.value)]
    now = time.time()
    found = prometheus.query_range(question.promql, start=now - RANGE, end=now, step=SCRAPE_INTERVAL)
    return [value for series in found for _, value in series.points if not math.isnan(value)]


def what_is_wrong(prometheus: Prometheus, question: Question) -> str:
    """Empty: nothing."""
    try:
        return "" if answer(prometheus, question) else f"{question.where} is empty: {question.promql}"
    except QueryFailed as error:
        return f"{question.where}: {error}"


def _least(told: Json) -> float:
    return -math.inf if told["from"] is None else float(told["from"])


def _most(told: Json) -> float:
    return math.inf if told["to"] is None else float(told["to"])


def _asked(dashboard: Json) -> Iterator[tuple[str, str, bool]]:
    for panel in panels_of(dashboard):
        for target in panel["targets"]:
            yield f"{panel['title']} ({target['refId']})", target["expr"], target.get("instant", False)
    for annotation in dashboard["annotations"]["list"]:
        yield f"annotation {annotation['name']}", annotation["expr"], False
    for variable in dashboard["templating"]["list"]:
        found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"])
        assert found, f"not known what Grafana asks for {variable['query']}"
        yield f"variable {variable['name']}", "count by ({1}) ({0})".format(*found.groups()), True


def _filled_in(promql: str, user: str) -> str:
    filled = (
        promql.replace("$__rate_interval", f"{4 * SCRAPE_INTERVAL}s")
        .replace("$__range", f"{RANGE}s")
        .replace("$user", user)
    )
    assert "$" not in filled, f"not known what Grafana makes of {promql}"
    return filled
