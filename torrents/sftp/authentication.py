"""Who somebody is who connects: by an SSH key of theirs, or by a transfer credential typed as a password."""

from typing import Protocol

from accounts import lockout, ssh_keys, transfer_credentials
from accounts.models import User


class Authenticator(Protocol):
    """Called in threads; may take a while. Counting failures towards the lockout is its own business."""

    def is_locked_out(self, *, username: str, address: str) -> bool: ...

    def user_for_key(self, *, username: str, public_key: str) -> User | None:
        """`public_key` as in OpenSSH's authorized_keys: type and base64. An active user, or None."""

    def user_for_secret(self, *, username: str, secret: str, address: str) -> User | None:
        """An active user whose credential has neither expired nor been revoked, or None."""


class AccountsAuthenticator:
    """The people, keys and credentials of `accounts`."""

    def is_locked_out(self, *, username: str, address: str) -> bool:
        return lockout.is_locked_out(username=username, address=address)

    def user_for_key(self, *, username: str, public_key: str) -> User | None:
        return ssh_keys.user_for_key(username=username, public_key=public_key)

    def user_for_secret(self, *, username: str, secret: str, address: str) -> User | None:
        return transfer_credentials.user_for_secret(username=username, secret=secret, address=address)
