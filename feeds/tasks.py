"""What the worker does for feeds. Each may run twice, and several at once."""

from datetime import timedelta

from django.conf import settings

from feeds import checker, services


def check_feeds() -> str:
    report = checker.check_due()
    return f"{report.checked} checked, {report.failed} failed, {report.new_items} new items"


def prune() -> int:
    return services.prune(items_kept=timedelta(days=settings.FEED_ITEMS_KEPT_DAYS))
