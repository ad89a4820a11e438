"""Logged-in devices: one `DeviceSession` each, renewed by rotating refresh tokens.

A refresh token is `<session id>.<generation>.<HMAC of both>`. The successor of a token is therefore always the same
one, and nothing that opens anything is stored. For `GRACE` after a token was replaced it gets that successor again:
parallel refreshes and lost replies are normal. Used after that, it is in two hands, and the session ends.
Access tokens are short JWTs that name their session; it is looked up with the user, in one query, on each request.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from rest_framework_simplejwt.tokens import AccessToken
from rest_framework_simplejwt.utils import datetime_from_epoch

from accounts import audit, login
from accounts.device_names import plain_name
from accounts.models import DeviceSession, User
from accounts.signals import access_ended
from proxy_site.api.errors import ApiError
from proxy_site.compiled_query import CompiledQuery

GRACE = timedelta(seconds=30)
MOST_ROTATIONS = 32  # that are remembered within the grace
MOST_SESSIONS = 50  # of one person; a new login ends the one unused for longest
SESSION_CLAIM, USER_CLAIM = "sid", "sub"
ANY_SESSION = UUID(int=0)
FIND_WITH_USER = CompiledQuery(DeviceSession.objects.with_user, ANY_SESSION)
_REFRESH_TOKEN = re.compile(r"([0-9a-f]{32})\.(0|[1-9][0-9]{0,8})\.([0-9a-f]{64})", re.ASCII)


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


def start_session(*, username: str, password: str, device_name: str = "", address: str = "") -> Session:
    """Log in. Raises WrongCredentials, LockedOut or TooBusy."""
    found = login.check_password(
        username=username, password=password, address=address, channel=audit.Channel.APP
    )
    if found is None:
        raise WrongCredentials
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).filter(pk=found.pk).first()
        # Disabled, or given a new password, while the hash was computed.
        if user is None or not user.is_active or user.password != found.password:
            raise WrongCredentials
        user.last_login = timezone.now()
        user.save(update_fields=["last_login"])
        session = open_session(user=user, device_name=device_name, address=address)
        by = audit.By(user, address, audit.Channel.APP)
        audit.record(audit.Action.LOGGED_IN, user=user, by=by, detail=f"On {session.name}.")
        return _tokens(session)


def open_session(*, user: User, device_name: str = "", address: str = "") -> DeviceSession:
    """A session for somebody who has proven to be this user. The caller holds the lock on the user's row."""
    surplus = DeviceSession.objects.alive().filter(user=user).order_by("-last_used_at")[MOST_SESSIONS - 1 :]
    DeviceSession.objects.filter(pk__in=[old.pk for old in surplus]).update(ended_at=timezone.now())
    return DeviceSession.objects.create(
        user=user,
        name=plain_name(device_name) or "Unknown device",
        last_address=address or None,
        expires_at=_expiry(),
        auth_hash=user.get_session_auth_hash(),
    )


def refresh_session(*, refresh: str, address: str = "") -> Session:
    """Trade a refresh token for a new session; the token is dead after `GRACE`.

    Any number of simultaneous trades of one token get the same successor.
    Raises SessionExpired, SessionEnded, TokenNotValid, AccountDisabled or PasswordChanged.
    """
    session_id, generation = _read(refresh)
    with transaction.atomic():
        session = _lock(session_id)
        _refuse_unless_alive(session)
        if _rotate(session, generation):
            session.last_used_at = timezone.now()
            session.last_address = address or None
            session.expires_at = _expiry()
            session.save()
            return _tokens(session, generation + 1)
        _end(session, audit.Action.TOKEN_REUSED, audit.By(address=address))
    raise SessionEnded


@transaction.atomic
def end_session(*, refresh: str, address: str = "") -> None:
    """Log out: the whole session is dead at once, its access tokens too.

    Ending a session that has already ended is no error. Raises TokenNotValid for what never was one.
    """
    session_id, _ = _read(refresh)
    session = DeviceSession.objects.alive().select_for_update().filter(pk=session_id).first()
    if session is not None:
        _end(session, audit.Action.SESSION_ENDED, audit.By(session.user, address))


def end_device_session(*, user: User, session_id: UUID, by: audit.By) -> bool:
    """End one of a person's sessions; False where that person has no such living session."""
    with transaction.atomic():
        session = DeviceSession.objects.alive().select_for_update().filter(user=user, pk=session_id).first()
        if session is None:
            return False
        _end(session, audit.Action.SESSION_ENDED, by)
        return True


