"""A feed that has moved for good."""

from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Q

from feeds.models import FeedSource, Rule, Subscription
from feeds.positions import position_there
from proxy_site.outbound import fetchable


def host_of(url: str) -> str:
    """In lower case, with its port if it has one; empty for what has none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()[:255]
    except ValueError:
        return ""


def keeps_credentials(given_for: str, url: str) -> bool:
    """Whether what was given for one address may be sent to another: the same host, and as encrypted as before."""
    as_safe = urlsplit(url).scheme == "https" or urlsplit(given_for).scheme != "https"
    return as_safe and host_of(url) == host_of(given_for)


@transaction.atomic
def move_source(source: FeedSource, url: str) -> None:
    """Its subscribers follow it to `url`; to the source that is there already, if there is one, as soon as that was
    checked: before, nobody could say which of its items are new to them. Raises OutboundError for what is no address.
    """
    url = fetchable(url)
    keep = keeps_credentials(source.url, url)
    username, password = (source.username, source.password) if keep else ("", "")
    digest = FeedSource.digest_of(url, username, password)
    both = FeedSource.objects.filter(Q(digest=digest) | Q(pk=source.pk)).select_for_update().order_by("pk")
    there = next((other for other in both if other.pk != source.pk), None)
    if there is None:
        FeedSource.objects.filter(pk=source.pk).update(
            digest=digest, url=url, username=username, password=password, host=host_of(url)
        )
        return
    if there.succeeded_at is None:
        return
    for subscription in Subscription.objects.filter(source=source).select_for_update().order_by("pk"):
        twin = Subscription.objects.filter(user=subscription.user_id, source=there).first()
        if twin is not None:
            for rule in Rule.objects.filter(subscriptions=subscription):
                rule.subscriptions.add(twin)  # else a rule for this feed alone would become one for all
            subscription.delete()
        else:
            subscription.position = position_there(subscription, there)
            subscription.source = there
            subscription.save(update_fields=["source", "position"])
