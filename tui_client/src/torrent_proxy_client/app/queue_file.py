"""The unfinished transfers of one user on one server, kept in a file so that they outlive the app."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from torrent_proxy_client.files import read_json_object, write_json


@dataclass(frozen=True, slots=True)
class Queued:
    torrent: str  # id
    name: str
    paused: bool = False  # by the person


class QueueFile:
    """`queue-….json` in `directory`; nothing in it is secret, but what somebody fetches is nobody's business."""

    def __init__(self, directory: Path, server: str, username: str) -> None:
        digest = hashlib.sha256(f"{server}\n{username}".encode()).hexdigest()[:16]
        self._path = directory / f"queue-{digest}.json"
        self._server = server
        self._username = username

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
