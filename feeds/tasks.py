"""What the worker does for feeds. Each may run twice, and several at once."""

from datetime import timedelta

from django.conf import settings

from feeds import checker, consumer, grabs, services


def check_feeds() -> str:
    report = checker.check_due()
    return f"{report.checked} checked, {report.failed} failed, {report.new_items} new items"


def decide() -> str:
    """What rules take of new items, and adding that and what is to be tried again."""
    taken = consumer.catch_up()
    return f"{taken} taken, {grabs.add_due()} added"


def prune() -> int:
    return consumer.forget_old_decisions() + services.prune(
        items_kept=timedelta(days=settings.FEED_ITEMS_KEPT_DAYS)
    )
