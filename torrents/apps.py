from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from accounts.signals import access_ended


class TorrentsConfig(AppConfig):
    name = "torrents"

    def ready(self) -> None:
        from torrents.links import end_links

        access_ended.connect(end_links)
        post_migrate.connect(declare_schedules, sender=self)


def declare_schedules(**kwargs: Any) -> None:
    from proxy_site.schedules import every_minutes

    every_minutes("delete what nobody claims", "torrents.tasks.retire_unclaimed_torrents", 1)
    every_minutes("forget old removals", "torrents.tasks.prune_tombstones", 24 * 60)
    every_minutes("forget old history", "torrents.tasks.prune_history", 60)
    every_minutes("forget SFTP servers that died", "torrents.tasks.prune_sftp_servers", 60)
