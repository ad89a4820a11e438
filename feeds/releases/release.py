"""What a release's name says."""

import datetime
from dataclasses import dataclass
from enum import StrEnum

EpisodeNumber = int | float | str
"""12, 12.5 or "4a": a whole number is always an int, text only where a letter belongs to the number."""


class Special(StrEnum):
    """What is outside of the numbered episodes."""

    OVA = "OVA"
    ONA = "ONA"
    OAD = "OAD"
    SP = "SP"
    NCOP = "NCOP"
    NCED = "NCED"
    OP = "OP"
    ED = "ED"
    PV = "PV"
    CM = "CM"
    MENU = "MENU"
    MOVIE = "MOVIE"
    """One of several films of a show, counted: `Show Movie 3`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A name, read. None, False and empty mean: not stated."""

    series: str
    """The best form for display: Latin script where the name has several, without season and year."""
    series_alternatives: tuple[str, ...] = ()
    """Other forms in the name: other scripts, and what stood there before season, year or country were dropped."""
    season: int | None = None
    """None also where several seasons are stated: then `batch` holds."""
    episodes: tuple[EpisodeNumber, ...] = ()
    """As stated, ranges expanded; counted within the season where one is stated. Numbers of a special count too."""
    absolute: tuple[EpisodeNumber, ...] = ()
    """Numbers across seasons, where the name states them beside `episodes`: `S02E01 (13)`."""
    version: int | None = None
    """2 for `05v2`."""
    special: Special | None = None
    batch: bool = False
    """Several episodes, or a whole season."""
    date: datetime.date | None = None
    """Of a daily show's episode."""
    year: int | None = None
    group: str | None = None
    resolution: str | None = None
    source: str | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    languages: tuple[str, ...] = ()
    """As written: `ENG`, `VOSTFR`, `CHT`, `简繁`."""
    subtitles: tuple[str, ...] = ()
    """As written: `Multiple Subtitle`, `内封`."""
    checksum: str | None = None
    """CRC32, eight hexadecimal digits in upper case."""
