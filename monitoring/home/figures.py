"""What stands on the page: figures in sections; and numbers in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from torrents.waiting import in_words

NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    value: str
    note: str = ""
    share: float | None = None  # shown as a bar; 1 is full
    wrong: bool = False  # somebody should look at it
    url: str = ""  # of what has that name

    @property
    def bar(self) -> str:
        """As HTML has it, whatever the language."""
        return f"{min(1.0, self.share or 0.0):.3f}"


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    figures: Sequence[Figure]
    links: Sequence[Link] = ()
    notice: str = ""  # a sentence below
    none: str = ""  # said where there are no figures


def size(value: float | None) -> str:
    return NOT_KNOWN if value is None else in_words(int(value))


def speed(value: float | None) -> str:
    return f"{size(value or 0)}/s"


def number(value: float | None) -> str:
    return f"{int(value or 0):,}"


def percent(share: float | None) -> str:
    return NOT_KNOWN if share is None else f"{share:.0%}"


def used(value: float, limit: float, *, name: str, note: str = "", url: str = "") -> Figure:
    """So much of so much, with a bar. Bytes."""
    share = value / limit if limit else 1.0
    return Figure(name, f"{size(value)} of {size(limit)}", note, share=share, wrong=share >= 1, url=url)


def duration(seconds: float) -> str:
    """`less than a minute`, `1 minute`, `36 hours`, `3 days`."""
    for name, length, least in (("day", 86400, 2), ("hour", 3600, 2), ("minute", 60, 1)):
        count = int(seconds // length)
        if count >= least:
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "less than a minute"


def ago(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    return "just now" if seconds < 60 else f"{duration(seconds)} ago"


def interval(length: timedelta) -> str:
    """`every minute`, `every 90 minutes`, `every day`."""
    minutes = int(length.total_seconds() // 60)
    for name, unit in (("day", 1440), ("hour", 60)):
        if minutes and minutes % unit == 0:
            return f"every {name}" if minutes == unit else f"every {minutes // unit} {name}s"
    return "every minute" if minutes == 1 else f"every {minutes} minutes"
