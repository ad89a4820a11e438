from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        post_migrate.connect(declare_schedules, sender=self)


def declare_schedules(**kwargs: Any) -> None:
    from proxy_site.schedules import every_minutes

    every_minutes("forget what has expired in accounts", "accounts.tasks.prune", 60)
