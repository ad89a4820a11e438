"""The server's API as Python methods. Every method raises ClientError and nothing else (see `errors`)."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, NoReturn, Self
from urllib.parse import quote

from torrent_proxy_client.errors import BadAnswer, NotFinished, NotLoggedIn, Refused, ServerAway
from torrent_proxy_client.feed_calls import FeedCalls
from torrent_proxy_client.handover import DeviceSession, Link, SftpServer, TransferCredentials, many
from torrent_proxy_client.mirror import Mirror
from torrent_proxy_client.models import Changes, Health, Me, Tokens, Torrent, TorrentFile
from torrent_proxy_client.paging import Page
from torrent_proxy_client.reports import Event, Swarm, TorrentHistory, Usage
from torrent_proxy_client.session import MemorySessionStore, Session, SessionStore
from torrent_proxy_client.transport import Answer, Stream, Transport
from torrent_proxy_client.watchlist_calls import WatchlistCalls

_LOG_IN_AGAIN = "Your session has ended. Log in again."


class ApiClient:
    """One user on one server; use it as `async with ApiClient(url, store=…) as api`.

    An expired access token is renewed behind the scenes: once, however many requests notice, and without
    burning a renewal that another process has just made with the same stored session.
    """

    def __init__(
        self, base_url: str, *, store: SessionStore | None = None, fingerprint: str | None = None
    ) -> None:
        """Raises BadServerAddress. A session in `store` is used if it is of this server.

        With a `fingerprint` (see `pins`) the server is trusted by that instead of by who signed its certificate.
        """
        self._transport = Transport(base_url, fingerprint=fingerprint)
        self.server = self._transport.server
        self._store = store or MemorySessionStore()
        stored = self._store.load()
        self._session = stored if stored and stored.server == self.server else Session(self.server, "")
        self._renewing = asyncio.Lock()
        self._renewals: set[asyncio.Task[None]] = set()
        self.feeds = FeedCalls(self._json)
        self.watchlist = WatchlistCalls(self._json)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        # A renewal that is cut off after the server rotated the token would end the session.
        await asyncio.gather(*self._renewals, return_exceptions=True)
        await self._transport.aclose()

    # --- session

    @property
    def session(self) -> Session:
        return self._session

    async def log_in(self, username: str, password: str) -> Me:
        """Refused with code `no_active_account` when user or password is wrong."""
        # The name under which the session stands in the list of sessions.
        credentials = {"username": username, "password": password, "device_name": socket.gethostname()[:100]}
        data = await self._json("POST", "session/", json=credentials, auth=False)
        tokens = Tokens.from_json(data)
        me = Me.from_json(data.get("user"))
        async with self._store.exclusive():
            self._keep(Session(self.server, me.username, tokens.access, tokens.refresh))
        return me

    async def log_out(self) -> None:
        """Ends the session here in any case, and on the server if that can be reached."""
        async with self._renewing, self._store.exclusive():
            session = self._newest_session()
            self._keep(session.ended())
        if session.logged_in:
            try:
                await self._json("POST", "session/logout/", json={"refresh": session.refresh}, auth=False)
            except (ServerAway, Refused, BadAnswer):
                return

    async def sessions(self) -> tuple[DeviceSession, ...]:
        """Refused with status 404 by servers that do not list sessions."""
        return many(await self._json("GET", "me/sessions/"), DeviceSession.from_json)

    async def end_session(self, session_id: str) -> None:
        await self._json("DELETE", f"me/sessions/{quote(session_id, safe='')}/")

    async def end_other_sessions(self) -> None:
        await self._json("DELETE", "me/sessions/")

    async def links(self, torrent_id: str) -> Link:
        """A signed link that needs no session. Refused with status 404 by servers that make none."""
        return Link.from_json(await self._json("POST", _path(torrent_id, "links/")))

    async def transfer_credentials(self) -> TransferCredentials:
        """For SFTP; each call makes new ones. Refused with status 404 by servers that have none."""
        return TransferCredentials.from_json(await self._json("POST", "me/transfer-credentials/"))

    async def revoke_transfer_credentials(self, credentials_id: str) -> None:
        await self._json("DELETE", f"me/transfer-credentials/{quote(credentials_id, safe='')}/")

    async def sftp_server(self) -> SftpServer | None:
        """None where SFTP is off, or not known to the server."""
        try:
            data = await self._json("GET", "server/")
        except Refused as error:
            if error.status != 404:
                raise
            return None
        return SftpServer.from_json(data["sftp"]) if isinstance(data, dict) and data.get("sftp") else None

    async def me(self) -> Me:
        return Me.from_json(await self._json("GET", "me/"))

    async def usage(self) -> Usage:
        """What the user may take, and has taken. Refused with status 404 by servers that do not tell."""
        try:
            return Usage.from_json(await self._json("GET", "me/usage/"))
        except Refused as error:
            if error.status != 404:
                raise
        return Usage.from_json(await self._json("GET", "me/limits/"))  # an older server's name for less of it

    async def health(self) -> Health:
        """Needs no session; a server that reports itself degraded (503) is an answer, not an error."""
        answer = await self._transport.send("GET", "health/")
        if answer.status not in (200, 503):
            _raise_for(answer)
        return Health.from_json(_decode(answer))

    # --- torrents

    async def torrents(self, *, states: Iterable[str] = ()) -> AsyncIterator[Torrent]:
        """All, newest first, page by page."""
        params: dict[str, Any] = {"limit": 200, "state": list(states)}
        while True:
            page = Page.from_json(await self._json("GET", "torrents/", params=params), Torrent.from_json)
            for torrent in page.items:
                yield torrent
            if not page.cursor:
                return
            if page.cursor == params.get("cursor"):
                raise BadAnswer("The server's list of torrents has no usable next page.", status=200)
            params["cursor"] = page.cursor

    async def torrent(self, torrent_id: str) -> Torrent:
        return Torrent.from_json(await self._json("GET", _path(torrent_id)))

    async def changes(self, since: int) -> Changes:
        params = {"since": since, "limit": 500}
        return Changes.from_json(await self._json("GET", "torrents/changes/", params=params))

    async def all_changes(self, since: int) -> AsyncIterator[Changes]:
        """`changes` again and again until there is no more for now."""
        while True:
            changes = await self.changes(since)
            yield changes
            if not changes.more or changes.change == since:
                return
            since = changes.change

    async def mirror(self) -> Mirror:
        """Everything the user has, at this moment."""
        mirror = Mirror()
        async for changes in self.all_changes(0):
            mirror.apply(changes)
        return mirror

    async def add_source(self, source: str, *, paused: bool = False) -> Torrent:
        """Add by magnet link or by the http(s) URL of a .torrent, which the server then fetches."""
        data = {"source": source, "paused": paused}
        return Torrent.from_json(await self._json("POST", "torrents/", json=data, patient=True))

    async def add_metainfo(self, name: str, metainfo: bytes, *, paused: bool = False) -> Torrent:
        """Add by the content of a .torrent; `name` is its file name."""
        form = {"paused": "true" if paused else "false"}
        return Torrent.from_json(await self._json("POST", "torrents/", upload=(name, metainfo), form=form))

    async def change(self, torrent_id: str, wishes: Mapping[str, object]) -> Torrent:
        """Change what the user wants of a torrent; what `wishes` leaves out stays as it is.

        `label` (str), `files` (indexes; None: all), `download_limit` and `upload_limit` (bytes a second; None: none),
        `seed_ratio` and `seed_seconds` (None: the server's default), `sequential` (bool). Refused names the wrong one
        as `attr`, and has status 405 where the server knows no wishes.
        """
        return Torrent.from_json(await self._json("PATCH", _path(torrent_id), json=dict(wishes)))

    async def history(self, torrent_id: str) -> TorrentHistory:
        """The latest of what became of a torrent. Refused with status 404 by servers that keep no history."""
        data = await self._json("GET", _path(torrent_id, "history/"), params={"limit": 200})
        events = many(data, Event.from_json)
        return TorrentHistory(events, more=isinstance(data, dict) and bool(data.get("next")))

    async def swarm(self, torrent_id: str) -> Swarm:
        """Trackers and peers as counts, which the server keeps fresh while they are asked for. Refused with status 404
        by servers that do not count them."""
        return Swarm.from_json(await self._json("GET", _path(torrent_id, "swarm/")))

    async def pause(self, torrent_id: str) -> Torrent:
        return Torrent.from_json(await self._json("POST", _path(torrent_id, "pause/")))

    async def resume(self, torrent_id: str) -> Torrent:
        return Torrent.from_json(await self._json("POST", _path(torrent_id, "resume/")))

    async def delete(self, torrent_id: str) -> None:
        """End the user's hold. It can be restored for a while; then the server deletes the data, unless somebody else
        holds the same torrent."""
        await self._json("DELETE", _path(torrent_id))

    async def restore(self, torrent_id: str) -> Torrent:
        """Take back a delete. Raises ClientError when it is too late for that."""
        return Torrent.from_json(await self._json("POST", _path(torrent_id, "restore/")))

    async def files(self, torrent_id: str) -> tuple[TorrentFile, ...]:
        """Empty until the metadata is known."""
        data = await self._json("GET", _path(torrent_id, "files/"))
        if not isinstance(data, list):
            raise BadAnswer("The server sent something else than a list of files.", status=200)
        return tuple(TorrentFile.from_json(item) for item in data)

    @asynccontextmanager
    async def content(
        self, torrent_id: str, index: int, *, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Stream]:
        """The bytes of a file: an answer with status 200, 206 or 416; others are raised."""
        path = _path(torrent_id, f"files/{index}/content/")
        async with self._authorised("GET", path, headers=headers, patient=True) as stream:
            if stream.status not in (200, 206, 416):
                _raise_for(await stream.answer())
            yield stream

    # --- requests

    async def _json(self, method: str, path: str, *, auth: bool = True, **options: Any) -> Any:
        if auth:
            async with self._authorised(method, path, **options) as stream:
                answer = await stream.answer()
        else:
            answer = await self._transport.send(method, path, **options)
        if answer.status == 204:
            return None
        if not 200 <= answer.status < 300:
            _raise_for(answer)
        return _decode(answer)

    @asynccontextmanager
    async def _authorised(self, method: str, path: str, **options: Any) -> AsyncIterator[Stream]:
        """Send with the access token; on 401 renew it and send again."""
        if not self._session.logged_in:
            raise NotLoggedIn("You are not logged in.")
        # The second renewal is for a token of another process that has expired as well meanwhile.
        for renewals_left in (2, 1, 0):
            sent = self._session.access
            async with self._transport.stream(method, path, token=sent, **options) as stream:
                if stream.status != 401:
                    yield stream
                    return
            if renewals_left:
                await self._renew(sent)
        raise NotLoggedIn(_LOG_IN_AGAIN)

    async def _renew(self, sent: str) -> None:
        # A task of its own: a cancelled download must not cut off the renewal that others wait for.
        renewal = asyncio.create_task(self._renew_once(sent))
        self._renewals.add(renewal)
        renewal.add_done_callback(self._renewals.discard)
        renewal.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(renewal)

    async def _renew_once(self, sent: str) -> None:
        async with self._renewing:
            if self._session.access != sent:
                return
            async with self._store.exclusive():
                self._session = self._newest_session()
                if not self._session.logged_in:
                    raise NotLoggedIn(_LOG_IN_AGAIN)
                if self._session.access != sent:
                    return
                try:
                    data = await self._json(
                        "POST", "session/refresh/", json={"refresh": self._session.refresh}, auth=False
                    )
                except Refused as error:
                    if error.status not in (400, 401, 403):
                        raise
                    self._keep(self._session.ended())
                    raise NotLoggedIn(_LOG_IN_AGAIN) from error
                tokens = Tokens.from_json(data)
                self._keep(replace(self._session, access=tokens.access, refresh=tokens.refresh))

    def _newest_session(self) -> Session:
        """Another process may have renewed the session, or logged out, since we read it."""
        stored = self._store.load()
        if stored is None or (stored.server, stored.username) != (self.server, self._session.username):
            return self._session
        return stored

    def _keep(self, session: Session) -> None:
        self._session = session
        self._store.save(session)


def _path(torrent_id: str, rest: str = "") -> str:
    return f"torrents/{quote(torrent_id, safe='')}/{rest}"


def _decode(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError:
        raise BadAnswer(
            "That address answers, but not as a torrent proxy does. Check the server address.",
            status=answer.status,
        ) from None


def _retry_after(answer: Answer) -> float | None:
    value = answer.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else None


def _raise_for(answer: Answer) -> NoReturn:
    """Raise what an answer that is no success means."""
    status = answer.status
    if status in (502, 503, 504):
        sentence = _own_words(answer) or f"The server is not ready ({status}). Try again."
        raise ServerAway(sentence, retry_after=_retry_after(answer))
    if 300 <= status < 400:
        raise BadAnswer("That address sends visitors elsewhere. Use the address it leads to.", status=status)
    if status >= 500:
        raise BadAnswer(
            f"The server failed ({status}). Try again; if it stays so, tell whoever runs the server.",
            status=status,
        )
    code, sentence, attr = _first_error(answer)
    kind = NotFinished if code == "not_finished" else Refused
    raise kind(sentence, status=status, code=code, attr=attr, retry_after=_retry_after(answer))


def _own_words(answer: Answer) -> str:
    """What the server itself says to it; empty where somebody before it answered."""
    try:
        return _first_error(answer)[1]
    except BadAnswer:
        return ""


def _first_error(answer: Answer) -> tuple[str, str, str | None]:
    """(code, sentence, attr) of the first of the server's errors; the sentence is one line."""
    try:
        error = json.loads(answer.body)["errors"][0]
        code, sentence, attr = str(error["code"]), str(error["detail"]), error["attr"]
    except (ValueError, LookupError, TypeError):
        if answer.status != 404:
            raise BadAnswer(
                f"The server refused ({answer.status}) without saying why. Check the server address.",
                status=answer.status,
            ) from None
        return "not_found", "The server does not have that.", None
    return code, " ".join(sentence.split()), attr if isinstance(attr, str) else None
