"""Downloads to this machine. They belong to the App, outlive every screen, and the queue outlives the App."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from torrent_proxy_client import words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.app.queue_file import Queued, QueueFile
from torrent_proxy_client.download import Download, Fetched, Progress
from torrent_proxy_client.errors import BadAnswer, ClientError, NothingArrived, NotLoggedIn, ServerAway
from torrent_proxy_client.models import Torrent
from torrent_proxy_client.partfile import Conflict
from torrent_proxy_client.routes import Route

_AT_ONCE = 2
_PATIENCE = 60.0  # seconds without a byte after which the turn goes to another transfer
_BETWEEN_TURNS = 30.0  # seconds that one which got nowhere lets the others go first


class Phase(Enum):
    WAITING = auto()  # for its turn
    RUNNING = auto()
    AWAY = auto()  # waits for the network or the server, for as long as it takes
    DONE = auto()
    PAUSED = auto()  # by the person; what has arrived is kept
    LOGGED_OUT = auto()  # goes on after logging in again
    FAILED = auto()

    @property
    def active(self) -> bool:
        return self in (Phase.WAITING, Phase.RUNNING, Phase.AWAY)

    @property
    def finished(self) -> bool:
        return self in (Phase.DONE, Phase.FAILED)


@dataclass(slots=True)
class Transfer:
    torrent: Torrent
    username: str
    server: str
    phase: Phase = Phase.WAITING
    progress: Progress | None = None
    sentence: str = ""  # how it ended, or why it waits
    route: Route | None = field(default=None, repr=False)  # what it learned about the network
    path: Path | None = None  # the file or the folder, once it is done
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return words.clean(self.torrent.name) or self.torrent.id

    def is_of(self, api: ApiClient) -> bool:
        return (self.server, self.username) == (api.server, api.session.username)


class Transfers:
    """One per torrent at most; `all` is in the order they were last started.

    `changed` is called when one begins, waits or ends. The queue of each user is written to `state` with every
    such change, so that after a crash nothing is forgotten. `conflict` holds for what starts from now on.
    """

    def __init__(
        self,
        directory: Path,
        state: Path,
        changed: Callable[[Transfer], None],
        *,
        conflict: Conflict = Conflict.KEEP_BOTH,
    ) -> None:
        self.directory = directory
        self.conflict = conflict
        self.trouble = ""  # why the queue cannot be kept
        self.elsewhere = ""  # that another window runs the queue, as a sentence
        self._state = state
        self._changed = changed
        self._by_torrent: dict[str, Transfer] = {}
        self._files: dict[tuple[str, str], QueueFile] = {}
        self._kept: dict[tuple[str, str], list[Queued]] = {}  # what the files say
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._network = asyncio.Event()
        self._leaving = False

    @property
    def all(self) -> list[Transfer]:
        return list(self._by_torrent.values())

    @property
    def active(self) -> list[Transfer]:
        return [transfer for transfer in self.all if transfer.phase.active]

    def get(self, torrent_id: str) -> Transfer | None:
        return self._by_torrent.get(torrent_id)

    def take_over(self, api: ApiClient) -> bool:
        """Make the queue of the user who is logged in ours; False while another window of theirs runs it.

        What that window leaves behind goes on here.
        """
        owner = (api.server, api.session.username)
        try:
            ours = self._queue_file(*owner).own()
        except OSError as error:
            self._cannot_keep(error)
            ours = True  # then nobody can keep it
        left_behind = ours and bool(self.elsewhere)
        self.elsewhere = "" if ours else _ELSEWHERE
        if left_behind:
            self.restore(api)
        if not ours:
            for transfer in self.all:
                if transfer.is_of(api):
                    del self._by_torrent[transfer.torrent.id]
        return ours

    def restore(self, api: ApiClient) -> int:
        """Take over the queue of an earlier run, for the user who is logged in; returns how many go on."""
        going_on = 0
        for queued in self._queue_file(api.server, api.session.username).load():
            if queued.torrent in self._by_torrent:
                continue
            torrent = Torrent.from_json({"id": queued.torrent, "name": queued.name})
            if queued.paused:
                paused = Transfer(torrent, api.session.username, api.server, Phase.PAUSED, sentence=_PAUSED)
                self._by_torrent[torrent.id] = paused
            else:
                going_on += self.start(api, torrent)
        return going_on

    def start(self, api: ApiClient, torrent: Torrent) -> bool:
        """Fetch a finished torrent, or go on fetching it; False when that is under way already."""
        previous = self._by_torrent.pop(torrent.id, None)
        if previous and previous.phase.active:
            self._by_torrent[torrent.id] = previous
            return False
        transfer = Transfer(torrent, api.session.username, api.server)
        self._by_torrent[torrent.id] = transfer
        transfer.task = asyncio.create_task(self._run(api, transfer, previous.task if previous else None))
        self._keep(transfer)
        return True

    def pause(self, transfer: Transfer) -> None:
        if transfer.task and transfer.phase.active:
            transfer.task.cancel()
            self._enter(transfer, Phase.PAUSED, _PAUSED)

    def forget(self, transfer: Transfer) -> None:
        """Take it out of the queue; what has arrived stays where it is, and fetching again goes on."""
        self.pause(transfer)
        self._by_torrent.pop(transfer.torrent.id, None)
        self._keep(transfer)

    def clear_finished(self) -> int:
        finished = [transfer for transfer in self.all if transfer.phase.finished]
        for transfer in finished:
            self.forget(transfer)
        return len(finished)

    def network_is_back(self) -> None:
        """Something was answered: whoever waits for that tries again at once."""
        self._network.set()
        self._network = asyncio.Event()

    async def leave(self) -> None:
        """Stop for now: what is unfinished stays in the queue. Returns when every part is written and closed."""
        self._leaving = True
        for transfer in self.active:
            if transfer.task:
                transfer.task.cancel()
            transfer.phase, transfer.sentence = Phase.LOGGED_OUT, _LOGGED_OUT
        tasks = [transfer.task for transfer in self.all if transfer.task]
        await asyncio.gather(*tasks, return_exceptions=True)
        for file in self._files.values():
            file.release()
        self._kept.clear()  # another window may write them now
        self._leaving = False

    def go_on(self, api: ApiClient) -> None:
        """After logging in: continue what the end of the session interrupted."""
        for transfer in self.all:
            if transfer.phase is Phase.LOGGED_OUT and transfer.is_of(api):
                self.start(api, transfer.torrent)

    async def _run(self, api: ApiClient, transfer: Transfer, previous: asyncio.Task[None] | None) -> None:
        if previous:
            await asyncio.wait([previous])  # paused, but its part may not be closed yet
        try:
            while not await self._attempt(api, transfer):
                await self._network_or(_BETWEEN_TURNS)
                self._enter(transfer, Phase.WAITING, "")
        except NotLoggedIn:
            self._enter(transfer, Phase.LOGGED_OUT, _LOGGED_OUT)
        except ClientError as error:
            self._enter(transfer, Phase.FAILED, words.clean(str(error)))
        except Exception as error:
            self._enter(transfer, Phase.FAILED, words.clean(f"Something went wrong: {error!r}"))
            raise

    async def _attempt(self, api: ApiClient, transfer: Transfer) -> bool:
        """One turn; False when nothing arrived for so long that others should have theirs."""

        def follow(progress: Progress) -> None:
            transfer.progress = progress
            phase = Phase.AWAY if progress.away else Phase.RUNNING
            if phase is not transfer.phase and transfer.phase.active:
                self._enter(transfer, phase, progress.note)

        async with self._turns:
            self._enter(transfer, Phase.RUNNING, "")
            transfer.route = transfer.route or Route(api, transfer.torrent)
            download = Download(
                api,
                transfer.torrent,
                self.directory,
                on_progress=follow,
                conflict=self.conflict,
                patience=_PATIENCE,
                sleep=self._network_or,
                route=transfer.route,
            )
            try:
                fetched = await download.run()
            except (NothingArrived, ServerAway, BadAnswer) as error:
                self._enter(transfer, Phase.AWAY, words.clean(str(error.__cause__ or error)))
                return False
        transfer.path, sentence = _outcome(fetched, self.directory)
        self._enter(transfer, Phase.DONE, sentence)
        return True

    async def _network_or(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._network.wait(), seconds)

    def _enter(self, transfer: Transfer, phase: Phase, sentence: str) -> None:
        transfer.phase, transfer.sentence = phase, sentence
        if self._by_torrent.get(transfer.torrent.id) is transfer and not self._leaving:
            self._keep(transfer)
            self._changed(transfer)

    def _keep(self, changed: Transfer) -> None:
        """Write the queue that `changed` belongs to."""
        queue = [
            Queued(transfer.torrent.id, transfer.torrent.name, transfer.phase is Phase.PAUSED)
            for transfer in self.all
            if (transfer.server, transfer.username) == (changed.server, changed.username)
            and transfer.phase is not Phase.DONE
        ]
        owner = (changed.server, changed.username)
        if self._kept.get(owner) == queue:
            return
        try:
            self._queue_file(*owner).save(queue)
        except OSError as error:
            self._cannot_keep(error)
        else:
            self.trouble = ""
            self._kept[owner] = queue

    def _cannot_keep(self, error: OSError) -> None:
        self.trouble = f"The queue cannot be kept in {self._state}: {error.strerror}."

    def _queue_file(self, server: str, username: str) -> QueueFile:
        owner = (server, username)
        return self._files.setdefault(owner, QueueFile(self._state, server, username))


_PAUSED = "Paused. What has arrived is kept; press f to go on."
_ELSEWHERE = (
    "Transfers run in the other window of torrent-proxy. Fetch there; or close it, and press f here to go on."
)
_LOGGED_OUT = "Waits until you are logged in again."


def _outcome(fetched: tuple[Fetched, ...], directory: Path) -> tuple[Path, str]:
    """Where it is, and the sentence with what was checked."""
    paths = [file.path for file in fetched]
    # Several files lie in one folder, or a person's link led them apart: then the directory says enough.
    root = paths[0]
    if len(paths) > 1:
        below = paths[0].relative_to(directory.expanduser().resolve()).parts
        root = directory.expanduser().resolve() / below[0] if len(below) > 1 else directory
    if skipped := sum(file.skipped for file in fetched):
        what = words.count(skipped, "file")
        return root, words.clean(f"Here already, {what} left as before: {root}")
    if all(file.already_here for file in fetched):
        return root, words.clean(f"Already here: {root}")
    checked = (
        "SHA-256 verified" if all(file.verified for file in fetched) else "only the size could be checked"
    )
    if any(file.by_sftp for file in fetched):
        checked += ", by SFTP"
    return root, words.clean(f"{root} ({checked})")
