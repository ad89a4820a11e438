"""The registry of providers. Which of them this box uses, and in which order, WATCHLIST_PROVIDERS says."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext

from django.conf import settings

from watchlist.providers.anilist import AniList
from watchlist.providers.base import Gate, WatchProvider
from watchlist.providers.manual import Manual


def _anilist(gate: Gate) -> WatchProvider:
    return AniList(url=settings.ANILIST_URL, client_id=settings.ANILIST_CLIENT_ID, gate=gate)


def _manual(gate: Gate) -> WatchProvider:
    return Manual()


REGISTRY: Mapping[str, Callable[[Gate], WatchProvider]] = {"anilist": _anilist, "manual": _manual}


class UnknownProvider(LookupError):
    """This box uses no such provider."""


def enabled() -> tuple[str, ...]:
    """Names, in the order in which they are tried."""
    return tuple(settings.WATCHLIST_PROVIDERS)


def make_provider(name: str, gate: Gate = nullcontext) -> WatchProvider:
    """Raises UnknownProvider. `gate` is entered around every request: see budget.py."""
    if name not in enabled() or name not in REGISTRY:
        raise UnknownProvider(name)
    return REGISTRY[name](gate)
