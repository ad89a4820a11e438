"""Where things are kept on this machine."""

import os
from pathlib import Path

import platformdirs


def config_dir() -> Path:
    """Holds the session; TORRENT_PROXY_CONFIG_DIR names another place (and so another profile)."""
    chosen = os.environ.get("TORRENT_PROXY_CONFIG_DIR")
    return Path(chosen).expanduser() if chosen else platformdirs.user_config_path("torrent-proxy", False)


def download_dir() -> Path:
    """Receives fetched files; TORRENT_PROXY_DOWNLOAD_DIR names another place."""
    chosen = os.environ.get("TORRENT_PROXY_DOWNLOAD_DIR")
    return Path(chosen).expanduser() if chosen else platformdirs.user_downloads_path()


def state_dir() -> Path:
    """Holds unfinished transfers, choices made in the app, and pinned certificates."""
    chosen = os.environ.get("TORRENT_PROXY_CONFIG_DIR")
    if chosen:
        return Path(chosen).expanduser() / "state"
    return platformdirs.user_state_path("torrent-proxy", False)
