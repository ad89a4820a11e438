"""qBittorrent 4.5 to 5.3 as an `Engine`, over its Web API. The only module that imports qbittorrentapi."""

import logging
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar, cast

import qbittorrentapi

from torrents.engines.base import (
    EngineError,
    EngineFile,
    EngineTorrent,
    Snapshot,
    SwarmCounts,
    TorrentRejected,
)
from torrents.engines.infohashes import Infohashes, infohashes_of_magnet, infohashes_of_metainfo
from torrents.engines.qbittorrent_replies import file_of, path_of, receive, status_of, torrent_of, version_of
from torrents.engines.qbittorrent_swarm import swarm_counts

logger = logging.getLogger(__name__)

T = TypeVar("T")

# What reading an answer raises where it is not of the form that it should have.
NONSENSE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
# Five bad logins ban our address, with every other local client, for an hour. So once refused, try again only when
# a ban is certainly over.
LOGIN_PAUSE_SECONDS = 3660.0
# What an add needs until the torrent shows: qBittorrent answers before libtorrent has taken it.
APPEARS_SECONDS = 2.0


class QBittorrentEngine:
    """One session with one qBittorrent. `url` is its Web API's, `timeout` in seconds bounds each wait for it.

    Not for several threads at once. After a refused login it stays away for LOGIN_PAUSE_SECONDS.
    """

    def __init__(self, url: str, username: str, password: str, timeout: float = 10.0) -> None:
        self._url = url
        self._client = qbittorrentapi.Client(
            host=url,
            username=username,
            password=password,
            FORCE_SCHEME_FROM_HOST=True,
            SIMPLE_RESPONSES=True,
            # Empty proxies: whatever the environment says about them is not meant for this connection.
            REQUESTS_ARGS={
                "timeout": timeout,
                "allow_redirects": False,
                "proxies": {"http": "", "https": ""},
                "stream": True,  # `_receive` reads the body
                "hooks": {"response": _receive},
            },
            HTTPADAPTER_ARGS={"max_retries": 0},
        )
        self._login_not_before = 0.0  # time.monotonic()
        self._refusal = EngineError("")
        self._version = ""
        self._response_id = 0  # of sync/maindata: what we have seen; 0 asks for everything
        self._entries: dict[str, dict[str, Any]] = {}  # by key, merged from all replies
        self._server: dict[str, Any] = {}
        self._torrents: dict[str, EngineTorrent] = {}
        # Of magnets that turn out to be hybrids when their metadata arrives, and then have another key.
        self._passing_keys: set[str] = set()

    def poll(self) -> Snapshot:
        if not self._version:
            self._version = self._ask("tell its version", lambda: version_of(self._client.app_version()))
        self._ask("list torrents", self._renew_session_over_changed_keys)
        return self._ask("report", self._next_snapshot)

    def add(self, *, metainfo: bytes | None, magnet: str | None, save_path: str, stopped: bool) -> None:
        if metainfo is not None and magnet is None:
            wanted = infohashes_of_metainfo(metainfo)
        elif magnet is not None and metainfo is None:
            wanted = infohashes_of_magnet(magnet)
        else:
            raise TorrentRejected("A torrent is added from either a .torrent or a magnet.")

        def post() -> bool:
            try:
                reply = self._client.torrents_add(
                    urls=magnet,
                    torrent_files=metainfo,
                    save_path=save_path,
                    # A magnet must run to find its metadata; it is the condition that stops it there.
                    is_stopped=stopped and magnet is None,
                    stop_condition="MetadataReceived" if magnet is not None else None,
                    use_auto_torrent_management=False,
                    use_download_path=False,
                    content_layout="Original",
                )
            except qbittorrentapi.Conflict409Error:  # a duplicate, since 5.2
                return False
            except (qbittorrentapi.HTTP400Error, qbittorrentapi.HTTP415Error) as error:
                raise TorrentRejected(f"The download engine does not take it: {_reason(error)}") from error
            return reply != "Fails."  # a duplicate, until 5.1

        # Look first: a duplicate add merges trackers into the one that is there, or can push it out.
        known = {
            key
            for key, torrent in self._torrents.items()
            if wanted.match(torrent.infohash_v1, torrent.infohash_v2)
        }
        if self._holds(wanted, save_path, among=known | wanted.keys()):
            return
        if self._ask("add a torrent", post):
            if magnet is not None and not wanted.v2:
                self._passing_keys |= wanted.v1
            return
        deadline = time.monotonic() + APPEARS_SECONDS
        while not self._holds(wanted, save_path, among=None):
            if time.monotonic() > deadline:
                raise TorrentRejected("The download engine does not take it and does not say why.")
            time.sleep(0.2)

    def start(self, keys: Collection[str]) -> None:
        if keys:
            self._ask("start torrents", lambda: self._client.torrents_start(torrent_hashes=list(keys)))

    def stop(self, keys: Collection[str]) -> None:
        if keys:
            self._ask("stop torrents", lambda: self._client.torrents_stop(torrent_hashes=list(keys)))

    def remove(self, keys: Collection[str], *, delete_data: bool) -> None:
        if keys:
            self._passing_keys.difference_update(keys)
            self._ask(
                "remove torrents",
                lambda: self._client.torrents_delete(delete_files=delete_data, torrent_hashes=list(keys)),
            )

    def files(self, key: str) -> tuple[EngineFile, ...]:
        def get() -> tuple[EngineFile, ...]:
            entries = cast("list[dict[str, Any]]", self._client.torrents_files(torrent_hash=key))
            return tuple(file_of(entry) for entry in entries)

        return self._ask("list a torrent's files", get)

    def export_metainfo(self, key: str) -> bytes:
        return self._ask("export a torrent", lambda: self._client.torrents_export(torrent_hash=key))

    def swarm(self, key: str) -> SwarmCounts:
        def get() -> SwarmCounts:
            found = cast("list[dict[str, Any]]", self._client.torrents_trackers(torrent_hash=key))
            return swarm_counts(found, self._entries.get(key, {}))

        return self._ask("list a torrent's trackers", get)

    def recheck(self, keys: Collection[str]) -> None:
        if keys:
            self._ask("check torrents", lambda: self._client.torrents_recheck(torrent_hashes=list(keys)))

    def set_limits(self, keys: Collection[str], *, download: int | None, upload: int | None) -> None:
        if keys:

            def post() -> None:
                self._client.torrents_set_download_limit(limit=download or 0, torrent_hashes=list(keys))
                self._client.torrents_set_upload_limit(limit=upload or 0, torrent_hashes=list(keys))

            self._ask("limit torrents", post)

    def set_total_upload_limit(self, limit: int | None) -> None:
        self._ask("limit uploads", lambda: self._client.transfer_set_upload_limit(limit=limit or 0))

    def set_sequential(self, keys: Collection[str], *, sequential: bool) -> None:
        if not keys:
            return

        def toggle() -> None:
            # It can only be toggled, and a snapshot lags behind: ask how it is right now.
            entries = cast("list[dict[str, Any]]", self._client.torrents_info(torrent_hashes=list(keys)))
            others = [str(entry["hash"]) for entry in entries if entry["seq_dl"] != sequential]
            if others:
                self._client.torrents_toggle_sequential_download(torrent_hashes=others)

        self._ask("download in sequence", toggle)

    def set_wanted_files(self, key: str, indexes: Collection[int] | None) -> None:
        differing = self._differing_files(key, indexes)
        if not differing:
            return

        def post() -> None:
            # What becomes wanted goes first: a torrent that wants nothing for a moment would count as complete.
            for wanted in (True, False):
                if some := [file.index for file in differing if file.wanted != wanted]:
                    self._client.torrents_file_priority(torrent_hash=key, file_ids=some, priority=int(wanted))

        self._ask("choose files", post)
        if self._differing_files(key, indexes):
            raise EngineError("qBittorrent did not take the choice of files.")

    def add_trackers(self, key: str, urls: Collection[str]) -> None:
        def post() -> None:
            found = cast("list[dict[str, Any]]", self._client.torrents_trackers(torrent_hash=key))
            known = {entry["url"] for entry in found}
            if missing := [url for url in urls if url not in known]:
                self._client.torrents_add_trackers(torrent_hash=key, urls=missing)

        self._ask("add trackers", post)

    def close(self) -> None:
        if self._version:  # else there is hardly a session to end, and perhaps nobody who answers
            try:
                self._client.auth_log_out()
            except qbittorrentapi.APIError as error:
                logger.debug("qBittorrent's session was not ended: %s", error)
        # The library closes its sockets only when collected as garbage, which warns about them.
        self._client._trigger_session_initialization()

    def _renew_session_over_changed_keys(self) -> None:
        """Since 5.0 the engine crashes when it is asked for what changed and one of that has another key since.

        What changed is kept per session, so a new one is safe (qbittorrent/qBittorrent#23833).
        """
        if not self._passing_keys or not self._response_id:
            return
        entries = self._client.torrents_info(torrent_hashes=list(self._passing_keys))
        if len(entries) < len(self._passing_keys):
            self._client.auth_log_out()
            self._response_id = 0

    def _next_snapshot(self) -> Snapshot:
        """Ask for what changed, and bring our picture up to date with it."""
        data = cast("dict[str, Any]", self._client.sync_maindata(rid=self._response_id))
        full = bool(data.get("full_update", False))
        if full:
            self._entries, self._server = {}, {}
        torrents = {} if full else dict(self._torrents)
        for key in data.get("torrents_removed", ()):
            self._entries.pop(key, None)
            torrents.pop(key, None)
        changed = set()
        for key, news in data.get("torrents", {}).items():
            entry = self._entries.setdefault(key, {})
            entry.update(news)
            # 5.x never reports a hybrid's v1 key as removed once its metadata has given it another.
            former = entry["infohash_v1"]
            if former != key and self._entries.get(former, {}).get("save_path") == entry["save_path"]:
                del self._entries[former]
                torrents.pop(former, None)
            torrent = torrent_of(key, entry)
            if full or torrents.get(key) != torrent:
                changed.add(key)
            torrents[key] = torrent
        self._server.update(data.get("server_state", {}))
        snapshot = Snapshot(
            torrents=MappingProxyType(torrents),
            changed=frozenset(changed),
            removed=frozenset(self._torrents.keys() - torrents.keys()),
            status=status_of(self._server, self._version),
            resynced=full,
        )
        if full and self._response_id:
            self._version = ""  # it was restarted, so ask again: it may be another one by now
        self._response_id = int(data["rid"])
        self._torrents = torrents
        self._passing_keys = {
            key
            for key, torrent in torrents.items()
            if not torrent.has_metadata and torrent.infohash_v2 is None
        }
        return snapshot

    def _differing_files(self, key: str, indexes: Collection[int] | None) -> list[EngineFile]:
        """Those that are wanted and shall not be, or the other way round."""
        chosen = None if indexes is None else frozenset(indexes)
        files = self.files(key)
        if not files:
            raise EngineError("qBittorrent does not know this torrent's files yet.")
        return [
            file
            for file in files
            if file.wanted != (chosen is None or file.index in chosen or file.size == 0)
        ]

    def _holds(self, wanted: Infohashes, save_path: str, *, among: Collection[str] | None) -> bool:
        """Whether the engine has it at this path, looking among these keys or (slowly) among all."""
        hashes = None if among is None else list(among)

        def look() -> set[str]:
            entries = cast("list[dict[str, Any]]", self._client.torrents_info(torrent_hashes=hashes))
            return {
                path_of(entry["save_path"])
                for entry in entries
                if wanted.match(entry["infohash_v1"], entry["infohash_v2"])
            }

        held_at = self._ask("list torrents", look)
        if elsewhere := held_at - {path_of(save_path)}:
            logger.warning("A torrent wanted in %s is held in %s.", save_path, elsewhere)
            raise TorrentRejected(
                "The download engine already holds this torrent in another folder. "
                "An admin has to remove it there first."
            )
        return bool(held_at)

    def _ask(self, what: str, call: Callable[[], T]) -> T:
        """One call of the library; whatever fails in it becomes an EngineError."""
        if time.monotonic() < self._login_not_before:
            raise self._refusal
        try:
            return call()
        except qbittorrentapi.LoginFailed:
            raise self._stay_away(
                f"qBittorrent at {self._url} refused the user name or the password. "
                "Set QBITTORRENT_USERNAME and QBITTORRENT_PASSWORD to what it expects."
            ) from None
        except qbittorrentapi.Forbidden403Error:
            # The library has tried one new login by now, so this is what the login got.
            raise self._stay_away(
                f"qBittorrent at {self._url} has banned this address after too many failed logins. "
                "It forgets that after an hour, or when it is restarted."
            ) from None
        except qbittorrentapi.HTTPError as error:
            raise EngineError(f"qBittorrent refused to {what}: {_reason(error)}") from error
        except qbittorrentapi.APIConnectionError as error:
            self._forget_session()
            raise EngineError(f"qBittorrent at {self._url} does not answer.") from error
        except (qbittorrentapi.APIError, *NONSENSE) as error:
            self._forget_session()
            raise EngineError(
                f"qBittorrent at {self._url} gave an answer that makes no sense: {error}",
                notice="The download engine gives answers that make no sense. It is asked again all the time; if this "
                "stays, tell your admin.",
            ) from error

    def _stay_away(self, refusal: str) -> EngineError:
        self._forget_session()
        self._login_not_before = time.monotonic() + LOGIN_PAUSE_SECONDS
        again = datetime.now(UTC) + timedelta(seconds=LOGIN_PAUSE_SECONDS)
        self._refusal = EngineError(
            f"{refusal} The next attempt is at {again:%H:%M} UTC, or when run_engine is started anew.",
            permanent=True,
            notice="The download engine does not let the box log in. An admin has to look at it; the next attempt is "
            f"at {again:%H:%M} UTC.",
        )
        return self._refusal

    def _forget_session(self) -> None:
        """The next poll asks for everything. What the last one gave stays, to tell what is gone by then."""
        self._response_id = 0
        self._version = ""


def _receive(response: Any, **kwargs: Any) -> None:
    """requests' hook for every answer, before anybody looks at it."""
    try:
        receive(response)
    except ValueError as error:
        raise qbittorrentapi.APIError(str(error)) from error


def _reason(error: qbittorrentapi.HTTPError) -> str:
    first_line = str(error).strip().partition("\n")[0]
    return first_line[:200] or f"HTTP {error.http_status_code}"
