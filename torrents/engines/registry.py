"""The kinds of engine there are, by the name that the ENGINE setting uses."""

from collections.abc import Callable

from django.conf import settings

from torrents.engines.base import Engine
from torrents.engines.fake import FakeEngine
from torrents.engines.qbittorrent import QBittorrentEngine


def _qbittorrent() -> Engine:
    return QBittorrentEngine(
        settings.QBITTORRENT_URL, settings.QBITTORRENT_USERNAME, settings.QBITTORRENT_PASSWORD
    )


def _fake() -> Engine:
    return FakeEngine(self_advancing=True)


ENGINES: dict[str, Callable[[], Engine]] = {"qbittorrent": _qbittorrent, "fake": _fake}


def create_engine() -> Engine:
    """The engine that this installation is configured for. Nothing is connected yet."""
    return ENGINES[settings.ENGINE]()
