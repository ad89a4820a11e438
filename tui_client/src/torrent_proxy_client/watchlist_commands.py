"""The commands of `torrent-proxy` about followed shows: each asks the server, prints, and returns an exit code."""

import argparse
import getpass
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from torrent_proxy_client import watchlist_words, words
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.connection import OK, UsageError, connect
from torrent_proxy_client.console import columns
from torrent_proxy_client.errors import ClientError, Refused
from torrent_proxy_client.watchlist import Airing, Entry, Show
from torrent_proxy_client.watchlist_accounts import Account
from torrent_proxy_client.watchlist_decisions import Question

T = TypeVar("T")

_ID = "id:"  # before an id, as a show may be called 86


async def _shows(args: argparse.Namespace) -> int:
    actions = {"add": _add_show, "remove": _remove_show, None: _list_shows}
    return await actions[args.action](args)


async def _list_shows(args: argparse.Namespace) -> int:
    async with connect() as api:
        entries = sorted(await _known(api), key=_name)
    if args.json:
        _print_json(entries)
    elif entries:
        print(_entry_table(entries))
    elif sys.stdout.isatty():
        print("You follow no shows yet. Follow one: torrent-proxy shows add NAME")
    return OK


async def _add_show(args: argparse.Namespace) -> int:
    async with connect() as api:
        show_id = await _show_meant(api, args.show)
        entry = await api.watchlist.follow(show_id)
    print(f"Following {_name(entry)}")
    return OK


async def _remove_show(args: argparse.Namespace) -> int:
    async with connect() as api:
        entry = _entry_meant(await _known(api), args.show)
        await api.watchlist.remove(entry.id)
    print(f"Removed {_name(entry)}; what was taken for it stays")
    return OK


