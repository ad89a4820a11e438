"""What is answered over HTTP, as django-prometheus counts it, and what is answered before Django sees it.

Less of it than django-prometheus offers: each kind costs microseconds a request and time series for every view.
"""

from typing import Any

from django.http import HttpRequest
from django.urls import resolve
from django_prometheus import middleware

KEPT = {
    "django_http_requests_latency_seconds_by_view_method",
    "django_http_responses_total_by_status_view_method",
    "django_http_exceptions_total_by_type",
    "django_http_exceptions_total_by_view",
}

SECONDS = (0.005, 0.025, 0.1, 0.5, 2.5, float("inf"))  # each is a time series for every view and method


class _NotCounted:
    """In place of a metric that nobody looks at."""

    def labels(self, **labels: str) -> "_NotCounted":
        return self

    def inc(self, amount: float = 1) -> None:
        return None

    def observe(self, amount: float) -> None:
        return None


class Metrics(middleware.Metrics):  # type: ignore[misc]  # django-prometheus has no types
    def register_metric(
        self, metric_cls: Any, name: str, documentation: str, labelnames: Any = (), **kwargs: Any
    ) -> Any:
        if name not in KEPT:
            return _NotCounted()
        if "buckets" in kwargs:
            kwargs["buckets"] = SECONDS
        return super().register_metric(metric_cls, name, documentation, labelnames, **kwargs)


class Counted(middleware.PrometheusAfterMiddleware):  # type: ignore[misc]
    """Stands before all others, so their time and their answers count as well."""

    metrics_cls = Metrics

    def label_metric(self, metric: Any, request: HttpRequest, response: Any = None, **labels: str) -> Any:
        """Everything has a bounded number of values: django-prometheus takes a method as it was sent for some."""
        if "method" in labels:
            labels["method"] = self._method(request)
        return super().label_metric(metric, request, response, **labels)

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Only counts it: its time does with the answer that is made of it."""
        self.metrics.exceptions_by_type.labels(type=type(exception).__name__).inc()
        self.metrics.exceptions_by_view.labels(view=self._get_view_name(request)).inc()


def _counts_of(path: str) -> tuple[Any, Any]:
    labels = {"view": resolve(path).view_name, "method": "GET"}
    metrics = Metrics.get_instance()
    return (
        metrics.responses_by_status_view_method.labels(status="200", **labels),
        metrics.requests_latency_by_view_method.labels(**labels),
    )


_quick_counts: dict[str, tuple[Any, Any]] = {}


def count_quick_answer(path: str, seconds: float) -> None:
    """An answer that Django did not make a request of (torrents.api.polling), as if its view had given it."""
    counts = _quick_counts.get(path)
    if counts is None:
        counts = _quick_counts[path] = _counts_of(path)
    answers, latency = counts
    answers.inc()
    latency.observe(seconds)
