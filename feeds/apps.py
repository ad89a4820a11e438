from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class FeedsConfig(AppConfig):
    name = "feeds"

    def ready(self) -> None:
        from feeds.signals import items_stored

        post_migrate.connect(declare_schedules, sender=self)
        items_stored.connect(wake_rules)


def wake_rules(**kwargs: Any) -> None:
    from django_q.tasks import async_task

    async_task("feeds.tasks.decide")


def declare_schedules(**kwargs: Any) -> None:
    from proxy_site.schedules import every_minutes

    every_minutes("check the feeds that are due", "feeds.tasks.check_feeds", 1)
    every_minutes("decide on new items of feeds", "feeds.tasks.decide", 1)
    every_minutes("forget old items of feeds", "feeds.tasks.prune", 60)
