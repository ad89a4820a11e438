"""docs/metrics.md."""

from collections.abc import Iterator

from django_prometheus import db
from prometheus_client import Counter, Histogram

from monitoring.metrics.catalogue import METRICS
from monitoring.metrics.http import KEPT, Metrics

INTRODUCTION = """\
# What stands at /metrics

Made by `python manage.py describe_metrics`; a test compares. Who may read it, and how: [monitoring.md](monitoring.md).

## Of our rows

Read from PostgreSQL for each scrape, so they are the same whichever process answers. `user` is a user name (with
`METRICS_USERNAMES=false` the number of an account); beyond 200 people the rest is `(others)` together.
`host_use_p95_ratio`, `host_idle_risk`, `host_measured_age_seconds` and the forecast are of the machine that is asked.
"""
COUNTED = """
## Of the web's processes

Counted by django-prometheus in every process and added up. Polls that are answered before Django count as their views.
They begin anew when the web process is started.
"""


def described() -> str:
    own = [(metric.full_name, metric.kind.value, metric.labels, metric.help) for metric in METRICS]
    return INTRODUCTION + _table(own) + COUNTED + _table(sorted(_counted()))


def _counted() -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    kept = [
        metric for metric in vars(Metrics.get_instance()).values() if isinstance(metric, Counter | Histogram)
    ]
    assert len(kept) == len(KEPT)
    for metric in (*kept, *(one for one in vars(db).values() if isinstance(one, Counter | Histogram))):
        (family,) = metric.describe()
        name = f"{family.name}_total" if family.type == "counter" else family.name
        yield name, family.type, metric._labelnames, family.documentation


def _table(rows: list[tuple[str, str, tuple[str, ...], str]]) -> str:
    lines = ["", "| name | kind | labels | what it is |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {kind} | {', '.join(labels)} | {text} |" for name, kind, labels, text in rows]
    return "\n".join(lines) + "\n"
