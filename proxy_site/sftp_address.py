"""Where SFTP is offered. Whoever serves it announces it here, and every app may tell it to people."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SftpAddress:
    """What people type into their SFTP client; the fingerprint is "SHA256:…"."""

    host: str
    port: int
    host_key_fingerprint: str


_announced: list[Callable[[], SftpAddress | None]] = []


def announce(address: Callable[[], SftpAddress | None]) -> None:
    """Called once, by an AppConfig's `ready`. `address` is asked each time: the host key comes to be later."""
    _announced[:] = [address]


def sftp_address() -> SftpAddress | None:
    """None where the box offers no SFTP."""
    return _announced[0]() if _announced else None
