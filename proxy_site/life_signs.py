"""What systemd is told by a process that it started: that it works now, and that it is not stuck.

A unit with Type=notify counts as started after `ready`; one with WatchdogSec= is started anew when `alive` was not
called for that long. For every other process both do nothing.
"""

import os
import socket


def ready() -> None:
    _tell(b"READY=1")


def alive() -> None:
    """Cheap enough to be called once a second. Only from where it proves that work goes on."""
    _tell(b"WATCHDOG=1")


def _tell(state: bytes) -> None:
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # an abstract one
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notifying:
        notifying.sendto(state, address)
