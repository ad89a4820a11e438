"""Everything that answers over HTTP."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from proxy_site.api.server import ServerView
from proxy_site.client_wheel import client_page, client_wheel

admin.autodiscover()  # here and not at start: what answers no HTTP needs none of it

handler404 = "proxy_site.api.fallbacks.not_found"
handler500 = "proxy_site.api.fallbacks.failed"

api_v1: list[URLPattern | URLResolver] = [
    path("", include("torrents.api.urls")),  # first: looked up most
    path("", include("accounts.api.urls")),
    path("", include("feeds.api.urls")),
    path("", include("watchlist.api.urls")),
    path("server/", ServerView.as_view(), name="server"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api:schema"), name="docs"),
]

urlpatterns = [
    path("api/v1/", include((api_v1, "api"))),
    path("", RedirectView.as_view(pattern_name="api:docs")),
    path("admin/", admin.site.urls),
    path("", include("monitoring.urls")),
    path("client/", client_page, name="client"),
    path("client/<str:name>", client_wheel, name="client-wheel"),
]
