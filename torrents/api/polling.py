"""Who polls, and how far their changes have come, by one query: most polls end there."""

import re
from typing import Any
from uuid import UUID

import orjson
from django.db import DatabaseError, InterfaceError
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework_simplejwt.tokens import Token

from accounts import sessions
from accounts.api.authentication import BearerAuthentication
from accounts.models import DeviceSession, User
from proxy_site.compiled_query import CompiledQuery
from torrents.api.serializers import MOST_CHANGES
from torrents.models import ChangeCounter


def _with_counter(session_id: UUID) -> QuerySet[DeviceSession]:
    counter = ChangeCounter.objects.filter(user=OuterRef("user"))
    return DeviceSession.objects.with_user(session_id).annotate(
        counted=Coalesce(Subquery(counter.values("value")), Value(0)),
        pruned=Coalesce(Subquery(counter.values("pruned")), Value(0)),
    )


KNOWN = "torrents.poll"  # in META, where headers cannot get: their names begin with HTTP_
PLAIN_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
FIND_WITH_COUNTER = CompiledQuery(_with_counter, sessions.ANY_SESSION)


class PollAuthentication(BearerAuthentication):
    """As everywhere, with the caller's change counter read on the way: once a request, however often it is asked."""

    found: Any  # the user and the token
    counter: ChangeCounter

    def authenticate(self, request: Any) -> Any:
        """Of Django's request or REST framework's."""
        known: PollAuthentication | None = request.META.get(KNOWN)
        if known is not None:
            self.found, self.counter = known.found, known.counter
            return self.found
        found = super().authenticate(request)
        if found is not None:
            self.found = found
            request.META[KNOWN] = self
        return found

    def get_user(self, validated_token: Token) -> User:  # type: ignore[override]  # as in BearerAuthentication
        session = sessions.session_of_access_token(validated_token, find=FIND_WITH_COUNTER)
        found = vars(session)
        self.counter = ChangeCounter(user_id=session.user_id, value=found["counted"], pruned=found["pruned"])
        return session.user


def unchanged(request: HttpRequest) -> HttpResponse | None:
    """What most polls are answered, that nothing changed, without troubling REST framework: neither its permissions
    (somebody asks, that is all) nor its throttles (there are none). None for any other, whose answer is the view's to
    find, be it a refusal.
    """
    since, limit = request.GET.get("since", ""), request.GET.get("limit", "1")
    if (
        request.method != "GET"
        or not request.GET.keys() <= {"since", "limit"}
        or not (PLAIN_NUMBER.fullmatch(since) and PLAIN_NUMBER.fullmatch(limit))
        or not 1 <= int(limit) <= MOST_CHANGES
        or request.META.get("HTTP_ACCEPT", "*/*") not in ("*/*", "application/json")
    ):
        return None
    authentication = PollAuthentication()
    try:
        asked_by_somebody = authentication.authenticate(request) is not None
    except (APIException, DatabaseError, InterfaceError):
        return None
    if not asked_by_somebody or authentication.counter.value != int(since):
        return None
    nothing = {"change": int(since), "more": False, "reset": False, "torrents": [], "removed": []}
    return HttpResponse(
        orjson.dumps(nothing), content_type="application/json", headers={"Allow": "GET, HEAD, OPTIONS"}
    )


def counter_of(request: Request) -> ChangeCounter:
    """The caller's counter as it was before anything else was read for this request."""
    authentication = request.successful_authenticator
    assert isinstance(authentication, PollAuthentication)
    return authentication.counter
