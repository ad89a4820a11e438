"""Network namespaces: networks of a test's own, which end with the descriptors that hold them."""

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator

import pytest

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def run(*command: str, descriptors: tuple[int, ...] = ()) -> None:
    """Run it in the calling thread's network. Raises RuntimeError with what it said where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, pass_fds=descriptors, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")


def new_namespace() -> int:
    """A descriptor of a new, empty network. Skips the test where none can be made."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if _libc.unshare(_CLONE_NEWNET) != 0:
            pytest.skip(f"no network namespace can be made here: {os.strerror(ctypes.get_errno())}")
        made = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _enter(before)
    finally:
        os.close(before)
    return made


@contextlib.contextmanager
def inside(namespace: int) -> Iterator[None]:
    """What the calling thread opens and starts meanwhile belongs to this network namespace, for good."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _enter(namespace)
        yield
    finally:
        _enter(before)
        os.close(before)


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "cannot change the network namespace")
