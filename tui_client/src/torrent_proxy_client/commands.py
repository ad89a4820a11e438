"""The commands of `torrent-proxy`: each asks the server, prints, and returns an exit code."""

import argparse
import asyncio
import getpass
import json
import os
import sys
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path

from torrent_proxy_client import sources, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.connection import (
    AWAY,
    FAILED,
    INTERRUPTED,
    NOT_LOGGED_IN,
    OK,
    USAGE,
    UsageError,
    client,
    connect,
)
from torrent_proxy_client.console import ProgressLine, session_table, torrent_table, usage_table
from torrent_proxy_client.download import Download, Fetched
from torrent_proxy_client.errors import (
    ClientError,
    NotFinished,
    NotLoggedIn,
    Refused,
    ServerAway,
    UntrustedCertificate,
)
from torrent_proxy_client.models import Me, State, Torrent
from torrent_proxy_client.partfile import Conflict
from torrent_proxy_client.paths import config_dir, download_dir, state_dir
from torrent_proxy_client.pins import Pins, parse_fingerprint
from torrent_proxy_client.routes import Route
from torrent_proxy_client.server_url import parse_server_url
from torrent_proxy_client.session import FileSessionStore, SessionStore
from torrent_proxy_client.transport import see_fingerprint
from torrent_proxy_client.watchlist_commands import WATCHLIST_COMMANDS

_WAIT_BETWEEN_LOOKS = 2.0  # seconds


