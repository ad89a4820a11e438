"""`manage.py describe_metrics`: docs/metrics.md, made of the code."""

from typing import Any

from django.core.management.base import BaseCommand

from monitoring.metrics.describing import described


class Command(BaseCommand):
    help = "Print the list of everything at /metrics: python manage.py describe_metrics > docs/metrics.md"
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(described(), ending="")
