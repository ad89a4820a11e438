"""The terminal client's way by SFTP, to any server: `python -m benchmarks.own_client KEY PORT USER PATH`.

Throws away what it reads, and prints the seconds from connecting to the last byte.
"""

import asyncio
import sys
import time

import asyncssh

from torrent_proxy_client.sftp import CIPHERS, blocks


async def fetch(key: str, port: int, user: str, path: str) -> float:
    started = time.monotonic()
    async with (
        asyncssh.connect(
            "127.0.0.1",
            port,
            username=user,
            client_keys=[key],
            known_hosts=None,
            config=None,
            agent_path=None,
            encryption_algs=CIPHERS,
        ) as connection,
        connection.start_sftp_client() as client,
        client.open(path, "rb") as remote,
    ):
        size = (await remote.stat()).size or 0
        received = 0
        async for block in blocks(remote, 0, size):
            received += len(block)
        if received != size:
            raise RuntimeError(f"Only {received} of {size} bytes came.")
        return time.monotonic() - started


if __name__ == "__main__":
    key, port, user, path = sys.argv[1:]
    print(asyncio.run(fetch(key, int(port), user, path)))
