"""Who somebody is who connects: by an SSH key of theirs, or by a transfer credential typed as a password."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from accounts.models import User


class Authenticator(Protocol):
    """Called in threads; may take a while. Counting failures towards the lockout is its own business."""

    def is_locked_out(self, *, username: str, address: str) -> bool: ...

    def user_for_key(self, *, username: str, public_key: str) -> User | None:
        """`public_key` as in OpenSSH's authorized_keys: type and base64. An active user, or None."""

    def user_for_secret(self, *, username: str, secret: str, address: str) -> User | None:
        """An active user whose credential has neither expired nor been revoked, or None."""


class AccountsAuthenticator:
    """The people and credentials of `accounts`. Where it keeps no such credentials, nobody gets in."""

    def is_locked_out(self, *, username: str, address: str) -> bool:
        locked_out = _service("lockout", "is_locked_out")
        return bool(locked_out and locked_out(username=username, address=address))

    def user_for_key(self, *, username: str, public_key: str) -> User | None:
        find = _service("ssh_keys", "user_for_key")
        return find(username=username, public_key=public_key) if find else None

    def user_for_secret(self, *, username: str, secret: str, address: str) -> User | None:
        find = _service("transfer_credentials", "user_for_secret")
        return find(username=username, secret=secret, address=address) if find else None


def _service(module: str, name: str) -> Any:
    if find_spec(f"accounts.{module}") is None:
        return None
    return getattr(import_module(f"accounts.{module}"), name)
