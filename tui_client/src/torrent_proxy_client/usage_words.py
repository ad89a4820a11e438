"""How much of their limits a person has taken, in words: for the app and for the command."""

from collections.abc import Iterator
from dataclasses import dataclass

from torrent_proxy_client import words
from torrent_proxy_client.reports import Limit, Usage

TITLE_WIDTH = 10  # columns


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    figure: str
    notes: tuple[str, ...]
    share: float | None = None  # of a limit; None: there is none


def rows(usage: Usage) -> Iterator[Row]:
    yield _of_bytes("Disk", usage.disk, "all your torrents, finished or not")
    active = f"{usage.active.used} of {usage.active.limit}"
    yield Row("Downloads", active, ("at the same time",), _share(usage.active))
    again = (
        f"; starts again from nothing on {words.day(usage.traffic_resets_on)}"
        if usage.traffic_resets_on
        else ""
    )
    yield _of_bytes("Fetched", usage.traffic, f"this month{again}", *_channels(usage))
    if usage.sent_to_peers is not None:
        yield Row("To peers", words.size(usage.sent_to_peers), ("sent by the torrents that you have here",))


def waiting(usage: Usage) -> Iterator[str]:
    """`2 torrents wait for space in your quota`"""
    for one in usage.waiting:
        verb = "waits" if one.torrents == 1 else "wait"
        yield f"{words.count(one.torrents, 'torrent')} {verb} for {words.waits_for(one.waits_for)}"


def _channels(usage: Usage) -> Iterator[str]:
    """Only where there are both: else it says nothing that the sum does not."""
    if usage.https and usage.sftp:
        yield f"{words.size(usage.https)} by HTTPS, {words.size(usage.sftp)} by SFTP"


def _of_bytes(title: str, limit: Limit, *notes: str) -> Row:
    return Row(title, f"{words.size(limit.used)} of {words.size(limit.limit)}", notes, _share(limit))


def _share(limit: Limit) -> float:
    return limit.used / limit.limit if limit.limit else 1.0
