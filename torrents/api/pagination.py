"""Pages of a list as the API has them: `next` and `previous` are addresses that carry a position."""

import base64
import json
import math
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from torrents.listing import Page, Position

NOT_OURS = "This cursor leads nowhere. Start again with the first page, without one."
LONGEST_CURSOR = 4000  # characters


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError
    return moment


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    return value.encode().decode()  # lone surrogates are nothing that a database stores


def _whole(value: Any) -> int:
    if type(value) is not int or abs(value) >= 2**63:
        raise ValueError
    return value


def _number(value: Any) -> float:
    if not math.isfinite(value):
        raise ValueError
    return float(value)


KEYS: dict[str, Callable[[Any], Any]] = {
    "added": _moment,
    "name": _text,
    "size": _whole,
    "progress": _number,
    "completed": _moment,
    "state": _whole,
}


def write_cursor(position: Position) -> str:
    key = position.key.isoformat() if isinstance(position.key, datetime) else position.key
    parts = [key, position.id.hex, position.before]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def read_cursor(text: str, sort: str) -> Position:
    """Raises NotFound for what we did not write, or wrote for another order."""
    try:
        if len(text) > LONGEST_CURSOR:
            raise ValueError
        key, claim_id, before = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return Position(KEYS[sort.removeprefix("-")](key), uuid.UUID(hex=claim_id), before is True)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise NotFound(NOT_OURS) from error


def address_of(request: HttpRequest | Request, position: Position) -> str:
    """Of the page at this position of the list that was asked for."""
    return str(replace_query_param(request.build_absolute_uri(), "cursor", write_cursor(position)))


class Pages(CursorPagination):
    """Describes lists in the schema, and writes the addresses of their neighbours."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"

    @staticmethod
    def response(request: Request, page: Page, results: list[Any]) -> Response:
        following = page.next and address_of(request, page.next)
        preceding = page.previous and address_of(request, page.previous)
        return Response({"next": following, "previous": preceding, "results": results})


class LatestRemovedFirst(CursorPagination):
    """A cursor that nobody here made is refused like one that leads nowhere."""

    ordering = ("-removed_at", "-id")
    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor: Cursor | None = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            try:
                datetime.fromisoformat(str(cursor.position)).astimezone(UTC)
            except (ValueError, OverflowError) as error:
                raise NotFound(NOT_OURS) from error
        return cursor