async def _calendar(args: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    async with connect() as api:
        airings = await _offered(
            api.watchlist.calendar(now - timedelta(days=1), now + timedelta(days=args.days))
        )
    if args.json:
        _print_json(airings)
    elif airings:
        print(_calendar_table(airings))
    elif sys.stdout.isatty():
        print("Nothing of your shows airs in these days.")
    return OK


async def _review(args: argparse.Namespace) -> int:
    async with connect() as api:
        questions = await _offered(api.watchlist.questions())
    if args.json:
        _print_json(questions)
    elif questions:
        print(_review_table(questions))
    elif sys.stdout.isatty():
        print("Nothing to review.")
    return OK


async def _link(args: argparse.Namespace) -> int:
    async with connect() as api:
        if args.provider is None:
            accounts = await _offered(api.watchlist.accounts())
            if args.json:
                _print_json(accounts)
            else:
                print(_account_lines(accounts))
        elif args.code:
            _tell_linked(await api.watchlist.link_by_token(args.provider, _read_code()))
        elif args.name:
            _tell_linked(await api.watchlist.link_by_name(args.provider, args.name))
        else:
            raise UsageError("Give the name of your account, or --code to be asked for a code.")
    return OK


def _tell_linked(account: Account) -> None:
    print(f"{watchlist_words.linked(account)}.")
    if account.message:
        print(words.clean(account.message), file=sys.stderr)


def _read_code() -> str:
    """Not as an argument: those are seen by everybody on this machine."""
    code = getpass.getpass("Code: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not code.strip():
        raise UsageError("There is no code. Paste it when asked, or pipe it in.")
    return code.strip()


async def _known(api: ApiClient) -> list[Entry]:
    return [entry for entry in await _offered(api.watchlist.all()) if entry.state != "removed"]


async def _offered(asked: Awaitable[T]) -> T:
    """Said in words where the server is too old for this."""
    try:
        return await asked
    except Refused as error:
        if error.status == 404:
            raise ClientError("This server is too old to follow shows.") from error
        raise


async def _show_meant(api: ApiClient, wanted: str) -> int:
    """By id, or the one show of that name; those that may be meant are listed else."""
    if wanted.startswith(_ID) and wanted.removeprefix(_ID).isascii() and wanted.removeprefix(_ID).isdigit():
        return int(wanted.removeprefix(_ID))
    found = await _offered(api.watchlist.search(wanted))
    if found.message:
        print(words.clean(found.message), file=sys.stderr)
    if len(found.shows) == 1:
        return found.shows[0].id
    exact = [show for show in found.shows if wanted.casefold() in _names(show)]
    if len(exact) == 1:
        return exact[0].id
    if not found.shows:
        raise ClientError(f"No show is found by {wanted}. Try another of its names, or a part of one.")
    print(_show_table(found.shows), file=sys.stderr)
    raise ClientError(f"{wanted} may be one of {len(found.shows)} shows. Give one of the ids above.")


def _entry_meant(entries: Sequence[Entry], wanted: str) -> Entry:
    text = wanted.casefold()
    for matches in (
        [entry for entry in entries if wanted in (entry.id, f"{_ID}{entry.show.id}")],
        [entry for entry in entries if text in _names(entry.show)],
        [entry for entry in entries if any(text in name for name in _names(entry.show))],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            print(_show_table([entry.show for entry in matches]), file=sys.stderr)
            raise ClientError(f"{wanted} fits {len(matches)} shows. Give one of the ids above.")
    raise ClientError(f"You follow no show {wanted}. See: torrent-proxy shows")


def _names(show: Show) -> list[str]:
    return [name.casefold() for name in (watchlist_words.title(show), *watchlist_words.other_titles(show))]


def _name(entry: Entry) -> str:
    return watchlist_words.title(entry.show)


def _print_json(found: Sequence[Entry | Airing | Question | Account]) -> None:
    print(json.dumps([asdict(one) for one in found], indent=2, default=_iso))


def _iso(value: object) -> str:
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    raise TypeError(f"{value!r} is no time")


def _entry_table(entries: Sequence[Entry]) -> str:
    rows = [
        (
            f"{_ID}{entry.show.id}",
            watchlist_words.entry_state(entry),
            watchlist_words.have(entry.summary),
            str(entry.summary.missing or ""),
            watchlist_words.next_episode(entry.summary),
            _name(entry),
        )
        for entry in entries
    ]
    return columns(("ID", "STATE", "THERE", "MISSING", "NEXT", "SHOW"), rows)


def _show_table(shows: Sequence[Show]) -> str:
    rows = [
        (f"{_ID}{show.id}", watchlist_words.title(show), watchlist_words.about_show(show)) for show in shows
    ]
    return columns(("ID", "SHOW", "ABOUT"), rows)


def _calendar_table(airings: Sequence[Airing]) -> str:
    rows = [
        (
            watchlist_words.day_and_time(one.airs_at) if one.airs_at else "",
            watchlist_words.plain_state(one.state),
            watchlist_words.number(one.number),
            words.clean(one.title),
        )
        for one in airings
    ]
    return columns(("WHEN", "STATE", "EPISODE", "SHOW"), rows)


def _review_table(questions: Sequence[Question]) -> str:
    rows = [(words.clean(one.title), ", ".join(watchlist_words.told_apart(one.shows))) for one in questions]
    return columns(("RELEASE", "MAY BE OF"), rows)


def _account_lines(accounts: Sequence[Account]) -> str:
    if not accounts:
        return "No account is linked. Link one: torrent-proxy link anilist NAME"
    lines = []
    for one in accounts:
        lines += [
            words.clean(one.provider),
            *(f"  {sentence}" for sentence in watchlist_words.told_account(one)),
        ]
        lines += [f"  {told}" for told in (watchlist_words.UNOFFICIAL.get(one.provider),) if told]
    return "\n".join(lines)


WATCHLIST_COMMANDS: dict[str, Callable[[argparse.Namespace], Coroutine[None, None, int]]] = {
    "shows": _shows,
    "calendar": _calendar,
    "review": _review,
    "link": _link,
}
