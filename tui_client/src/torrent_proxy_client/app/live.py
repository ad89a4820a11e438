"""Keeps a mirror of the server's torrents up to date, and knows since when it cannot."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from textual.message import Message
from textual.signal import Signal

from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.errors import ClientError, NotLoggedIn, ServerAway
from torrent_proxy_client.mirror import Mirror
from torrent_proxy_client.models import Changes

_LONGEST_PAUSE = 30.0  # seconds between attempts while the server is away
QUIET_AFTER = 60  # answers in a row without news
QUIET_STRETCH = 5  # times as long are the pauses then; the first news, or a wish of ours, ends that


class TorrentsChanged(Message):
    """`changes` has been applied to the mirror."""

    def __init__(self, changes: Changes) -> None:
        super().__init__()
        self.changes = changes


@dataclass(frozen=True, slots=True)
class Away:
    """The server gives no usable answer."""

    since: datetime
    retry_at: float  # time.monotonic()
    last_answer: datetime | None
    reason: str
    reachable: bool  # it answers, but with nonsense


class LinkChanged(Message):
    """`away` is None when the server answers again."""

    def __init__(self, away: Away | None) -> None:
        super().__init__()
        self.away = away


@dataclass(frozen=True, slots=True)
class Following:
    """What the list knows of the server, for screens above it: they need not ask for that themselves."""

    mirror: Mirror
    news: Signal[None]  # the mirror has changed
    link: Signal[Away | None]  # as of LinkChanged
    wake: Callable[[], None]  # after something was changed by us


class Poller:
    """Asks what changed, every `interval` seconds, less often when nothing does; `post` receives TorrentsChanged and
    LinkChanged."""

    def __init__(
        self, api: ApiClient, mirror: Mirror, post: Callable[[Message], object], *, interval: float = 1.0
    ) -> None:
        self._api = api
        self._mirror = mirror
        self._post = post
        self._interval = interval
        self.pause = interval  # seconds from the last answer to the next question
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Ask now: something was just changed by us."""
        self._wake.set()

    async def run(self) -> None:
        """Runs until cancelled; raises NotLoggedIn when the session has ended."""
        away: Away | None = None
        last_answer: datetime | None = None
        quiet = 0
        while True:
            if self._wake.is_set():
                quiet = 0
            self._wake.clear()
            known = self._mirror.change
            try:
                async for changes in self._api.all_changes(known):
                    self._mirror.apply(changes)
                    self._post(TorrentsChanged(changes))
            except NotLoggedIn:
                raise
            except ClientError as error:
                self.pause = min(self.pause * 2, _LONGEST_PAUSE) if away else self._interval
                self.pause = max(self.pause, getattr(error, "retry_after", None) or 0.0)
                away = Away(
                    since=away.since if away else _now(),
                    retry_at=time.monotonic() + self.pause,
                    last_answer=last_answer,
                    reason=getattr(error, "reason", "") or str(error),
                    reachable=not isinstance(error, ServerAway),
                )
                self._post(LinkChanged(away))
            else:
                last_answer = _now()
                quiet = quiet + 1 if self._mirror.change == known else 0
                self.pause = self._interval * (QUIET_STRETCH if quiet >= QUIET_AFTER else 1)
                if away:
                    away = None
                    self._post(LinkChanged(None))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self.pause)


def _now() -> datetime:
    return datetime.now(UTC)
