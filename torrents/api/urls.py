from django.urls import path
from rest_framework.routers import SimpleRouter

from torrents.api.views import ArchiveView, FileContentView, HealthView, TorrentViewSet

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
    path("health/", HealthView.as_view(), name="health"),
]
