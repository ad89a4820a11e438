"""A torrent proxy in a thread, for tests and for looking at the client by hand (see `demo_server`).

It speaks the HTTP contract with real sockets: rotating refresh tokens, changes, Range, If-Range and ETag. Its
attributes are the ways in which a real server and the network between fail.
"""

import hashlib
import re
import ssl
import threading
import time
import uuid
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from tui_client.tests.fake_account import limits, me, usage
from tui_client.tests.fake_feeds import FakeFeeds
from tui_client.tests.fake_watchlist import FakeWatchlist
from tui_client.tests.fake_wire import Problem, Request, Wire

SLOWLY = 0.3  # a `chunk_delay` that takes long enough for a test to look at the progress
HELD = 600.0  # a `chunk_delay` that holds a transfer after its first chunk, until the test lets it go on


NO_WISHES: dict[str, Any] = {
    "label": "",
    "waits_for": "",
    "sequential": False,
    "download_limit": None,
    "upload_limit": None,
    "seed_ratio": None,
    "seed_seconds": None,
    "handed_over": 0,
}
NO_COUNTS: dict[str, Any] = {
    "message": "",
    **dict.fromkeys(("trackers_working", "trackers_failing", "trackers_waiting")),
    **dict.fromkeys(("known_seeds", "known_peers", "availability", "checked_at", "age")),
    "connected_seeds": 0,
    "connected_peers": 0,
}


@dataclass
class FakeTorrent:
    fields: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)
    unwanted: set[int] = field(default_factory=set)  # indexes of files
    history: list[dict[str, Any]] = field(default_factory=list)  # the latest first
    swarm: dict[str, Any] = field(default_factory=dict)  # what differs from a swarm that was not asked yet

    @property
    def id(self) -> str:
        return str(self.fields["id"])


