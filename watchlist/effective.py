"""What its owner wishes of an entry by now, as far as it concerns choosing and downloading."""

from collections.abc import Callable
from typing import Protocol

from accounts.models import User
from watchlist.models import Entry, Preferences


class Wanted(Protocol):
    """See watchlist.wanted."""

    @property
    def newer_versions(self) -> bool: ...
    @property
    def delay_seconds(self) -> int: ...
    @property
    def stalled_hours(self) -> int: ...
    @property
    def start_paused(self) -> bool: ...
    @property
    def label(self) -> str: ...


def wishes_of(user: User) -> Callable[[Entry], Wanted]:
    """Their preferences are read once."""
    from watchlist.wanted import wanted_of  # type: ignore[import-not-found]

    preferences = Preferences.objects.filter(user=user).first() or Preferences(user=user)
    return lambda entry: wanted_of(entry, preferences)