def run_command(args: argparse.Namespace) -> int:
    """Run `args.command`; errors become a sentence on standard error and an exit code."""
    try:
        return asyncio.run(_COMMANDS[args.command](args))
    except (KeyboardInterrupt, EOFError):
        kept = " What has arrived is kept; run it again to go on." if args.command == "get" else ""
        print(f"\nStopped.{kept}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except ClientError as error:
        return _report(error)


def _report(error: ClientError) -> int:
    hint = " Run: torrent-proxy login" if isinstance(error, NotLoggedIn) and "login" not in str(error) else ""
    print(f"torrent-proxy: {words.clean(str(error))}{hint}", file=sys.stderr)
    if isinstance(error, NotLoggedIn):
        return NOT_LOGGED_IN
    if isinstance(error, ServerAway) and not isinstance(error, UntrustedCertificate):
        return AWAY
    return USAGE if isinstance(error, UsageError) else FAILED


async def _login(args: argparse.Namespace) -> int:
    store = FileSessionStore(config_dir())
    known = store.load()
    server = (
        args.server or os.environ.get("TORRENT_PROXY_SERVER") or _ask("Server", known.server if known else "")
    )
    # Before asking for a password: is the address one that may have it?
    server = parse_server_url(server)
    suggested = os.environ.get("TORRENT_PROXY_USER") or (known.username if known else "")
    user = args.user or (suggested if args.password_stdin else "") or _ask("User", suggested)
    if args.password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = getpass.getpass("Password: ")
    else:
        raise UsageError("There is no terminal to ask for the password. Use --password-stdin.")
    if args.fingerprint:
        Pins(state_dir()).set(server, parse_fingerprint(args.fingerprint))
    try:
        me = await _log_in(server, store, user, password)
    except UntrustedCertificate as error:
        if error.changed or not await _trusts(server):
            raise
        me = await _log_in(server, store, user, password)
    print(f"Logged in to {server} as {words.clean(me.username)}.")
    return OK


async def _log_in(server: str, store: SessionStore, user: str, password: str) -> Me:
    async with client(server, store) as api:
        return await api.log_in(user, password)


async def _trusts(server: str) -> bool:
    """Ask about a certificate that nobody vouches for, and pin it if the person says so."""
    fingerprint = await see_fingerprint(server)
    print(
        f"Nobody vouches for the certificate of {server}. Its fingerprint is\n  {fingerprint}\n"
        "Compare it with the one that whoever runs the server gave you.",
        file=sys.stderr,
    )
    if not sys.stdin.isatty():
        print(f"If they are the same, add: --fingerprint {fingerprint}", file=sys.stderr)
        return False
    if not _confirmed("Are they the same? [y/N] "):
        return False
    Pins(state_dir()).set(server, fingerprint)
    return True


def _ask(what: str, suggested: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError(f"There is no terminal to ask on. Give --{what.lower()}.")
    return input(f"{what} [{suggested}]: " if suggested else f"{what}: ").strip() or suggested


async def _logout(args: argparse.Namespace) -> int:
    store = FileSessionStore(config_dir())
    session = store.load()
    if session is None or not session.logged_in:
        print("You are not logged in.")
        return OK
    async with client(session.server, store) as api:
        await api.log_out()
    print(f"Logged out of {session.server}.")
    return OK


async def _add(args: argparse.Namespace) -> int:
    result = OK
    async with connect() as api:
        for text in args.sources:
            try:
                torrent = await sources.add(api, sources.recognise(text), paused=args.paused)
            except (NotLoggedIn, ServerAway):
                raise
            except ClientError as error:
                result = _report(error)
            else:
                print(f"Added {torrent.id[:8]}  {_name(torrent)}")
    return result


async def _ls(args: argparse.Namespace) -> int:
    async with connect() as api:
        torrents = [torrent async for torrent in api.torrents(states=args.state)]
    if args.json:
        print(json.dumps([asdict(torrent) for torrent in torrents], indent=2, default=datetime.isoformat))
    elif torrents:
        print(torrent_table(torrents))
    elif sys.stdout.isatty():
        print("Nothing here." if args.state else "Nothing here yet. Add something: torrent-proxy add MAGNET")
    return OK


async def _get(args: argparse.Namespace) -> int:
    directory = Path(args.to) if args.to else download_dir()
    async with connect() as api:
        torrent = await _find(api, args.torrent)
        with ProgressLine() as line:
            while args.wait and torrent.state not in (State.FINISHED, State.ERROR):
                line.show(
                    f"{words.state(torrent)} on the server",
                    torrent.progress,
                    torrent.download_speed,
                    torrent.eta,
                )
                await asyncio.sleep(_WAIT_BETWEEN_LOOKS)
                torrent = await _look_again(api, torrent)
            if torrent.state == State.ERROR:
                raise ClientError(f"{_name(torrent)} has failed on the server: {words.why(torrent)}")
            if torrent.state != State.FINISHED:
                raise NotFinished(
                    f"{_name(torrent)} is not finished on the server ({words.state(torrent).lower()}, "
                    f"{words.percent(torrent.progress)}). Add --wait to wait for it.",
                    status=409,
                    code="not_finished",
                )
            only = await _file_index(api, torrent, args.file) if args.file else None
            fetched = await Download(
                api,
                torrent,
                directory,
                only=only,
                conflict=Conflict(args.if_exists.replace("-", " ")),
                on_progress=lambda now: line.show(
                    now.note or _name(torrent), now.fraction, now.speed, now.eta
                ),
                route=Route(api, torrent, sftp_only=args.sftp, notice=line.say),
            ).run()
    for file in fetched:
        print(f"{words.clean(str(file.path))}  ({_outcome(file)})")
    return OK


async def _look_again(api: ApiClient, torrent: Torrent) -> Torrent:
    """Waiting may take hours: a server that is away for some of them is no reason to give up."""
    try:
        return await api.torrent(torrent.id)
    except ServerAway:
        return torrent


async def _file_index(api: ApiClient, torrent: Torrent, wanted: str) -> int:
    files = await api.files(torrent.id)
    for file in files:
        if wanted in (file.path, str(file.index)):
            return file.index
    matching = [file for file in files if file.path.casefold().endswith(f"/{wanted.casefold()}")]
    if len(matching) == 1:
        return matching[0].index
    listed = "\n".join(
        f"  {file.index:>3}  {words.size(file.size):>8}  {words.clean(file.path)}" for file in files
    )
    print(f"The files of {_name(torrent)}:\n{listed}", file=sys.stderr)
    raise ClientError(f"It has no file {wanted}. Give one of the numbers or paths above.")


def _outcome(file: Fetched) -> str:
    if file.skipped:
        return "skipped, a file of that name is here"
    if file.already_here:
        return "already here"
    how = "SHA-256 verified" if file.verified else "size checked only, the server knows no SHA-256 yet"
    return f"{words.size(file.size)}, {how}{', by SFTP' if file.by_sftp else ''}"


async def _pause(args: argparse.Namespace) -> int:
    async with connect() as api:
        torrent = await api.pause((await _find(api, args.torrent)).id)
    print(f"Paused {_name(torrent)}")
    return OK


async def _resume(args: argparse.Namespace) -> int:
    async with connect() as api:
        torrent = await api.resume((await _find(api, args.torrent)).id)
    print(f"Resumed {_name(torrent)}")
    return OK


async def _rm(args: argparse.Namespace) -> int:
    async with connect() as api:
        torrent = await _find(api, args.torrent)
        if not args.yes:
            if not sys.stdin.isatty():
                raise UsageError("There is no terminal to ask on. Add --yes to remove without asking.")
            if not _confirmed(f"Remove {_name(torrent)} and its data from the server? [y/N] "):
                print("Nothing was removed.")
                return FAILED
        await api.delete(torrent.id)
    print(f"Removed {_name(torrent)}")
    return OK


async def _sessions(args: argparse.Namespace) -> int:
    async with connect() as api:
        try:
            if args.end_others:
                await api.end_other_sessions()
                print("All other sessions have ended.")
            elif args.end:
                await api.end_session(args.end)
                print(f"Session {words.clean(args.end)} has ended.")
            else:
                print(session_table(await api.sessions()))
        except Refused as error:
            if error.status == 404 and not args.end:
                raise ClientError("This server is too old to list sessions.") from error
            raise
    return OK


async def _usage(args: argparse.Namespace) -> int:
    async with connect() as api:
        try:
            usage = await api.usage()
        except Refused as error:
            if error.status == 404:
                raise ClientError("This server is too old to tell your limits.") from error
            raise
    if args.json:
        print(json.dumps(asdict(usage), indent=2, default=date.isoformat))
    else:
        print(usage_table(usage))
    return OK


def _confirmed(question: str) -> bool:
    return input(question).strip().lower() in ("y", "yes")


async def _find(api: ApiClient, wanted: str) -> Torrent:
    """The one torrent meant: by id prefix, by whole name, or by part of the name, whatever matches first."""
    torrents = list((await api.mirror()).torrents.values())
    text = wanted.casefold()
    for matches in (
        [torrent for torrent in torrents if torrent.id.startswith(text)],
        [torrent for torrent in torrents if torrent.name == wanted],
        [torrent for torrent in torrents if text in torrent.name.casefold()],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            candidates = "\n".join(f"  {torrent.id[:8]}  {_name(torrent)}" for torrent in matches)
            print(candidates, file=sys.stderr)
            raise ClientError(
                f"{wanted} fits {len(matches)} torrents. Use more of the name, or an id from above."
            )
    raise ClientError(f"You have no torrent {wanted}. See: torrent-proxy ls")


def _name(torrent: Torrent) -> str:
    return words.clean(torrent.name) or torrent.id


_COMMANDS: dict[str, Callable[[argparse.Namespace], Coroutine[None, None, int]]] = {
    "login": _login,
    "logout": _logout,
    "add": _add,
    "ls": _ls,
    "get": _get,
    "sessions": _sessions,
    "usage": _usage,
    "pause": _pause,
    "resume": _resume,
    "rm": _rm,
    **WATCHLIST_COMMANDS,
}
