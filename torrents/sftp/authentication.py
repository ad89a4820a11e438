"""Who somebody is who connects: by an SSH key of theirs, or by a transfer credential typed as a password.

Everything here asks the database, so it is called in threads.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from accounts import audit, lockout, ssh_keys, transfer_credentials
from accounts.models import SshKey, TransferCredential, User

ONE_EVENT_IN = timedelta(minutes=10)  # of a kind, person and address: programs log in again and again


@dataclass(frozen=True, slots=True)
class Login:
    """What let somebody in. `password` is the person's, hashed, as it was then."""

    user: User
    password: str
    key_id: int | None = None
    credential_id: UUID | None = None


def login_by_key(*, username: str, public_key: str, address: str) -> Login | None:
    """`public_key` as in OpenSSH's authorized_keys: type and base64. That it is theirs is yet to be proven."""
    if lockout.is_locked_out(username=username, address=address):
        return None
    key = ssh_keys.key_of(username=username, public_key=public_key)
    return None if key is None else Login(key.user, key.user.password, key_id=key.pk)


def login_by_secret(*, username: str, secret: str, address: str) -> Login | None:
    """By a credential that has neither expired nor been revoked. Counts towards the lockout."""
    found = transfer_credentials.credential_of(username=username, secret=secret, address=address)
    return None if found is None else Login(found.user, found.user.password, credential_id=found.pk)


def record_login(login: Login, *, address: str) -> None:
    way = "an SSH key" if login.key_id is not None else "a transfer password"
    by = audit.By(login.user, address, audit.Channel.SFTP)
    detail = f"To SFTP, with {way}."
    audit.record_once(audit.Action.LOGGED_IN, user=login.user, by=by, detail=detail, within=ONE_EVENT_IN)


def record_refused_keys(*, username: str, address: str) -> None:
    """Not a failure that counts: an agent offers every key it holds, and nobody guesses one."""
    user = User.objects.named(username.replace("\0", "")).first()
    by = audit.By(address=address, channel=audit.Channel.SFTP)
    detail = "To SFTP, with unknown SSH keys."
    audit.record_once(audit.Action.LOGIN_FAILED, user=user, by=by, detail=detail, within=ONE_EVENT_IN)


def still_good(logins: Collection[Login]) -> set[Login]:
    """Those that would not have to end now. A credential that has expired since opens nothing new and ends nothing.

    Taken back are: disabled and deleted people, deleted keys, revoked credentials, and all credentials of somebody
    whose password was changed.
    """
    users = User.objects.filter(pk__in={login.user.pk for login in logins}, is_active=True)
    passwords = dict(users.values_list("pk", "password"))
    key_ids = {login.key_id for login in logins if login.key_id is not None}
    keys = set(SshKey.objects.filter(pk__in=key_ids).values_list("pk", flat=True))
    credential_ids = {login.credential_id for login in logins if login.credential_id is not None}
    # A row that is gone expired long ago: it was not revoked.
    revoked = set(
        TransferCredential.objects.filter(pk__in=credential_ids, revoked_at__isnull=False).values_list(
            "pk", flat=True
        )
    )

    def is_good(login: Login) -> bool:
        if login.user.pk not in passwords:
            return False
        if login.key_id is not None:
            return login.key_id in keys
        return login.credential_id not in revoked and passwords[login.user.pk] == login.password

    return {login for login in logins if is_good(login)}
