"""What is answered over HTTP, in django-prometheus' metrics, and what is answered before Django sees it.

Fewer than django-prometheus offers: each kind costs microseconds a request and time series for every view. Its own
middleware takes five times as long for these, and some methods as they were sent, of which there is no end.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import resolve
from django_prometheus import middleware

from monitoring.metrics.batched import later

KEPT = {
    "django_http_requests_latency_seconds_by_view_method",
    "django_http_responses_total_by_status_view_method",
    "django_http_exceptions_total_by_type",
    "django_http_exceptions_total_by_view",
}
SECONDS = (0.005, 0.025, 0.1, 0.5, 2.5, float("inf"))  # each is a time series for every view and method
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
OTHER_METHOD = "other"
NO_VIEW = "<unnamed view>"  # as django-prometheus calls what leads nowhere


class Metrics(middleware.Metrics):  # type: ignore[misc]  # django-prometheus has no types
    def register_metric(
        self, metric_cls: Any, name: str, documentation: str, labelnames: Any = (), **kwargs: Any
    ) -> Any:
        if name not in KEPT:
            return None
        if "buckets" in kwargs:
            kwargs["buckets"] = SECONDS
        return super().register_metric(metric_cls, name, documentation, labelnames, **kwargs)


class Counted:
    """Stands before all other middleware, so their time and their answers count as well."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = self._answer(request)
        method = request.method if request.method in METHODS else OTHER_METHOD
        answers, latency = _counts(str(response.status_code), _view_of(request), method)
        answers.inc()
        latency.observe(time.perf_counter() - began)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        metrics = Metrics.get_instance()
        metrics.exceptions_by_type.labels(type(exception).__name__).inc()
        metrics.exceptions_by_view.labels(_view_of(request)).inc()


def count_quick_answer(path: str, seconds: float) -> None:
    """An answer that Django did not make a request of (torrents.api.polling), as if its view had given it."""
    later(_quick_count(path), seconds)


def _view_of(request: HttpRequest) -> str:
    return (request.resolver_match and request.resolver_match.view_name) or NO_VIEW


@lru_cache(maxsize=4096)
def _counts(status: str, view: str, method: str) -> tuple[Any, Any]:
    metrics = Metrics.get_instance()
    return (
        metrics.responses_by_status_view_method.labels(status, view, method),
        metrics.requests_latency_by_view_method.labels(view, method),
    )


@lru_cache
def _quick_count(path: str) -> Callable[[float], None]:
    answers, latency = _counts("200", resolve(path).view_name, "GET")

    def count(seconds: float) -> None:
        answers.inc()
        latency.observe(seconds)

    return count


Metrics.get_instance()  # each process of gunicorn has them from the start
