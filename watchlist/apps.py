from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class WatchlistConfig(AppConfig):
    name = "watchlist"

    def ready(self) -> None:
        from feeds.signals import items_stored

        post_migrate.connect(declare_schedules, sender=self)
        items_stored.connect(wake)


def wake(**kwargs: Any) -> None:
    from django_q.tasks import async_task

    async_task("watchlist.tasks.decide")


def declare_schedules(**kwargs: Any) -> None:
    from proxy_site.schedules import every_minutes

    every_minutes("decide on new items for the watchlist", "watchlist.tasks.decide", 1)
    every_minutes("read airing times, lists and shows that are due", "watchlist.tasks.synchronise", 1)
    every_minutes("forget shows that nobody follows", "watchlist.tasks.forget", 24 * 60)
    every_minutes("fetch the rules that relate seasons", "watchlist.tasks.fetch_relation_rules", 24 * 60)
    every_minutes("forget old decisions of the watchlist", "watchlist.tasks.prune", 60)
