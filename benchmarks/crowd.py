"""Many clients that ask once a second what changed, as the terminal client does."""

import asyncio
import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PERIOD = 1.0  # seconds
PATIENCE = 10.0  # seconds for one answer; a person has given up by then
_CHANGE = re.compile(rb'"change":(\d+)')
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass
class Tally:
    """`seconds` from the moment an answer was due to be asked for to its last byte."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    changed: int = 0  # answers that told of something new
    asked: int = 0  # in all, with those before we began to count


async def crowd(url: str, tokens: list[str], *, seconds: float) -> Tally:
    """One client for each token, spread evenly over the period, for so many seconds."""
    tally = Tally()
    warm_up = 2 * PERIOD  # everybody connects and asks from 0 first
    start = time.monotonic() + 0.5
    async with asyncio.TaskGroup() as group:
        for place, token in enumerate(tokens):
            first = start + PERIOD * place / len(tokens)
            group.create_task(_client(url, token, tally, first, start + warm_up, start + warm_up + seconds))
    return tally


async def _client(url: str, token: str, tally: Tally, due: float, count_from: float, end: float) -> None:
    parts = urlsplit(url)
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None
    since = 0
    while due < end:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        try:
            async with asyncio.timeout(PATIENCE):
                if reader is None or writer is None:
                    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
                body = await _get(
                    reader, writer, f"/api/v1/torrents/changes/?since={since}", token, parts.netloc
                )
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            tally.errors.append(f"{type(error).__name__}: {error}")
            if writer is not None:
                writer.close()
            reader = writer = None
        else:
            found = _CHANGE.search(body)
            told = int(found[1]) if found else since
            tally.asked += 1
            if due >= count_from:
                tally.seconds.append(time.monotonic() - due)
                tally.changed += told != since
            since = told
        due = max(due + PERIOD, time.monotonic())  # a late answer is not made up for
    if writer is not None:
        writer.close()


async def _get(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, token: str, host: str
) -> bytes:
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    if not head.startswith(b"HTTP/1.1 200") or length is None:
        raise ValueError(head.partition(b"\r\n")[0].decode(errors="replace"))
    return await reader.readexactly(int(length[1]))
