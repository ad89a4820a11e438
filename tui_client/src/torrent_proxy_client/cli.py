"""The command line. Only what is light is imported here, so that --help and mistakes are answered at once."""

import argparse
import sys
from collections.abc import Callable, Sequence

from torrent_proxy_client import __version__
from torrent_proxy_client.plain_text import print_anywhere

_DESCRIPTION = """\
Watch torrents that your server downloads, and fetch the finished files to this machine.
Without a command it opens the app in this terminal.
"""

_EPILOG = """\
examples:
  torrent-proxy login --server https://box.example.net --user alice
  torrent-proxy add "magnet:?xt=urn:btih:..."
  torrent-proxy ls
  torrent-proxy get ubuntu --wait

exit codes:
  0  done          1  refused or failed     2  wrong usage
  3  server away   4  not logged in       130  stopped with Ctrl+C

environment:
  TORRENT_PROXY_SERVER        server to use, instead of the one logged in to last
  TORRENT_PROXY_USER          user that login suggests
  TORRENT_PROXY_CONFIG_DIR    where the session is kept; another one is another profile
  TORRENT_PROXY_DOWNLOAD_DIR  where fetched files go, instead of your Downloads folder
  NO_COLOR                    set to anything: no colours in the app
"""

_WHICH = "the first letters of its id, or a part of its name that no other torrent has"


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="torrent-proxy",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"torrent-proxy {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def command(name: str, text: str, example: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=f"example:\n  torrent-proxy {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    login = command(
        "login", "log in and remember the session", "login --server https://box.example.net --user alice"
    )
    login.add_argument("--server", metavar="URL", help="address of the server; asked for when missing")
    login.add_argument("--user", metavar="NAME", help="your user name; asked for when missing")
    login.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input instead of asking",
    )

    login.add_argument(
        "--fingerprint",
        metavar="SHA256:…",
        help="trust exactly the certificate with this fingerprint; for servers without a public certificate",
    )

    command("logout", "end the session, here and on the server", "logout")

    add = command(
        "add",
        "add torrents to the server",
        'add "magnet:?xt=urn:btih:..." https://example.org/a.torrent b.torrent',
    )
    add.add_argument(
        "sources",
        metavar="SOURCE",
        nargs="+",
        help="a magnet link, the http(s) URL of a .torrent, or the path of a .torrent file",
    )
    add.add_argument("--paused", action="store_true", help="do not start downloading yet")

    ls = command("ls", "list your torrents, newest first", "ls --state finished")
    ls.add_argument(
        "--json", action="store_true", help="print a JSON list: bytes, bytes per second, seconds, ISO times"
    )
    ls.add_argument(
        "--state",
        metavar="STATE",
        action="append",
        default=[],
        help="only those in this state: waiting, metadata, checking, queued, downloading, stalled, paused, "
        "finished or error; may be repeated",
    )

    get = command(
        "get", "fetch a finished torrent to this machine; continues where it stopped", "get ubuntu --to ~/iso"
    )
    get.add_argument("torrent", metavar="NAME_OR_ID", help=_WHICH)
    get.add_argument(
        "--file", metavar="PATH_OR_INDEX", help="only this file of it, by path in the torrent or number"
    )
    get.add_argument("--to", metavar="DIR", help="directory to put it in (default: your Downloads folder)")
    get.add_argument(
        "--wait", action="store_true", help="if it is not finished on the server, wait until it is"
    )
    get.add_argument(
        "--sftp",
        action="store_true",
        help="by SFTP from the start; without it HTTPS is used, and SFTP where HTTPS brings nothing",
    )
    get.add_argument(
        "--if-exists",
        choices=("keep-both", "skip", "overwrite"),
        default="keep-both",
        help="what to do where a different file of that name is here already (default: keep-both)",
    )

    sessions = command("sessions", "list where you are logged in, or end a session", "sessions --end-others")
    ending = sessions.add_mutually_exclusive_group()
    ending.add_argument("--end", metavar="ID", help="end this session")
    ending.add_argument("--end-others", action="store_true", help="end all sessions but this one")

    usage = command("usage", "what you have taken of your limits, and what waits for them", "usage --json")
    usage.add_argument("--json", action="store_true", help="print a JSON object: bytes, ISO dates")

    for name, text in (("pause", "pause a torrent"), ("resume", "let a paused torrent go on")):
        command(name, text, f"{name} ubuntu").add_argument("torrent", metavar="NAME_OR_ID", help=_WHICH)

    _add_watchlist(command)

    rm = command(
        "rm", "remove a torrent and its data from the server; files fetched here stay", "rm ubuntu --yes"
    )
    rm.add_argument("torrent", metavar="NAME_OR_ID", help=_WHICH)
    rm.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _add_watchlist(command: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    json_help = "print a JSON list, times in ISO 8601"
    shows = command(
        "shows", "list the shows that you follow, or follow another one", 'shows add "Lighthouse"'
    )
    shows.add_argument("--json", action="store_true", help=json_help)
    actions = shows.add_subparsers(dest="action", metavar="ACTION", title="actions")
    for name, text in (
        ("add", "follow a show: a name that is searched, or id:NUMBER where several are found"),
        ("remove", "follow a show no more; what was taken for it stays"),
    ):
        action = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        action.add_argument(
            "show", metavar="NAME_OR_ID", help="a name of it, or the id that is listed: id:12"
        )

    calendar = command("calendar", "what airs when of the shows that you follow", "calendar --days 14")
    calendar.add_argument("--json", action="store_true", help=json_help)
    calendar.add_argument(
        "--days", metavar="N", type=_days, default=7, help="so many days ahead, at most 30 (7)"
    )

    review = command(
        "review", "list releases of which only you can say of which show they are", "review --json"
    )
    review.add_argument("--json", action="store_true", help=json_help)

    link = command("link", "link your list at AniList, or show what is linked", "link anilist alice")
    link.add_argument("provider", metavar="SERVICE", nargs="?", help="anilist; nothing: show what is linked")
    link.add_argument("name", metavar="NAME", nargs="?", help="your public name there")
    link.add_argument("--code", action="store_true", help="ask for a code, or read it from standard input")
    link.add_argument("--json", action="store_true", help=json_help)


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 30):
        raise argparse.ArgumentTypeError("give a whole number from 1 to 30")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, or the app; returns the exit code."""
    print_anywhere(sys.stdout, sys.stderr)
    args = build_parser().parse_args(argv)
    if args.command is None:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            print(
                "The app needs a terminal. For scripts there are commands: torrent-proxy --help",
                file=sys.stderr,
            )
            return 2
        from torrent_proxy_client.app.app import run_app

        return run_app()
    from torrent_proxy_client.commands import run_command

    return run_command(args)
