"""Locks between processes: held by an open file, gone when the process is, on Linux, macOS and Windows."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    # Far beyond any content: a locked byte cannot be read by others on Windows.
    _LOCKED_BYTE = 1 << 30

    def try_lock(descriptor: int) -> bool:
        """Take the lock without waiting; False when another open file has it. Closing the file frees it."""
        position = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, position, os.SEEK_SET)
        return True

else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Take the lock without waiting; False when another open file has it. Closing the file frees it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@asynccontextmanager
async def file_lock(path: Path, *, timeout: float) -> AsyncIterator[None]:  # noqa: ASYNC109
    """Hold the lock of `path`, which is created and stays. Raises TimeoutError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with contextlib.closing(os.fdopen(descriptor, "r+b", buffering=0)):
        while not try_lock(descriptor):
            if time.monotonic() > deadline:
                raise TimeoutError
            await asyncio.sleep(0.05)
        yield
