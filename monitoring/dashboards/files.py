"""The dashboards as files: the same text each time the same code makes them."""

import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from monitoring.dashboards.automation import automation
from monitoring.dashboards.box import box
from monitoring.dashboards.database import database
from monitoring.dashboards.overview import overview
from monitoring.dashboards.people import people
from monitoring.dashboards.qbittorrent import qbittorrent
from monitoring.dashboards.runbook import runbook

DIRECTORY = Path(__file__).resolve().parents[2] / "deploy" / "grafana" / "dashboards"


def dashboards() -> list[Dashboard]:
    return [overview(), box(), qbittorrent(), people(), automation(), database(), runbook()]


def files() -> dict[str, str]:
    """Names and texts."""
    return {
        f"{made.uid}.json": json.dumps(made, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False)
        + "\n"
        for made in dashboards()
    }


def stale(directory: Path) -> list[str]:
    """Names of files that are missing, different or too many."""
    made = files()
    there = {path.name: path.read_text() for path in directory.glob("*.json")}
    return sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))
