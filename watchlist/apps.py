from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class WatchlistConfig(AppConfig):
    name = "watchlist"

    def ready(self) -> None:
        post_migrate.connect(declare_schedules, sender=self)


def declare_schedules(**kwargs: Any) -> None:
    """Each room's tasks: see tasks.py."""
