import sys
from typing import Any

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig
from django.db.models.signals import post_migrate


def load_django_q() -> None:
    """Before Django does, and so that it does not find prometheus_client: it loads that wherever it is installed, in
    every process, to no use here. Only the web process is to pay for it."""
    known = {
        name: module for name, module in sys.modules.items() if name.split(".")[0] == "prometheus_client"
    }
    sys.modules["prometheus_client"] = None  # type: ignore[assignment]  # as Python marks what cannot be imported
    try:
        import django_q.conf  # noqa: F401
    finally:
        del sys.modules["prometheus_client"]
        sys.modules.update(known)


load_django_q()


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        post_migrate.connect(declare_schedules, sender=self)


class AdminConfig(SimpleAdminConfig):
    """Django's own, with our site."""

    default_site = "monitoring.admin.BoxAdminSite"


def declare_schedules(**kwargs: Any) -> None:
    from proxy_site.schedules import every_minutes

    every_minutes("measure the machine", "monitoring.tasks.measure", 1)
