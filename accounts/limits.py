"""What one person's limits are called, and how they are written: for commands."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from environs import EnvError

from accounts.models import User
from proxy_site import setting_kinds
from proxy_site.setting_kinds import size_text

DEFAULT = "default"  # typed for it, and shown


@dataclass(frozen=True, slots=True)
class Limit:
    """`setting` names what holds for whom nothing else is set; None: there is no limit then."""

    field: str  # of User
    option: str
    title: str
    help: str
    read: Callable[[str], int]  # raises ValueError with a sentence
    text: Callable[[int], str]
    setting: str | None = None

    def shown(self, user: User) -> str:
        """`50 GiB`, `default (50 GiB)`, `no limit`."""
        value: int | None = getattr(user, self.field)
        if value is not None:
            return self.text(value)
        if self.setting is None:
            return "no limit"
        return f"{DEFAULT} ({self.text(getattr(settings, self.setting))})"

    def typed(self, text: str) -> int | None:
        """None for `default`. Raises ValueError with a sentence."""
        return None if text.strip().lower() == DEFAULT else self.read(text)


def _size(text: str) -> int:
    try:
        count: int = setting_kinds.limit(text)
    except EnvError as error:
        raise ValueError(str(error)) from None
    return count


def _speed(text: str) -> int:
    return _size(text.strip().removesuffix("/s"))


def _count(text: str) -> int:
    if not re.fullmatch(r"\s*[0-9]{1,9}\s*", text) or not 0 < int(text) <= 10_000:
        raise ValueError("Must be a number from 1 to 10000.")
    return int(text)


def _speed_text(count: int) -> str:
    return f"{size_text(count)}/s"


LIMITS = (
    Limit(
        "disk_quota",
        "disk",
        "disk space",
        "what their torrents may fill, such as 200 GiB",
        _size,
        size_text,
        "DEFAULT_DISK_QUOTA",
    ),
    Limit(
        "active_torrent_limit",
        "active",
        "downloads at a time",
        "how many may download at the same time",
        _count,
        str,
        "DEFAULT_ACTIVE_TORRENTS",
    ),
    Limit(
        "monthly_traffic_limit",
        "traffic",
        "traffic a month",
        "what they may fetch in a calendar month, such as 2 TB",
        _size,
        size_text,
        "DEFAULT_MONTHLY_TRAFFIC",
    ),
    Limit(
        "download_limit",
        "download",
        "download speed",
        "how fast their torrents are received, all together, such as 5 MiB",
        _speed,
        _speed_text,
    ),
    Limit(
        "upload_limit",
        "upload",
        "upload speed",
        "how fast their torrents are sent to peers, all together, such as 1 MiB",
        _speed,
        _speed_text,
    ),
)
