"""What every provider of shows, airing times and lists can do, and the one error that it may raise."""

import datetime
from collections.abc import Collection
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Protocol

from watchlist.records import AccountRecord, AiringRecord, ListedRecord, ShowRecord


class Trouble(StrEnum):
    """Why a provider did not answer what it was asked."""

    BUSY = "busy"  # our own budget of requests is used up
    BLOCKED = "blocked"  # it is left alone for a while, after one of the next three
    LIMITED = "limited"  # it says that it was asked too often
    DISABLED = "disabled"  # it is closed to us, or to everybody
    BROKEN = "broken"  # it does not answer, or not what it should
    NOT_FOUND = "not_found"
    PRIVATE = "private"
    TOKEN = "token"  # noqa: S105  the token is not, or no longer, accepted
    TOO_LONG = "too_long"  # a list, to be read within a budget
    REFUSED = "refused"  # it does not understand us, or does not do such things


NOT_ASKED = frozenset({Trouble.BUSY, Trouble.BLOCKED})
OF_THE_SERVICE = frozenset({Trouble.LIMITED, Trouble.DISABLED, Trouble.BROKEN})
PASSING = NOT_ASKED | OF_THE_SERVICE


class ProviderError(Exception):
    """The text is for people: what happened and what to do. It holds no token and nothing that a stranger wrote.

    `retry_after` is what the service asked for, in seconds.
    """

    def __init__(self, message: str, trouble: Trouble, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.trouble = trouble
        self.retry_after = retry_after

    @property
    def asked(self) -> bool:
        """A request was sent."""
        return self.trouble not in NOT_ASKED

    @property
    def permanent(self) -> bool:
        """Trying again helps only after somebody has changed something."""
        return self.trouble not in PASSING


class Gate(Protocol):
    """Entered around every request. May raise ProviderError (busy, blocked), and sees how the request went."""

    def __call__(self) -> AbstractContextManager[None]: ...


class WatchProvider(Protocol):
    """A service, or what stands for one. All methods raise ProviderError and nothing else."""

    name: str
    """In rows, and in the registry."""
    title: str
    """For people."""
    has_service: bool
    """There is somebody to ask."""
    links_by_name: bool
    """`account` and `listed` work with a public name."""

    @property
    def links_by_token(self) -> bool:
        """`account` and `listed` work with a token that its owner gets at `code_url`."""
        ...

    @property
    def code_url(self) -> str:
        """Where people get a token to copy; empty where there is no such page."""
        ...

    def search(self, text: str) -> list[ShowRecord]:
        """The likeliest first, without relations, adult shows too; a handful."""
        ...

    def shows(self, external_ids: Collection[str]) -> list[ShowRecord]:
        """With relations, each once, in any order; those that do not exist are left out."""
        ...

    def airing(
        self, external_ids: Collection[str], since: datetime.datetime, until: datetime.datetime
    ) -> list[AiringRecord]:
        """All episodes of these shows that air in this time, each once; those long past may be missing."""
        ...

    def account(self, *, name: str = "", token: str = "") -> AccountRecord:
        """Of this token where there is one, else of this name."""
        ...

    def listed(
        self, account: AccountRecord, token: str = "", statuses: Collection[str] = ()
    ) -> list[ListedRecord]:
        """What has one of these statuses (none: the whole list), hidden and custom lists included, each show once.
        TOO_LONG where that takes more than a handful of requests."""
        ...

    def token_ends_at(self, token: str) -> datetime.datetime | None:
        """As the token itself says; None where it does not."""
        ...
