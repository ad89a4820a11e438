"""Feeds on loopback that have news whenever they are asked: a process of its own, so that its time is not ours.

`python -m benchmarks.feed_server` prints its port and serves until its standard input closes. `/KIND/NUMBER` is a feed
of 75 items and some 60 kB: `well`, `slow` (answers after three seconds), `far` (after a fifth of one, as on the net),
`hang` (never), `fail` (503). Whoever asks for a feed moves it on. `/move/N` says by how many items from now on,
`/shown` how many items each has shown so far, `/asked` how often any of any kind was asked for.
"""

import asyncio
import hashlib
import json
import random
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.request import urlopen

from proxy_site.environment import PROJECT_DIR

ITEMS = 75
NEWS = 7  # items each time: about a tenth
SLOW_SECONDS = 3.0
FAR_SECONDS = 0.2
TWINS = 10_000  # feeds whose numbers differ by this have the same titles
HOSTS = [f"127.1.{number}.1" for number in range(200)]  # Linux has all of 127.0.0.0/8
_PADDING = "Seeders and leechers as of now, a description as indexers write it, with links and hashes. " * 3


def title_of(feed: int, number: int) -> str:
    """One of 2,000 series, whose names no other has."""
    chance = random.Random(feed * 1_000_003 + number)  # noqa: S311  nothing secret
    group, resolution = chance.choice(("Alpha", "Beta", "Gamma")), chance.choice((480, 720, 1080))
    series = f"{series_of(chance.randrange(2000))} - {number % 24 + 1:02}"
    return f"[{group}] {series} ({resolution}p) [{chance.randrange(16**8):08X}].mkv"


def series_of(number: int) -> str:
    return f"Lighthouse Keeper{number} of Harbour{number // 40}"


def infohash_of(feed: str, number: int) -> str:
    return hashlib.sha1(f"{feed} {number}".encode()).hexdigest()  # noqa: S324  BitTorrent v1


def item_of(feed: str, number: int) -> str:
    infohash = infohash_of(feed, number)
    title = title_of(int(feed.rpartition("/")[2]) % TWINS, number)
    return (
        f"<item><title>{title}</title><link>magnet:?xt=urn:btih:{infohash}&amp;dn=item-{number}</link>"
        f"<guid isPermaLink='false'>https://feeds.example{feed}/{number}</guid>"
        f"<pubDate>Mon, 07 Jul 2025 {number // 60 % 24:02}:{number % 60:02}:00 +0000</pubDate>"
        f"<nyaa:seeders>{number % 100}</nyaa:seeders><nyaa:infoHash>{infohash}</nyaa:infoHash>"
        f"<nyaa:size>{300 + number % 900}.5 MiB</nyaa:size><nyaa:trusted>No</nyaa:trusted>"
        f"<description><![CDATA[<p>{_PADDING}</p>]]></description></item>\n"
    )


class _Feeds:
    def __init__(self) -> None:
        self.shown: Counter[str] = Counter()
        self.news = NEWS
        self.asked = 0

    def next_body(self, feed: str) -> bytes:
        self.shown[feed] = last = self.shown[feed] + self.news if feed in self.shown else ITEMS
        items = "".join(item_of(feed, number) for number in range(last, last - ITEMS, -1))
        return (
            '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:nyaa="https://nyaa.si/xmlns/nyaa">'
            f"<channel><title>Feed {feed}</title>{items}</channel></rss>"
        ).encode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1].decode()
                status, body = await self._answer(path)
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # whoever asked has been killed or has enough, or we end
        finally:
            writer.close()

    async def _answer(self, path: str) -> tuple[str, bytes]:
        kind, _, number = path[1:].partition("/")
        match kind:
            case "shown":
                return "200 OK", json.dumps(self.shown).encode()
            case "move":
                self.news = int(number)
                return "200 OK", b""
            case "asked":
                return "200 OK", str(self.asked).encode()
        self.asked += 1
        match kind:
            case "fail":
                return "503 Service Unavailable", b""
            case "hang":
                await asyncio.sleep(3600)
            case "slow":
                await asyncio.sleep(SLOW_SECONDS)
            case "far":
                await asyncio.sleep(FAR_SECONDS)
        return "200 OK", self.next_body(path)


@dataclass(frozen=True)
class FeedServer:
    port: int
    pid: int

    def url(self, feed: str, host: int) -> str:
        """Of `/well/17` and so on, at one of the many hosts."""
        return f"http://{HOSTS[host % len(HOSTS)]}:{self.port}{feed}"

    def move_by(self, items: int) -> None:
        self._ask(f"/move/{items}")

    def shown(self) -> dict[str, int]:
        """Of each feed that was asked for, how many items there were: the first has number 1."""
        return {str(feed): int(count) for feed, count in json.loads(self._ask("/shown")).items()}

    def asked(self) -> int:
        return int(self._ask("/asked"))

    def _ask(self, path: str) -> bytes:
        with urlopen(self.url(path, 0), timeout=30) as answer:  # noqa: S310  our own
            return bytes(answer.read())


@contextmanager
def feed_server() -> Iterator[FeedServer]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.feed_server"],
        cwd=PROJECT_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield FeedServer(int(process.stdout.readline()), process.pid)
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


async def _main() -> None:
    feeds = _Feeds()
    with socket.socket() as probe:
        probe.bind((HOSTS[0], 0))
        port = probe.getsockname()[1]
    server = await asyncio.start_server(feeds.serve, HOSTS, port, backlog=256)
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until whoever started us closes it or is gone
    server.close()


if __name__ == "__main__":
    asyncio.run(_main())