class FakeServer:
    """Start with `with FakeServer() as server`; change its attributes at any time."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.password = "secret"
        self.torrents: dict[str, FakeTorrent] = {}
        self.removed: dict[str, int] = {}
        self.deleted: dict[str, FakeTorrent] = {}  # can be taken back
        self.change = 0
        self.away = False  # every request is answered with 503
        self.trouble = ""  # what is wrong with its engine
        self.silent = False  # every connection is closed without an answer
        self.hashes_known = True
        self.failing: set[str] = set()  # torrents whose content is answered with 500
        self.ignores_range = False
        self.version = "1"  # part of the ETag; empty: none is sent
        self.cut_after: list[int] = []  # each content answer takes one: closed after so many bytes
        self.damaged_answers = 0  # so many content answers have a wrong byte
        self.chunk_delay = 0.0  # seconds between 64 KiB of content; 0 also ends a delay that is under way
        self.hold_after: int | None = None  # bytes of a content answer; the rest waits until this is None
        self.refresh_delay = 0.0
        self.page_size = 200
        self.refuse_add: Problem | None = None
        self.redirect_to = ""
        self.extra_fields: dict[str, Any] = {}
        self.is_old = (
            False  # without labels, chosen files, limits, history, counts of the swarm, feeds and shows
        )
        self.feeds = FakeFeeds()
        self.watchlist = FakeWatchlist()
        self.refuse_change: Problem | None = None
        self.limits = limits()
        self.usage: dict[str, Any] | None = usage()  # None: a server that has limits, and no more to tell
        self.has_links = False
        self.sftp: dict[str, Any] | None = None  # what GET server/ says of it
        self.sessions: list[dict[str, Any]] = []  # none: a server that does not list them
        # What it saw:
        self.logins: list[dict[str, str]] = []
        self.secrets = 0  # transfer credentials made
        self.requests: list[tuple[str, str, Message]] = []
        self.added: list[tuple[str, bytes]] = []
        self.changed: list[dict[str, Any]] = []  # wishes
        self.refreshes = 0
        self.rejected_refreshes = 0
        self.content_starts: list[int] = []  # offsets of the content answers
        self._access: set[str] = set()
        self._refresh: set[str] = set()
        self._lock = threading.RLock()
        self._scheme = "https" if tls else "http"
        self._http = Wire(self)
        if tls:
            # The handshake happens with the first read, in the connection's own thread.
            self._http.socket = tls.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))

    def __enter__(self) -> "FakeServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.chunk_delay, self.hold_after = 0, None
        self._http.shutdown()
        self._thread.join()
        self._http.stop()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._http.server_address[1]}"

    def add_torrent(
        self, name: str, files: dict[str, bytes] | None = None, *, state: str = "finished", **fields: Any
    ) -> FakeTorrent:
        size = sum(len(data) for data in files.values()) if files else 1_000_000
        done = state == "finished"
        torrent = FakeTorrent(
            {
                "id": str(uuid.uuid4()),
                "name": name,
                "state": state,
                "message": "",
                "progress": 1.0 if done else 0.25,
                "size": size,
                "downloaded": size if done else size // 4,
                "uploaded": 0,
                "download_speed": 0,
                "upload_speed": 0,
                "eta": None,
                "seeds": 0,
                "peers": 0,
                "infohash_v1": hashlib.sha1(name.encode("utf-8", "replace")).hexdigest(),
                "infohash_v2": None,
                "private": False,
                "origin": "user",
                **NO_WISHES,
                "added_at": f"2026-01-01T00:{len(self.torrents) // 60:02}:{len(self.torrents) % 60:02}Z",
                "completed_at": "2026-01-02T00:00:00Z" if done else None,
                **fields,
            },
            files or {},
        )
        with self._lock:
            self.torrents[torrent.id] = torrent
        self.update(torrent.id)
        return torrent

    def update(self, torrent_id: str, **fields: Any) -> None:
        with self._lock:
            self.change += 1
            self.torrents[torrent_id].fields.update(fields, change=self.change)

    def remove(self, torrent_id: str) -> None:
        with self._lock:
            self.change += 1
            self.deleted[torrent_id] = self.torrents.pop(torrent_id)
            self.removed[torrent_id] = self.change

    def expire_access(self) -> None:
        self._access.clear()

    def end_sessions(self) -> None:
        self._access.clear()
        self._refresh.clear()

    def issue_tokens(self) -> dict[str, str]:
        with self._lock:
            access, refresh = f"access-{uuid.uuid4()}", f"refresh-{uuid.uuid4()}"
            self._access.add(access)
            self._refresh.add(refresh)
            return {"access": access, "refresh": refresh, "access_expires_at": "2026-01-01T00:10:00Z"}

    # --- the API; each returns (status, JSON)

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], request: Request
    ) -> tuple[int, Any]:
        with self._lock:
            match method, *path.strip("/").split("/"):
                case "POST", "session":
                    return self._log_in(request.json())
                case "POST", "session", "refresh":
                    return self._rotate(request.json())
                case "POST", "session", "logout":
                    self._refresh.discard(request.json()["refresh"])
                    return 204, None
                case "GET", "health":
                    engine = {"reachable": not self.trouble, "message": self.trouble, "checked_at": None}
                    return (
                        (503, {"status": "degraded", "engine": engine})
                        if self.trouble
                        else (
                            200,
                            {"status": "ok", "engine": engine},
                        )
                    )
            self.authorise(request)
            match method, *path.strip("/").split("/"):
                case "GET", "me":
                    return 200, me("alice")
                case method, *rest if not self.is_old and (answer := self._wishes(method, rest, request)):
                    return answer
                case method, *rest if answer := self._handover(method, rest):
                    return answer
                case method, *rest if not self.is_old and (
                    answer := self.feeds.answer(method, rest, query, request)
                    or self.watchlist.answer(method, rest, query, request)
                ):
                    return answer
                case "GET", "torrents":
                    return self._page(query)
                case "POST", "torrents":
                    return self._add(request)
                case "GET", "torrents", "changes":
                    return self._changes(int(query["since"][0]), int(query["limit"][0]))
                case "GET", "torrents", torrent_id:
                    return 200, self._find(torrent_id).fields
                case "DELETE", "torrents", torrent_id:
                    self._find(torrent_id)
                    self.remove(torrent_id)
                    return 204, None
                case "POST", "torrents", torrent_id, "restore" if torrent_id in self.deleted:
                    self.torrents[torrent_id] = self.deleted.pop(torrent_id)
                    self.removed.pop(torrent_id)
                    self.update(torrent_id)
                    return 200, self._find(torrent_id).fields
                case "POST", "torrents", torrent_id, "pause" | "resume" as verb:
                    self._find(torrent_id)
                    self.update(torrent_id, state="paused" if verb == "pause" else "downloading")
                    return 200, self._find(torrent_id).fields
                case "GET", "torrents", torrent_id, "files":
                    return 200, self._files(self._find(torrent_id))
        raise Problem(404, "not_found", "Not found.")

    def _handover(self, method: str, path: list[str]) -> tuple[int, Any] | None:
        """Links, SFTP and sessions, where this server has them."""
        soon = "2026-01-01T01:00:00Z"
        match method, *path:
            case "POST", "torrents", torrent_id, "links" if self.has_links:
                url = f"{self.url}/api/v1/links/{torrent_id}.zip?signature=abc"
                return 200, {"url": url, "expires_at": soon, "curl": f"curl -fOJL '{url}'"}
            case "GET", "server":
                return 200, {"sftp": self.sftp, "version": "1"}
            case "POST", "me", "transfer-credentials" if self.sftp:
                self.secrets += 1
                secret = f"transfer-secret-{self.secrets}"
                return 201, {
                    "id": 7,
                    "username": "alice",
                    "secret": secret,
                    "expires_at": soon,
                    "sftp": self.sftp,
                }
            case "GET", "me", "sessions" if self.sessions:
                return 200, self.sessions
            case "DELETE", "me", "sessions", *which if self.sessions:
                self.sessions = [
                    one for one in self.sessions if one["current"] or (which and one["id"] != which[0])
                ]
                return 204, None
        return None

    def _wishes(self, method: str, path: list[str], request: Request) -> tuple[int, Any] | None:
        """What torrents are to be like, and what became of them: not on an old server."""
        match method, *path:
            case "GET", "me", "limits":
                return 200, self.limits
            case "GET", "me", "usage" if self.usage is not None:
                return 200, {**self.usage, **self.limits}
            case "PATCH", "torrents", torrent_id:
                torrent, wishes = self._find(torrent_id), request.json()
                self.changed.append(dict(wishes))
                if self.refuse_change:
                    raise self.refuse_change
                if "files" in wishes:
                    wanted = wishes.pop("files")
                    known = range(len(torrent.files))
                    torrent.unwanted = set() if wanted is None else set(known) - set(wanted)
                self.update(torrent_id, **wishes)
                return 200, torrent.fields
            case "GET", "torrents", torrent_id, "history":
                return 200, {"next": None, "previous": None, "results": self._find(torrent_id).history}
            case "GET", "torrents", torrent_id, "swarm":
                return 200, {**NO_COUNTS, **self._find(torrent_id).swarm}
        return None

    def authorise(self, request: Request) -> None:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self._access:
            raise Problem(401, "token_not_valid", "Log in again.")

    def content(self, torrent_id: str, index: str) -> bytes:
        torrent = self._find(torrent_id)
        if torrent.fields["state"] != "finished":
            raise Problem(409, "not_finished", "This torrent is not finished yet.")
        return list(torrent.files.values())[int(index)]

    def _find(self, torrent_id: str) -> FakeTorrent:
        if torrent_id not in self.torrents:
            raise Problem(404, "not_found", "There is no such torrent.")
        return self.torrents[torrent_id]

    def _log_in(self, data: dict[str, str]) -> tuple[int, Any]:
        self.logins.append(data)
        if data["password"] != self.password:
            raise Problem(401, "no_active_account", "User name or password is wrong.")
        return 200, {**self.issue_tokens(), "user": me(data["username"])}

    def _rotate(self, data: dict[str, str]) -> tuple[int, Any]:
        time.sleep(self.refresh_delay)
        if data["refresh"] not in self._refresh:
            self.rejected_refreshes += 1
            raise Problem(401, "token_not_valid", "This session has ended.")
        self._refresh.remove(data["refresh"])
        self.refreshes += 1
        return 200, self.issue_tokens()

    def _page(self, query: dict[str, list[str]]) -> tuple[int, Any]:
        wanted = query.get("state")
        found = [torrent.fields for torrent in reversed(self.torrents.values())]
        found = [fields for fields in found if not wanted or fields["state"] in wanted]
        start = int(query.get("cursor", ["0"])[0])
        end = start + self.page_size
        following = f"http://elsewhere.example/torrents/?cursor={end}" if end < len(found) else None
        return 200, {"next": following, "previous": None, "results": found[start:end]}

    def _add(self, request: Request) -> tuple[int, Any]:
        if self.refuse_add:
            raise self.refuse_add
        if request.headers.get_content_type() == "multipart/form-data":
            self.added.append(("metainfo", request.body))
            match = re.search(rb'filename="([^"]+)"', request.body)
            assert match
            state = "paused" if b'name="paused"\r\n\r\ntrue' in request.body else "waiting"
            return 201, self.add_torrent(match[1].decode(), state=state).fields
        data = request.json()
        self.added.append(("source", data["source"].encode()))
        if "xt=urn:" not in data["source"] and not data["source"].startswith("http"):
            raise Problem(400, "invalid", "This magnet link has no infohash.", "source")
        state = "paused" if data["paused"] else "metadata"
        return 201, self.add_torrent(data["source"][:40], state=state, size=None).fields

    def _changes(self, since: int, limit: int) -> tuple[int, Any]:
        changed = sorted(
            (torrent.fields for torrent in self.torrents.values() if torrent.fields["change"] > since),
            key=lambda fields: fields["change"],
        )
        page = changed[:limit]
        more = len(changed) > limit
        return 200, {
            "change": page[-1]["change"] if more else self.change,
            "more": more,
            "reset": since > self.change,
            "torrents": [self._shown({**fields, **self.extra_fields}) for fields in page],
            "removed": [key for key, change in self.removed.items() if change > since and since > 0],
        }

    def _shown(self, fields: dict[str, Any]) -> dict[str, Any]:
        if not self.is_old:
            return fields
        return {name: value for name, value in fields.items() if name not in NO_WISHES}

    def _files(self, torrent: FakeTorrent) -> list[dict[str, Any]]:
        done = torrent.fields["state"] == "finished"
        base = f"/api/v1/torrents/{torrent.id}/files"
        return [
            {
                "index": index,
                "path": path,
                "size": len(data),
                "sha256": hashlib.sha256(data).hexdigest() if done and self.hashes_known else None,
                "content_url": f"{base}/{index}/content/" if done and index not in torrent.unwanted else None,
                **({} if self.is_old else {"wanted": index not in torrent.unwanted, "progress": float(done)}),
            }
            for index, (path, data) in enumerate(torrent.files.items())
        ]