@transaction.atomic
def end_all_sessions(*, user: User, by: audit.By, keep: UUID | None = None) -> int:
    """End every session of a person, but for one to keep; how many these were. Signed links end with them."""
    alive = DeviceSession.objects.alive().select_for_update().filter(user=user).order_by("pk")
    ended = [session for session in alive if session.pk != keep]
    for session in ended:
        _end(session, audit.Action.SESSION_ENDED, by)
    access_ended.send(sender=User, user=user)
    return len(ended)


def keep_through_new_password(*, session_id: UUID, user: User) -> None:
    """The session that changes its own password goes on."""
    DeviceSession.objects.filter(pk=session_id, user=user).update(auth_hash=user.get_session_auth_hash())


def access_token(session: DeviceSession) -> AccessToken:
    token = AccessToken()
    token[USER_CLAIM] = str(session.user_id)
    token[SESSION_CLAIM] = session.pk.hex
    return token


def session_of_access_token(
    claims: Any, *, find: Callable[[UUID], list[DeviceSession]] = FIND_WITH_USER
) -> DeviceSession:
    """The living session, and so the user, whose request this is. `claims` are those of a valid access token; `find`
    is FIND_WITH_USER or a query like it that brings along more.

    Raises TokenNotValid, SessionExpired, SessionEnded, AccountDisabled or PasswordChanged.
    """
    try:
        session_id = UUID(hex=claims[SESSION_CLAIM])
    except (KeyError, ValueError, TypeError, AttributeError):
        raise TokenNotValid from None
    session = next(iter(find(session_id)), None)
    if session is None or str(session.user_id) != str(claims.get(USER_CLAIM)):
        raise TokenNotValid
    _refuse_unless_alive(session)
    return session


def prune() -> int:
    """Delete sessions that cannot be renewed any more; how many."""
    now = timezone.now()
    ended = DeviceSession.objects.filter(ended_at__lt=now - timedelta(days=1))
    expired = DeviceSession.objects.filter(expires_at__lt=now - timedelta(days=1))
    return ended.delete()[0] + expired.delete()[0]


def refresh_token(session_id: UUID, generation: int) -> str:
    signed = f"{session_id.hex}.{generation}"
    return f"{signed}.{_signature(signed)}"


def _signature(signed: str) -> str:
    return salted_hmac("accounts.sessions.refresh", signed, algorithm="sha256").hexdigest()


def _read(refresh: str) -> tuple[UUID, int]:
    match = _REFRESH_TOKEN.fullmatch(refresh)
    if match is None or not constant_time_compare(match[3], _signature(f"{match[1]}.{match[2]}")):
        raise TokenNotValid
    return UUID(hex=match[1]), int(match[2])


def _lock(session_id: UUID) -> DeviceSession:
    found = (
        DeviceSession.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(pk=session_id)
        .first()
    )
    if found is None:
        raise TokenNotValid
    return found


def _refuse_unless_alive(session: DeviceSession) -> None:
    if not session.user.is_active:
        raise AccountDisabled
    if not constant_time_compare(session.auth_hash, session.user.get_session_auth_hash()):
        raise PasswordChanged
    if session.ended_at is not None:
        raise SessionEnded
    if session.expires_at <= timezone.now():
        raise SessionExpired
    return


def _rotate(session: DeviceSession, generation: int) -> bool:
    """Replace the generation by the next, or find that this was done within the grace; False: a reuse.

    Raises TokenNotValid for a generation that is yet to come: somebody restored an old database.
    """
    now = timezone.now()
    age = session.generation - generation
    if age < 0:
        raise TokenNotValid
    if age > 0:
        return age <= len(session.rotations) and now - session.rotations[-age] <= GRACE
    recent = [moment for moment in session.rotations if now - moment <= GRACE]
    session.rotations = [*recent, now][-MOST_ROTATIONS:]
    session.generation += 1
    return True


def _end(session: DeviceSession, action: audit.Action, by: audit.By) -> None:
    session.ended_at = timezone.now()
    session.save(update_fields=["ended_at"])
    audit.record(action, user=session.user, by=by, detail=f"{session.name}.")


def _tokens(session: DeviceSession, generation: int = 0) -> Session:
    access = access_token(session)
    return Session(
        user=session.user,
        access=str(access),
        refresh=refresh_token(session.pk, generation),
        access_expires_at=datetime_from_epoch(access["exp"]),
    )


def _expiry() -> datetime:
    return timezone.now() + timedelta(days=settings.REFRESH_TOKEN_DAYS)
