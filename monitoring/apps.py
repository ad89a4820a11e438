from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        post_migrate.connect(declare_schedules, sender=self)


def declare_schedules(**kwargs: Any) -> None:
    from proxy_site.schedules import every_minutes

    every_minutes("measure the machine", "monitoring.tasks.measure", 1)
