"""What an admin may do about a provider that is left alone for a while."""

from collections.abc import Iterable

from watchlist.models import Provider


def try_again(providers: Iterable[Provider]) -> int:
    """The next request is sent when it comes; how many that concerns. What fails then is left alone anew."""
    names = [provider.name for provider in providers]
    return Provider.objects.filter(name__in=names).exclude(blocked_until=None).update(blocked_until=None)
