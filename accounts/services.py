"""Everything that changes an account. One transaction each. Sessions have a module of their own: `sessions.py`.

Whoever changes a user's sessions as a whole locks the user's row first, then theirs: always in that order.
"""

import secrets
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import audit, login, sessions, transfer_credentials
from accounts.audit import COMMAND_LINE, By
from accounts.models import User
from proxy_site.api.errors import ApiError

# No 0 and o, no 1, i and l: a person may have to read it out. 4 groups of 4 from 31 signs are 79 bits.
READABLE_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP_LENGTH = 4, 4


def generate_password() -> str:
    """Strong, and readable over a telephone: `k7mp-x2qd-9rvw-hj4t`."""
    return "-".join(
        "".join(secrets.choice(READABLE_SIGNS) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS)
    )


class WrongOldPassword(ApiError):
    default_code = "wrong_password"
    default_detail = "This is not your present password. Type it again, or ask your admin for a new one."


@transaction.atomic
def create_user(
    *, username: str, role: str, password: str | None = None, by: By = COMMAND_LINE
) -> tuple[User, str | None]:
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
    audit.record(audit.Action.USER_CREATED, user=user, by=by, detail=f"As {user.role}.")
    return user, generated


@transaction.atomic
def set_password(*, user: User, password: str | None = None, by: By = COMMAND_LINE) -> str | None:
    """Replace the password, which ends every session of the user; without one, make and return it.

    Raises ValidationError for `password`.
    """
    _lock(user.pk)
    generated = _set_password(user, password)
    user.save(update_fields=["password"])
    _shut_out(user, by)
    audit.record(audit.Action.PASSWORD_RESET, user=user, by=by)
    return generated


def change_own_password(
    *, user: User, old_password: str, new_password: str, session_id: UUID, address: str = ""
) -> int:
    """Replace one's own password, which ends the other sessions; how many these were.

    Raises WrongOldPassword (which counts towards the lockout), ValidationError for `new_password`, LockedOut or
    TooBusy.
    """
    found = login.check_password(
        username=user.username, password=old_password, address=address, channel=audit.Channel.APP
    )
    if found is None or found.pk != user.pk:
        raise WrongOldPassword
    try:
        validate_password(new_password, user)
    except ValidationError as error:
        raise ValidationError({"new_password": error.error_list}) from None
    by, proven = By(user, address), found.password
    with login.one_of_few_hashes():
        found.set_password(new_password)
    with transaction.atomic():
        locked = _lock(user.pk)
        if locked is None or not locked.is_active or locked.password != proven:
            raise WrongOldPassword  # disabled, or given a new password, while the hashes were computed
        user.password = found.password
        user.save(update_fields=["password"])
        sessions.keep_through_new_password(session_id=session_id, user=user)
        ended = _shut_out(user, by, keep=session_id)
        audit.record(audit.Action.PASSWORD_CHANGED, user=user, by=by)
    return ended


@transaction.atomic
def disable_user(*, user: User, by: By = COMMAND_LINE) -> bool:
    """Lock a person out at once: sessions, SSH keys, transfer passwords. Torrents stay. Whether that is new."""
    changed = _set_active(user, False)
    _shut_out(user, by)
    if changed:
        audit.record(audit.Action.USER_DISABLED, user=user, by=by)
    return changed


@transaction.atomic
def enable_user(*, user: User, by: By = COMMAND_LINE) -> bool:
    """Let a person log in again, with the old password and keys; sessions stay ended. Whether that is new."""
    changed = _set_active(user, True)
    if changed:
        audit.record(audit.Action.USER_ENABLED, user=user, by=by)
    return changed


@transaction.atomic
def set_limits(*, user: User, limits: Mapping[str, int | None], by: By = COMMAND_LINE) -> list[str]:
    """Set some of a person's limits, by the names of `User`'s fields; None takes one back. Which ones changed.

    `user` has them all as they are afterwards.
    """
    _lock(user.pk)
    user.refresh_from_db()
    changed = sorted(name for name, value in limits.items() if getattr(user, name) != value)
    if changed:
        for name in changed:
            setattr(user, name, limits[name])
        user.save(update_fields=changed)
        note_changes(user=user, names=changed, by=by)
    return changed


def note_changes(*, user: User, names: Iterable[str], by: By) -> None:
    """In the audit log: what these fields of a person hold now."""
    values = ", ".join(f"{name} {getattr(user, name) or 'default'}" for name in names)
    audit.record(audit.Action.USER_CHANGED, user=user, by=by, detail=values)


def _shut_out(user: User, by: By, keep: UUID | None = None) -> int:
    """End what was opened with the old state of an account; how many sessions."""
    transfer_credentials.revoke_all(user=user)
    return sessions.end_all_sessions(user=user, by=by, keep=keep)


def _lock(user_id: int | str) -> User | None:
    """The user's row as it is now. `no_key`: adding rows that refer to a user need not wait."""
    return User.objects.select_for_update(no_key=True).filter(pk=user_id).first()


def _set_active(user: User, active: bool) -> bool:
    """Whether that is new, under the lock of the row."""
    locked = _lock(user.pk)
    user.is_active = active
    user.save(update_fields=["is_active"])
    return locked is None or locked.is_active != active


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
