"""Columns whose content is of no use to whoever has only the database: passkeys, passwords, tokens of services.

The key comes from SECRET_KEY, which a dump does not hold; SECRET_KEY_FALLBACKS open what an older one wrote.
"""

import base64
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models


class Unreadable(Exception):
    """What the column holds was written with a key that is not among ours."""


def encrypt(text: str) -> str:
    """As ASCII, some 4/3 of the length and 100 more; empty stays empty."""
    return _fernet(_secrets()).encrypt(text.encode()).decode("ascii") if text else ""


def decrypt(token: str) -> str:
    """What `encrypt` was given; raises Unreadable for anything that our keys did not write."""
    if not token:
        return ""
    try:
        return _fernet(_secrets()).decrypt(token.encode("ascii", "replace")).decode()
    except InvalidToken as error:
        raise Unreadable(
            "A secret in the database was written with another SECRET_KEY. Put the old one into SECRET_KEY_FALLBACKS."
        ) from error


def _secrets() -> tuple[str, ...]:
    return tuple(str(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=4)
def _fernet(secrets: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derived(secret)) for secret in secrets])


def _derived(secret: str) -> bytes:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"database columns").derive(secret.encode())
    return base64.urlsafe_b64encode(key)


if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


class EncryptedTextField(_TextField):
    """Text that PostgreSQL only ever sees encrypted. Cannot be searched: the same text is written differently each
    time."""

    def get_prep_value(self, value: Any) -> Any:
        return value if value is None else encrypt(str(value))

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        return value if value is None else decrypt(value)

    def get_lookup(self, lookup_name: str) -> Any:
        """Nothing can be found by it, so asking is a mistake."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None
