"""What the worker does for the watchlist. Each may run twice, and several at once."""

from watchlist import choosing, consumer, relation_rules, sync


def synchronise() -> str:
    """Airing times, lists and details, in the order of what may wait least."""
    return sync.sync_all()


def sync_lists() -> str:
    """Somebody wants theirs to be read at once."""
    return sync.sync_due_lists()


def forget() -> int:
    return sync.forget()


def fetch_relation_rules() -> bool:
    """Whether there are new ones."""
    return relation_rules.fetch()


def decide() -> str:
    """What of new items is of shows that people follow, which of that is taken, and what became of what was."""
    found = consumer.catch_up()
    return f"{found} found, {choosing.advance()} changed"


def prune() -> int:
    return consumer.prune()
