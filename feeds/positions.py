"""Where a consumer of items begins to read a feed, and where it reads on when the feed has moved."""

from feeds.models import FeedSource, Item, Subscription


def beginning(subscription: Subscription) -> int | None:
    """Behind what the first check after it was added found, or before, if that was asked for. None: there was no check
    yet."""
    source = subscription.source
    if source.succeeded_at is None or source.succeeded_at < subscription.since:
        return None
    if subscription.back_catalogue:
        first = Item.objects.filter(source=source, key__in=source.present).order_by("number").first()
        if first is not None:
            return first.number - 1
    return source.last_number


def position_there(subscription: Subscription, there: FeedSource) -> int | None:
    """Of its rules, when it moves. Behind what the other has stored, which this one had, too; but before the newest,
    where they are what its rules have still to see."""
    if subscription.position is None:
        return None
    unseen = Item.objects.after(subscription.source_id, subscription.position).values("key")
    seen = Item.objects.filter(source=there).exclude(key__in=unseen).order_by("-number").first()
    return 0 if seen is None else seen.number


def position_behind(was: int, there: FeedSource) -> int:
    """Of a consumer that has read everything of the source `was`, from which a subscription moved to `there`.

    What one checks of a feed that has moved is what stands at its new place: so the newest item that both have is where
    they parted, and nothing behind it has been read.
    """
    keys = Item.objects.filter(source=was).values("key")
    both = Item.objects.filter(source=there, key__in=keys).order_by("-number").first()
    if both is not None:
        return both.number
    old = FeedSource.objects.filter(pk=was).first()
    if old is None or old.succeeded_at is None:
        return there.last_number
    before = Item.objects.filter(source=there, seen_at__lte=old.succeeded_at).order_by("-number").first()
    return 0 if before is None else before.number
