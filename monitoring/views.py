"""For programs that look after the box. Outside of the API: no session, no schema."""

from collections.abc import Sequence

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from monitoring import health
from monitoring.access import may_read_metrics


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Where one may not read them, there is nothing."""
    if not may_read_metrics(request):
        raise Http404
    # Here, because commands that look at URLs need not load prometheus_client.
    from monitoring.metrics.exposition import CONTENT_TYPE, exposition

    return HttpResponse(exposition(), content_type=CONTENT_TYPE)


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    """That this process answers; nothing else is asked."""
    return _told([])


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    return _told(health.readiness())


def _told(checks: Sequence[health.Check]) -> JsonResponse:
    ok = all(check.ok for check in checks)
    told = [{"name": check.name, "ok": check.ok, "message": check.message} for check in checks]
    return JsonResponse({"ok": ok, "checks": told}, status=200 if ok else 503)
