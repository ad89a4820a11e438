"""Downloads to this machine. They belong to the App and outlive every screen."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.download import Download, Fetched, Progress
from torrent_proxy_client.errors import ClientError, NotLoggedIn
from torrent_proxy_client.models import Torrent

_AT_ONCE = 2


class Phase(Enum):
    WAITING = auto()  # for its turn
    RUNNING = auto()
    DONE = auto()
    STOPPED = auto()  # by the person; what has arrived is kept
    LOGGED_OUT = auto()  # goes on after logging in again
    FAILED = auto()

    @property
    def active(self) -> bool:
        return self in (Phase.WAITING, Phase.RUNNING)


@dataclass(slots=True)
class Transfer:
    torrent: Torrent
    username: str
    server: str
    phase: Phase = Phase.WAITING
    progress: Progress | None = None
    sentence: str = ""  # how it ended
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return words.clean(self.torrent.name) or self.torrent.id


class Transfers:
    """One per torrent at most; `all` is in the order they were last started."""

    def __init__(self, directory: Path, on_end: Callable[[Transfer], None]) -> None:
        self.directory = directory
        self._on_end = on_end
        self._by_torrent: dict[str, Transfer] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    @property
    def all(self) -> list[Transfer]:
        return list(self._by_torrent.values())

    @property
    def active(self) -> list[Transfer]:
        return [transfer for transfer in self.all if transfer.phase.active]

    def get(self, torrent_id: str) -> Transfer | None:
        return self._by_torrent.get(torrent_id)

    def start(self, api: ApiClient, torrent: Torrent) -> bool:
        """Fetch a finished torrent, or go on fetching it; False when that is under way already."""
        previous = self._by_torrent.pop(torrent.id, None)
        if previous and previous.phase.active:
            self._by_torrent[torrent.id] = previous
            return False
        transfer = Transfer(torrent, api.session.username, api.server)
        self._by_torrent[torrent.id] = transfer
        transfer.task = asyncio.create_task(self._run(api, transfer, previous.task if previous else None))
        return True

    def stop(self, transfer: Transfer) -> None:
        if transfer.task and transfer.phase.active:
            transfer.task.cancel()
            self._end(transfer, Phase.STOPPED, "Stopped. What has arrived is kept; press f to go on.")

    async def stop_all(self) -> None:
        """Returns when every part is written and closed."""
        for transfer in self.active:
            self.stop(transfer)
        tasks = [transfer.task for transfer in self.all if transfer.task]
        await asyncio.gather(*tasks, return_exceptions=True)

    def go_on(self, api: ApiClient) -> None:
        """After logging in: continue what the end of the session interrupted."""
        for transfer in self.all:
            same_user = (transfer.server, transfer.username) == (api.server, api.session.username)
            if transfer.phase is Phase.LOGGED_OUT and same_user:
                self.start(api, transfer.torrent)

    async def _run(self, api: ApiClient, transfer: Transfer, previous: asyncio.Task[None] | None) -> None:
        def keep(progress: Progress) -> None:
            transfer.progress = progress

        if previous:
            await asyncio.wait([previous])  # stopped, but its part may not be closed yet
        try:
            async with self._turns:
                transfer.phase = Phase.RUNNING
                fetched = await Download(api, transfer.torrent, self.directory, on_progress=keep).run()
        except NotLoggedIn:
            self._end(transfer, Phase.LOGGED_OUT, "Waits until you are logged in again.")
        except ClientError as error:
            self._end(transfer, Phase.FAILED, words.clean(str(error)))
        else:
            self._end(transfer, Phase.DONE, _outcome(fetched, self.directory))

    def _end(self, transfer: Transfer, phase: Phase, sentence: str) -> None:
        transfer.phase, transfer.sentence = phase, sentence
        self._on_end(transfer)


def _outcome(fetched: tuple[Fetched, ...], directory: Path) -> str:
    """Where it is and what was checked."""
    paths = [file.path for file in fetched]
    # Several files lie in one folder, or a person's link led them apart: then the directory says enough.
    root = paths[0]
    if len(paths) > 1:
        below = paths[0].relative_to(directory.expanduser().resolve()).parts
        root = directory.expanduser().resolve() / below[0] if len(below) > 1 else directory
    if all(file.already_here for file in fetched):
        return words.clean(f"Already here: {root}")
    checked = (
        "SHA-256 verified" if all(file.verified for file in fetched) else "only the size could be checked"
    )
    return words.clean(f"{root} ({checked})")
