"""The site of the admin's pages: the first of them tells how the box is."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path

from monitoring.home.page import read_home
from proxy_site.environment import PROJECT_DIR

RUNBOOK = PROJECT_DIR / "docs" / "runbook.md"


class BoxAdminSite(AdminSite):
    site_header = site_title = "OCI Torrent Proxy"
    index_title = "The box"
    index_template = "monitoring/home.html"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        context = {"home": read_home(), "has_runbook": RUNBOOK.exists(), **(extra_context or {})}
        return super().index(request, context)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [path("runbook/", self.admin_view(runbook), name="runbook"), *super().get_urls()]


def runbook(request: HttpRequest) -> HttpResponse:
    """What to do about each alert, as it was written."""
    try:
        return HttpResponse(RUNBOOK.read_bytes(), content_type="text/plain; charset=utf-8")
    except OSError:
        raise Http404 from None
