"""Everything that changes an account or a session. One transaction each.

A session is a refresh token that is neither used, ended nor expired, and the access tokens made from it.
Whoever changes a user's sessions locks the user's row first, then the token's: always in that order.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.utils import datetime_from_epoch, get_md5_hash_password

from accounts.models import User
from proxy_site.api.errors import ApiError

# No 0 and o, no 1, i and l: a person may have to read it out. 4 groups of 4 from 31 signs are 79 bits.
READABLE_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP_LENGTH = 4, 4


class SessionRefused(ApiError):
    """Nobody is logged in by this. The code says why: `no_active_account`, `token_not_valid`, `user_inactive`
    or `password_changed`.
    """

    status_code = 401
    auth_header = 'Bearer realm="api"'  # RFC 9110: a 401 names a scheme


class WrongCredentials(SessionRefused):
    """One sentence for an unknown name, a wrong password and a disabled account: strangers learn nothing."""

    default_code = "no_active_account"
    default_detail = "The username or the password is wrong. Try again, or ask your admin for a new password."


class TokenNotValid(SessionRefused):
    default_code = "token_not_valid"
    default_detail = "Your session is not valid. Log in again."


class SessionExpired(TokenNotValid):
    default_detail = "Your session has expired. Log in again."


class SessionEnded(TokenNotValid):
    default_detail = "This session has ended or was renewed elsewhere. Log in again."


class AccountDisabled(SessionRefused):
    default_code = "user_inactive"
    default_detail = "Your account is disabled. Ask your admin."


class PasswordChanged(SessionRefused):
    default_code = "password_changed"
    default_detail = "Your password was changed. Log in with the new one."


@dataclass(frozen=True, slots=True)
class Session:
    """`access` opens the API until `access_expires_at`; `refresh` trades for the next session, once."""

    user: User
    access: str
    refresh: str
    access_expires_at: datetime


def generate_password() -> str:
    """Strong, and readable over a telephone: `k7mp-x2qd-9rvw-hj4t`."""
    return "-".join(
        "".join(secrets.choice(READABLE_SIGNS) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS)
    )


@transaction.atomic
def create_user(*, username: str, role: str, password: str | None = None) -> tuple[User, str | None]:
    """Store a user; without a password, make one and return it: it can never be read again.

    Raises ValidationError, by field.
    """
    user = User(username=username, role=role)
    user.full_clean(exclude=["password"])
    generated = _set_password(user, password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:  # another request took the name between the check and now
        user.validate_constraints()
        raise
    return user, generated


@transaction.atomic
def set_password(*, user: User, password: str | None = None) -> str | None:
    """Replace the password, which ends every session of the user; without one, make and return it.

    Raises ValidationError for `password`.
    """
    generated = _set_password(user, password)
    user.save(update_fields=["password"])  # tokens carry a digest of the old one: CHECK_REVOKE_TOKEN
    return generated


@transaction.atomic
def disable_user(*, user: User) -> None:
    """Lock a person out at once and end all sessions. Torrents stay. Disabling twice is no error."""
    _lock(user.pk)
    _set_active(user, False)
    alive = OutstandingToken.objects.filter(user=user, blacklistedtoken=None, expires_at__gt=timezone.now())
    BlacklistedToken.objects.bulk_create(BlacklistedToken(token=token) for token in alive)


@transaction.atomic
def enable_user(*, user: User) -> None:
    """Let a person log in again, with the old password. Sessions from before stay ended."""
    _lock(user.pk)
    _set_active(user, True)


def start_session(*, username: str, password: str) -> Session:
    """Log in. Raises WrongCredentials; a hash is computed in every case, so time tells nothing either."""
    found = authenticate(username=username, password=password)
    if not isinstance(found, User):
        raise WrongCredentials
    with transaction.atomic():
        user = _lock(found.pk)
        # Disabled, or given a new password, while the hash was computed.
        if user is None or not user.is_active or user.password != found.password:
            raise WrongCredentials
        user.last_login = timezone.now()
        user.save(update_fields=["last_login"])
        return _new_session(user)


@transaction.atomic
def refresh_session(*, refresh: str) -> Session:
    """Trade a refresh token for a new session; the token is dead afterwards.

    Of any number of simultaneous trades of one token exactly one succeeds.
    Raises SessionExpired, SessionEnded, TokenNotValid, AccountDisabled or PasswordChanged.
    """
    token = _read(refresh)
    user = _lock(token[api_settings.USER_ID_CLAIM])
    if user is None:
        raise TokenNotValid
    if not user.is_active:
        raise AccountDisabled
    if token.get(api_settings.REVOKE_TOKEN_CLAIM) != get_md5_hash_password(user.password):
        raise PasswordChanged
    _end(token, user)
    return _new_session(user)


@transaction.atomic
def end_session(*, refresh: str) -> None:
    """Log out: the refresh token is dead, its last access token runs out by itself (10 minutes at most).

    Ending a session that has already ended is no error. Raises TokenNotValid for what never was one.
    """
    try:
        token = _read(refresh)
        _end(token, _lock(token[api_settings.USER_ID_CLAIM]))
    except (SessionExpired, SessionEnded):
        return


class _UncheckedRefreshToken(RefreshToken):
    """A signed, unexpired refresh token. Whether it was used is asked under the row's lock, not here."""

    def check_blacklist(self) -> None:
        pass


def _read(refresh: str) -> RefreshToken:
    try:
        return _UncheckedRefreshToken(refresh)  # type: ignore[arg-type]  # annotated wrongly upstream
    except ExpiredTokenError:
        raise SessionExpired from None
    except TokenError:
        raise TokenNotValid from None


def _end(token: RefreshToken, user: User | None) -> None:
    """Mark a token as used. Raises SessionEnded if somebody did so before."""
    row = (
        OutstandingToken.objects.select_for_update()
        .filter(jti=token[api_settings.JTI_CLAIM], user=user)
        .first()
    )
    if row is None:
        raise TokenNotValid
    _, ended_now = BlacklistedToken.objects.get_or_create(token=row)
    if not ended_now:
        raise SessionEnded


def _new_session(user: User) -> Session:
    refresh = RefreshToken.for_user(user)
    access = refresh.access_token
    return Session(
        user=user,
        access=str(access),
        refresh=str(refresh),
        access_expires_at=datetime_from_epoch(access["exp"]),
    )


def _lock(user_id: int | str) -> User | None:
    """The user's row as it is now. `no_key`: adding rows that refer to a user need not wait."""
    return User.objects.select_for_update(no_key=True).filter(pk=user_id).first()


def _set_active(user: User, active: bool) -> None:
    user.is_active = active
    user.save(update_fields=["is_active"])


def _set_password(user: User, password: str | None) -> str | None:
    """Without a password, make one and return it."""
    if password is None:
        generated = generate_password()
        user.set_password(generated)
        return generated
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.error_list}) from None
    user.set_password(password)
    return None
