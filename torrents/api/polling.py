"""Who polls, and how far their changes have come, by one query: most polls end there."""

from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from rest_framework.request import Request
from rest_framework_simplejwt.tokens import Token

from accounts import sessions
from accounts.api.authentication import BearerAuthentication
from accounts.models import DeviceSession, User
from proxy_site.compiled_query import CompiledQuery
from torrents.models import ChangeCounter


def _with_counter(session_id: UUID) -> QuerySet[DeviceSession]:
    counter = ChangeCounter.objects.filter(user=OuterRef("user"))
    return DeviceSession.objects.with_user(session_id).annotate(
        counted=Coalesce(Subquery(counter.values("value")), Value(0)),
        pruned=Coalesce(Subquery(counter.values("pruned")), Value(0)),
    )


FIND_WITH_COUNTER = CompiledQuery(_with_counter, sessions.ANY_SESSION)


class PollAuthentication(BearerAuthentication):
    """As everywhere, with the caller's change counter read on the way."""

    counter: ChangeCounter

    def get_user(self, validated_token: Token) -> User:  # type: ignore[override]  # as in BearerAuthentication
        session = sessions.session_of_access_token(validated_token, find=FIND_WITH_COUNTER)
        found = vars(session)
        self.counter = ChangeCounter(user_id=session.user_id, value=found["counted"], pruned=found["pruned"])
        return session.user


def counter_of(request: Request) -> ChangeCounter:
    """The caller's counter as it was before anything else was read for this request."""
    authentication = request.successful_authenticator
    assert isinstance(authentication, PollAuthentication)
    return authentication.counter
