"""The unfinished transfers of one user on one server, kept in a file so that they outlive the app."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from torrent_proxy_client.files import make_private_directory, read_json_object, write_json
from torrent_proxy_client.locks import try_lock


@dataclass(frozen=True, slots=True)
class Queued:
    torrent: str  # id
    name: str
    paused: bool = False  # by the person


class QueueFile:
    """`queue-….json` in `directory`; nothing in it is secret, but what somebody fetches is nobody's business.

    One process owns it at a time: the one that has the lock of `queue-….lock`, until `release` or its end.
    """

    def __init__(self, directory: Path, server: str, username: str) -> None:
        digest = hashlib.sha256(f"{server}\n{username}".encode()).hexdigest()[:16]
        self._path = directory / f"queue-{digest}.json"
        self._server = server
        self._username = username
        self._lock: int | None = None

    def own(self) -> bool:
        """Whether it is ours from now on; False while another process has it. Raises OSError."""
        if self._lock is None:
            make_private_directory(self._path.parent)
            lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
            if not try_lock(lock):
                os.close(lock)
                return False
            self._lock = lock
        return True

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def load(self) -> list[Queued]:
        """What can be understood of it, in order."""
        items = read_json_object(self._path).get("transfers")
        queue = []
        for item in items if isinstance(items, list) else []:
            match item:
                case {"torrent": str(torrent), "name": str(name), "paused": bool(paused)}:
                    queue.append(Queued(torrent, name, paused))
        return queue

    def save(self, queue: Iterable[Queued]) -> None:
        """Raises OSError."""
        transfers = [asdict(queued) for queued in queue]
        write_json(self._path, {"server": self._server, "username": self._username, "transfers": transfers})
