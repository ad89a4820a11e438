"""A feed that has moved for good."""

from urllib.parse import urlsplit

from django.db import transaction

from feeds.models import FeedSource, Subscription


def host_of(url: str) -> str:
    """In lower case, with its port if it has one; empty for what has none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()[:255]
    except ValueError:
        return ""


@transaction.atomic
def move_source(source: FeedSource, url: str) -> None:
    """Its subscribers follow it to `url`; to the source that is there already, if there is one.

    Credentials go along on one host only: they were given to that one.
    """
    keep = host_of(url) == source.host
    username, password = (source.username, source.password) if keep else ("", "")
    digest = FeedSource.digest_of(url, username, password)
    there = FeedSource.objects.filter(digest=digest).exclude(pk=source.pk).first()
    if there is None:
        FeedSource.objects.filter(pk=source.pk).update(
            digest=digest, url=url, username=username, password=password, host=host_of(url)
        )
        return
    for subscription in Subscription.objects.filter(source=source).select_for_update().order_by("pk"):
        if Subscription.objects.filter(user=subscription.user_id, source=there).exists():
            subscription.delete()
        else:
            # What the other has stored it had, too.
            subscription.source, subscription.position = there, there.last_number
            subscription.save(update_fields=["source", "position"])
