from django.urls import path
from rest_framework.routers import SimpleRouter

from torrents.api.history import ClaimHistoryView, HistoryView
from torrents.api.swarm import SwarmView
from torrents.api.views import (
    ArchiveView,
    EndLinksView,
    FileContentView,
    HealthView,
    LimitsView,
    LinksView,
    LinkView,
    TorrentViewSet,
    TrafficView,
    UsageView,
)

router = SimpleRouter(use_regex_path=False)
router.register("torrents", TorrentViewSet, basename="torrent")

urlpatterns = [
    *router.urls,
    path(
        "torrents/<uuid:claim_id>/files/<int:index>/content/",
        FileContentView.as_view(),
        name="torrent-file-content",
    ),
    path("torrents/<uuid:claim_id>/archive/", ArchiveView.as_view(), name="torrent-archive"),
    path("torrents/<uuid:claim_id>/history/", ClaimHistoryView.as_view(), name="torrent-history"),
    path("torrents/<uuid:claim_id>/swarm/", SwarmView.as_view(), name="torrent-swarm"),
    path("torrents/<uuid:claim_id>/links/", LinksView.as_view(), name="torrent-links"),
    path("links/<str:token>/<str:filename>", LinkView.as_view(), name="link"),
    path("me/links/", EndLinksView.as_view(), name="me-links"),
    path("me/history/", HistoryView.as_view(), name="me-history"),
    path("me/traffic/", TrafficView.as_view(), name="me-traffic"),
    path("me/limits/", LimitsView.as_view(), name="me-limits"),
    path("me/usage/", UsageView.as_view(), name="me-usage"),
    path("health/", HealthView.as_view(), name="health"),
]
