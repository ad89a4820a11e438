"""For programs that look after the box, and for Caddy. Outside of the API: no schema."""

from collections.abc import Sequence

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from monitoring import health
from monitoring.access import may_read_metrics, may_see_grafana

GRAFANA = "/grafana/"
# Dashboards and queries. An admin of Grafana may name data sources, which Grafana then asks from this machine.
GRAFANA_ROLE = "Editor"
LONGEST_ADDRESS = 2000  # characters; the answer's header has to hold it


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


@require_safe
@never_cache
def grafana_access(request: HttpRequest) -> HttpResponse:
    """Caddy asks this before each request to Grafana: 200 and as whom, or the answer that the browser gets instead."""
    if may_see_grafana(request.user):
        return HttpResponse(
            headers={"X-WEBAUTH-USER": request.user.get_username(), "X-WEBAUTH-ROLE": GRAFANA_ROLE}
        )
    if request.user.is_authenticated:
        return _sentence(
            403,
            f"You are logged in as {request.user}, who is no admin. Only admins see Grafana: log in as one at /admin/.",
        )
    if "text/html" in request.headers.get("Accept", ""):
        return redirect_to_login(_page_of_grafana(request), reverse("admin:login"))
    return _sentence(401, "Log in at /admin/ first: only admins see Grafana.")


def _page_of_grafana(request: HttpRequest) -> str:
    """Where to go on after logging in, which is nowhere else than in Grafana."""
    asked = request.headers.get("X-Forwarded-Uri", "")
    return asked if asked.startswith(GRAFANA) and len(asked) < LONGEST_ADDRESS else GRAFANA


def _sentence(status: int, text: str) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")


def _told(checks: Sequence[health.Check]) -> JsonResponse:
    ok = all(check.ok for check in checks)
    told = [{"name": check.name, "ok": check.ok, "message": check.message} for check in checks]
    return JsonResponse({"ok": ok, "checks": told}, status=200 if ok else 503)
