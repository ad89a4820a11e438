"""What the worker does for the watchlist. Each may run twice, and several at once."""

from watchlist import choosing, consumer, relation_rules, sync


def sync_lists() -> str:
    return sync.sync_due_lists()


def sync_airing() -> str:
    return sync.sync_airing()


def sync_details() -> str:
    return sync.sync_details()


def fetch_relation_rules() -> bool:
    """Whether there are new ones."""
    return relation_rules.fetch()


def decide() -> str:
    """What of new items is of shows that people follow, which of that is taken, and what became of what was."""
    found = consumer.catch_up()
    return f"{found} found, {choosing.advance()} changed"


def prune() -> int:
    return consumer.prune()
