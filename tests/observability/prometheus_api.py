"""What a test asks of a running Prometheus."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ANSWERS_WITHIN = 60.0  # seconds


class QueryFailed(Exception):
    """Prometheus' own words about what is wrong with a query."""


@dataclass(frozen=True)
class Sample:
    """One element of an instant vector; a scalar has no labels."""

    labels: Mapping[str, str]
    value: float

    @property
    def name(self) -> str:
        return self.labels.get("__name__", "")


@dataclass(frozen=True)
class Series:
    """One element of a range: `points` are (Unix time, value)."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Alert:
    """`state` is "pending" or "firing"."""

    name: str
    state: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class Prometheus:
    """At `url`, without a slash at the end."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, promql: str, *, at: float | None = None) -> list[Sample]:
        """Now, or at a Unix time. Raises QueryFailed."""
        asked = {"query": promql} | ({} if at is None else {"time": str(at)})
        told = self.get("/api/v1/query", **asked)
        if told["resultType"] in ("scalar", "string"):
            return [Sample({}, float(told["result"][1]))]
        return [Sample(found["metric"], float(found["value"][1])) for found in told["result"]]

    def value(self, promql: str) -> float | None:
        """Of a query with one answer; None where there is none."""
        found = self.query(promql)
        assert len(found) < 2, f"{promql} has {len(found)} answers"
        return found[0].value if found else None

    def query_range(self, promql: str, *, start: float, end: float, step: float = 15.0) -> list[Series]:
        """Between two Unix times, each `step` seconds. Raises QueryFailed."""
        asked = {"query": promql, "start": str(start), "end": str(end), "step": str(step)}
        told = self.get("/api/v1/query_range", **asked)
        return [
            Series(found["metric"], tuple((float(moment), float(value)) for moment, value in found["values"]))
            for found in told["result"]
        ]

    def alerts(self) -> list[Alert]:
        """Those that are pending or firing."""
        return [
            Alert(found["labels"]["alertname"], found["state"], found["labels"], found["annotations"])
            for found in self.get("/api/v1/alerts")["alerts"]
        ]

    def firing(self) -> set[str]:
        return {alert.name for alert in self.alerts() if alert.state == "firing"}

    def metric_names(self) -> set[str]:
        """Every name that there are samples of, recorded ones among them."""
        return set(self.get("/api/v1/label/__name__/values"))

    def targets(self) -> dict[str, str]:
        """What is wrong with the targets of each job; empty text: nothing."""
        found = self.get("/api/v1/targets", state="active")["activeTargets"]
        return {
            target["labels"]["job"]: ""
            if target["health"] == "up"
            else target["lastError"] or "not asked yet"
            for target in found
        }

    def get(self, path: str, **parameters: str) -> Any:
        """The `data` of an answer. Raises QueryFailed, or OSError where nobody answers."""
        url = f"{self.url}{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=ANSWERS_WITHIN) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise QueryFailed(f"{parameters}: {error.read().decode(errors='replace')}") from None
