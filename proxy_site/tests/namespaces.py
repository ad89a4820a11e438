"""Network namespaces for tests of several machines. They end with the test: nothing but descriptors holds them."""

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def require(*programs: str) -> None:
    """Skips the test where namespaces cannot be made, or a program that it needs is missing."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a network namespace")
    if missing := [program for program in programs if shutil.which(program) is None]:
        pytest.skip(f"not installed: {', '.join(missing)}; deploy/test.sh does that")


def new_namespace() -> int:
    """A descriptor, for the caller to close. Skips the test where none can be made."""
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


def run(*command: str, descriptors: tuple[int, ...] = (), typed: str = "") -> None:
    """Raises RuntimeError with what the command said where it fails."""
    done = subprocess.run(
        command, input=typed, capture_output=True, text=True, pass_fds=descriptors, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "cannot change the network namespace")
