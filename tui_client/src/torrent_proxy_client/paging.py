"""Lists that the server hands out page by page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

from torrent_proxy_client.errors import BadAnswer
from torrent_proxy_client.models import Fields

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: tuple[T, ...]
    cursor: str  # of the page after this one; empty where this is the last

    @classmethod
    def from_json(cls, value: object, make: Callable[[object], T]) -> "Page[T]":
        read = Fields(value, "list")
        return cls(read.many("results", make), cursor_of(read.optional("next", str)))


def cursor_of(following: str | None) -> str:
    """Only the cursor is taken over: the token must not follow a URL that an answer names."""
    if not following:
        return ""
    cursor = parse_qs(urlsplit(following).query).get("cursor")
    if not cursor:
        raise BadAnswer("The server's list has no usable next page.", status=200)
    return cursor[0]
