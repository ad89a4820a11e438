"""Everything that answers over HTTP."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from accounts.api import urls as accounts_urls
from torrents.api import urls as torrents_urls

admin.site.site_header = "OCI Torrent Proxy"
admin.site.site_title = "OCI Torrent Proxy"
admin.site.index_title = "Administration"

api_v1: list[URLPattern | URLResolver] = [
    path("", include(accounts_urls)),
    path("", include(torrents_urls)),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api:schema"), name="docs"),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="api:docs")),
    path("admin/", admin.site.urls),
    path("api/v1/", include((api_v1, "api"))),
]
