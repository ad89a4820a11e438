"""Who sends a request: `Authorization: Bearer <access>`."""

from typing import Any, cast

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed, ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken, Token

from accounts.models import User
from accounts.services import AccountDisabled, PasswordChanged, SessionExpired, SessionRefused, TokenNotValid

_REFUSALS: dict[str, type[SessionRefused]] = {
    "user_inactive": AccountDisabled,
    "password_changed": PasswordChanged,
}


class BearerAuthentication(JWTAuthentication):
    """simplejwt's, with refusals in words that a person understands."""

    def get_validated_token(self, raw_token: bytes) -> Token:
        try:
            return AccessToken(raw_token)  # type: ignore[arg-type]  # annotated wrongly upstream
        except ExpiredTokenError:
            raise SessionExpired from None
        except TokenError:
            raise TokenNotValid from None

    def get_user(self, validated_token: Token) -> Any:
        try:
            return super().get_user(validated_token)
        except AuthenticationFailed as error:
            detail = cast(dict[str, str], error.detail)
            raise _REFUSALS.get(detail["code"], TokenNotValid) from None


class BearerScheme(SimpleJWTScheme):  # type: ignore[no-untyped-call]  # drf-spectacular registers subclasses
    """Names the scheme in the generated API schema."""

    target_class = "accounts.api.authentication.BearerAuthentication"


def user_of(request: Request) -> User:
    """The caller of a view that anonymous people cannot reach."""
    assert isinstance(request.user, User)
    return request.user
