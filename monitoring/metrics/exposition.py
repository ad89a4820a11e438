"""The answer to a scrape: what the web's processes have counted together, and what our rows tell."""

import os
import time

from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, multiprocess
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE

from monitoring.metrics import batched
from monitoring.metrics.catalogue import Samples
from monitoring.metrics.reading import read_rows
from proxy_site import VERSION

__all__ = ["CONTENT_TYPE", "exposition", "own_figures"]


def exposition() -> bytes:
    """In Prometheus' text format. The same whichever process answers, but for what others counted in the last second.
    Without the database it is shorter."""
    batched.now()
    return generate_latest(_counted_together()) + own_figures().encode()


def own_figures() -> str:
    began = time.perf_counter()
    samples = Samples()
    samples.add("build_info", 1, VERSION)
    answered = read_rows(samples, timezone.now())
    samples.add("database_up", float(answered))
    samples.add("scrape_seconds", time.perf_counter() - began)
    return samples.text()


def _counted_together() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:  # one process only: tests, runserver
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
