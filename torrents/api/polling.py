"""What clients ask all the time, the newest torrents and what changed, answered before Django makes a request of it.

Only what is quite ordinary is answered here, and exactly as the views would: a test compares the two. All else is None,
and the views' to answer, each refusal among it. Who asks, and how far their changes have come, is one query, with which
most polls end.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.db import DatabaseError, InterfaceError
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from rest_framework.exceptions import APIException
from rest_framework_simplejwt.tokens import Token

from accounts import sessions
from accounts.api.authentication import token_of
from accounts.models import DeviceSession
from proxy_site.compiled_query import CompiledQuery, Row, rows_together
from torrents.api.pagination import Pages, address_of
from torrents.api.remembered import Remembered
from torrents.api.rendering import render_changes
from torrents.api.serializers import MOST_CHANGES
from torrents.listing import newest, position_of
from torrents.models import ChangeCounter
from torrents.services import Counted, changes_since

Environ = dict[str, Any]
Headers = list[tuple[str, str]]

LIST = re.compile(r"(?:limit=([1-9][0-9]{0,4}))?", re.ASCII)
CHANGES = re.compile(r"since=(0|[1-9][0-9]{0,17})(?:&limit=([1-9][0-9]{0,4}))?", re.ASCII)
COMMON_HEADERS = (
    ("Content-Type", "application/json"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
)


def answer(environ: Environ) -> tuple[Headers, bytes] | None:
    """Headers and body of a 200."""
    found = ANSWERS.get(environ["PATH_INFO"])
    if found is None:
        return None
    allowed, asked, make = found
    match = asked.fullmatch(environ.get("QUERY_STRING", ""))
    if (
        match is None
        or environ["REQUEST_METHOD"] != "GET"
        or environ.get("SCRIPT_NAME")
        or environ.get("CONTENT_LENGTH")
        or environ.get("HTTP_ACCEPT", "*/*") not in ("*/*", "application/json")
    ):
        return None
    try:
        if not _is_ours(environ.get("HTTP_HOST", ""), tuple(settings.ALLOWED_HOSTS)):
            return None
        token = token_of(environ.get("HTTP_AUTHORIZATION", ""))
        body = token and make(environ, token, *match.groups())
    except (APIException, DatabaseError, InterfaceError):
        return None
    if not body:
        return None
    return [*COMMON_HEADERS, ("Allow", allowed), ("Content-Length", str(len(body)))], body


@lru_cache(maxsize=256)
def _is_ours(host: str, allowed: tuple[str, ...]) -> bool:
    """Whether Django would answer requests to this host. `allowed`: of the settings, which it reads itself."""
    try:
        WSGIRequest({"REQUEST_METHOD": "GET", "HTTP_HOST": host, "wsgi.input": BytesIO()}).get_host()
    except DisallowedHost:
        return False
    return True


def _with_counter(session_id: UUID) -> QuerySet[DeviceSession]:
    counter = ChangeCounter.objects.filter(user=OuterRef("user"))
    return DeviceSession.objects.barely(session_id).annotate(
        counted=Coalesce(Subquery(counter.values("value")), Value(0)),
        pruned=Coalesce(Subquery(counter.values("pruned")), Value(0)),
    )


FIND_WITH_COUNTER = CompiledQuery(_with_counter, sessions.ANY_SESSION)
_remembered = Remembered()


def _newest(environ: Environ, token: Token, limit: str | None) -> bytes:
    count = min(int(limit or Pages.page_size), Pages.max_page_size)
    query = newest(count + 1)
    claimed = str(token.get(sessions.USER_CLAIM))
    # There is no user 0.
    statement = query.statement(int(claimed) if claimed.isdecimal() and len(claimed) < 19 else 0)
    rows: list[Row] = []

    def find(session_id: UUID) -> list[DeviceSession]:
        nonlocal rows
        found, rows = rows_together(FIND_WITH_COUNTER.statement(session_id), statement)
        return FIND_WITH_COUNTER.objects(found)

    # Refuses what is not a session of just the user whom the token names.
    sessions.session_of_access_token(token, find=find)
    rendered = _remembered.rendered(query, rows[:count])
    further = None
    if len(rows) > count:
        (last,) = query.objects(rows[count - 1 : count])
        further = address_of(WSGIRequest(environ), position_of(last))
    return b'{"next":%b,"previous":null,"results":[%b]}' % (orjson.dumps(further), b",".join(rendered))


def _changes(environ: Environ, token: Token, since: str, limit: str | None) -> bytes | None:
    session = sessions.session_of_access_token(token, find=FIND_WITH_COUNTER)
    found = vars(session)
    counter = Counted(found["counted"], found["pruned"])
    most = int(limit or 500)
    if most > MOST_CHANGES:
        return None
    changes = changes_since(user=session.user, change=int(since), limit=most, counter=counter)
    return orjson.dumps(render_changes(changes))


ANSWERS: dict[str, tuple[str, re.Pattern[str], Callable[..., bytes | None]]] = {
    "/api/v1/torrents/": ("GET, POST, HEAD, OPTIONS", LIST, _newest),
    "/api/v1/torrents/changes/": ("GET, HEAD, OPTIONS", CHANGES, _changes),
}
