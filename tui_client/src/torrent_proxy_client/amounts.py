"""Speeds, times and ratios as people type them, and back. A BadAmount is a sentence for whoever typed it."""

import math
import re
from decimal import Decimal

SLOWEST, FASTEST = 1024, 2_000_000_000  # bytes a second, as the server takes them
LONGEST = 10 * 365 * 86_400  # seconds
HIGHEST_RATIO = 1000.0
LARGEST = 2**60  # bytes

_SPEED = re.compile(r"([\d.,]+)\s*([kmg]i?)?b?(?:/s|ps)?", re.IGNORECASE)
_TIME = re.compile(r"([\d.,]+)\s*([a-z]*)", re.IGNORECASE)
_SPEED_UNITS = {"k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_SIZE = re.compile(r"([\d.,]+)\s*((?:[kmgt]i?)?b)", re.IGNORECASE)
_SIZE_NAMES = {
    "TiB": 2**40, "GiB": 2**30, "MiB": 2**20, "KiB": 2**10,
    "TB": 10**12, "GB": 10**9, "MB": 10**6, "kB": 10**3, "B": 1,
}  # fmt: skip
_SIZE_UNITS = {name.lower(): many for name, many in _SIZE_NAMES.items()}
_TIME_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


class BadAmount(ValueError):
    pass


def parse_speed(text: str) -> int | None:
    """Bytes a second from `500 kB/s`, `2M`, `1.5 MiB`; None from nothing, which is no limit."""
    if not text.strip():
        return None
    match = _SPEED.fullmatch(text.strip())
    if not match or not match[2]:
        raise BadAmount("Write a number and a unit, such as 500 kB or 2 MB. Empty: no limit.")
    speed = round(_number(match[1]) * _SPEED_UNITS[match[2].lower()])
    if not SLOWEST <= speed <= FASTEST:
        raise BadAmount("A limit is between 1.1 kB and 2 GB a second. Empty: no limit.")
    return speed


def parse_time(text: str, *, empty: str = "the server's default") -> int | None:
    """Seconds from `90 min`, `12h`, `3d 6h`, `0`; None from nothing, which means `empty`."""
    if not text.strip():
        return None
    wrong = BadAmount(f"Write a time such as 90 min, 12 h or 3 d. Empty: {empty}.")
    if text.strip() == "0":
        return 0
    seconds = 0.0
    for part in re.findall(r"[\d.,]+\s*[a-z]*|\S+", text.replace(", ", " "), re.IGNORECASE):
        match = _TIME.fullmatch(part.strip())
        unit = _time_unit(match[2]) if match else None
        if match is None or unit is None:
            raise wrong
        seconds += _number(match[1]) * unit
    if seconds > LONGEST:
        raise BadAmount(f"Ten years is the longest. Empty: {empty}.")
    return round(seconds)


def parse_size(text: str) -> int | None:
    """Bytes from `700 MB`, `1.4 GiB`; None from nothing, which is any."""
    if not text.strip():
        return None
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise BadAmount("Write a number and a unit, such as 700 MB or 1.4 GiB. Empty: any.")
    many = _SIZE_UNITS[match[2].lower()]
    if _number(match[1]) * many > LARGEST:
        raise BadAmount("No torrent is that large. Empty: any.")
    return round(Decimal(match[1].replace(",", ".")) * many)


def parse_count(text: str, *, empty: str = "any") -> int | None:
    """A whole number; None from nothing, which means `empty`."""
    if not text.strip():
        return None
    if not (text.strip().isascii() and text.strip().isdigit() and len(text.strip()) < 10):
        raise BadAmount(f"{text.strip()} is not a whole number. Empty: {empty}.")
    return int(text)


def parse_number(text: str) -> float | None:
    """From `12`, `6.5`; None from nothing, which is any."""
    if not text.strip():
        return None
    try:
        number = _number(text.strip())
    except BadAmount as error:
        raise BadAmount(f"{error} Empty: any.") from None
    if number < 0:
        raise BadAmount("It cannot be less than 0. Empty: any.")
    return number


def parse_ratio(text: str) -> float | None:
    """From `1.5`, `2,0`, `0`; None from nothing, which is the server's default."""
    if not text.strip():
        return None
    ratio = _number(text.strip())
    if not 0 <= ratio <= HIGHEST_RATIO:
        raise BadAmount("A ratio is between 0 and 1000. Empty: the server's default.")
    return ratio


def speed_text(speed: int | None) -> str:
    """What `parse_speed` reads as the same number, in the largest unit that says it exactly enough to read."""
    if speed is None:
        return ""
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if speed >= size:
            return f"{_short(speed / size)} {unit}"
    return f"{_short(speed / 1000)} kB"


def size_text(size: int | None) -> str:
    """What `parse_size` reads as the same number, in the unit that says it shortest."""
    if size is None:
        return ""
    exact = []
    for name, many in _SIZE_NAMES.items():
        number = _short(size / many)
        if many <= size and "e" not in number and round(Decimal(number) * many) == size:
            exact.append(f"{number} {name}")
    return min(exact, key=len, default=f"{size} B")


def time_text(seconds: int | None) -> str:
    if not seconds:
        return "" if seconds is None else "0"
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts)


def ratio_text(ratio: float | None) -> str:
    return "" if ratio is None else _short(ratio)


def _short(number: float) -> str:
    return f"{number:.10g}"


def _number(text: str) -> float:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadAmount(f"{text} is not a number.")
    return number


def _time_unit(word: str) -> int | None:
    word = word.lower()
    return _TIME_UNITS.get(word) or _TIME_UNITS.get(word[:1] if word in _LONG_WORDS else "")


_LONG_WORDS = {f"{word}{end}" for word in ("second", "minute", "hour", "day", "week") for end in ("", "s")}
