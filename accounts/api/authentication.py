"""Who sends a request: `Authorization: Bearer <access>`."""

from functools import lru_cache
from uuid import UUID

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken, Token
from rest_framework_simplejwt.utils import aware_utcnow

from accounts import audit, sessions
from accounts.addresses import address_of
from accounts.models import User


class BearerAuthentication(JWTAuthentication):
    """simplejwt's signature and expiry, our sessions, and refusals in words that a person understands."""

    def get_validated_token(self, raw_token: bytes) -> Token:
        try:
            token = _verified(raw_token)
        except ExpiredTokenError:
            raise sessions.SessionExpired from None
        except TokenError:
            raise sessions.TokenNotValid from None
        try:
            token.check_exp(current_time=aware_utcnow())
        except TokenError:
            raise sessions.SessionExpired from None
        return token

    def get_user(self, validated_token: Token) -> User:  # type: ignore[override]  # its TypeVar has no user in it
        return sessions.session_of_access_token(validated_token).user


_BEARER = BearerAuthentication()


def token_of(authorization: str) -> Token | None:
    """The access token that this header holds, signed and not expired: None where it holds none, and the refusals of
    BearerAuthentication. Whether its session still lives is to be asked (sessions.session_of_access_token)."""
    token = _BEARER.get_raw_token(authorization.encode("latin-1"))
    return _BEARER.get_validated_token(token) if token is not None else None


@lru_cache(maxsize=1024)
def _verified(raw_token: bytes) -> AccessToken:
    """A signature holds for good, so it is computed once. Whether the token has expired, and whether its session still
    lives, is asked each time. What is not valid raises, and is not remembered."""
    return AccessToken(raw_token)  # type: ignore[arg-type]  # annotated wrongly upstream


class BearerScheme(SimpleJWTScheme):  # type: ignore[no-untyped-call]  # drf-spectacular registers subclasses
    """Names the scheme in the generated API schema."""

    target_class = "accounts.api.authentication.BearerAuthentication"


def user_of(request: Request) -> User:
    """The caller of a view that anonymous people cannot reach."""
    assert isinstance(request.user, User)
    return request.user


def session_id_of(request: Request) -> UUID:
    """The session that the caller's access token is of."""
    assert isinstance(request.auth, Token)
    return UUID(hex=request.auth[sessions.SESSION_CLAIM])


def caller(request: Request) -> audit.By:
    return audit.By(user_of(request), address_of(request))
