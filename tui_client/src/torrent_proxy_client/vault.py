"""Tokens in the keyring of the operating system, where the package `keyring` is installed and finds one.

The only module that imports keyring, and only when a session says so or a person logs in: it takes 100 ms.
"""

import importlib
import json
from typing import Any

_SERVICE = "torrent-proxy"
_MOST = 1280  # characters of an entry on Windows


class NoKeyring(Exception):
    """There is none that can be used; a file is the way."""


def put(account: str, tokens: tuple[str, str]) -> None:
    """Raises NoKeyring, also when the tokens are too long for some system's keyring."""
    text = json.dumps(tokens)
    if len(text) > _MOST:
        raise NoKeyring
    _call("set_password", account, text)


def get(account: str) -> tuple[str, str]:
    """(access, refresh); raises NoKeyring when there is no such entry either."""
    match _read(_call("get_password", account)):
        case [str(access), str(refresh)]:
            return access, refresh
    raise NoKeyring


def remove(account: str) -> None:
    """Raises NoKeyring."""
    _call("delete_password", account)


def _call(name: str, *arguments: str) -> Any:
    try:
        keyring = importlib.import_module("keyring")
    except ImportError as error:
        raise NoKeyring from error
    # A viable backend has a priority of at least one; plaintext and refusing ones have less.
    if keyring.get_keyring().priority < 1:
        raise NoKeyring
    try:
        return getattr(keyring, name)(_SERVICE, *arguments)
    # Backends raise whatever their system does: a locked, absent or broken one is none.
    except Exception as error:
        raise NoKeyring from error


def _read(text: object) -> object:
    try:
        return json.loads(str(text))
    except ValueError:
        return None
