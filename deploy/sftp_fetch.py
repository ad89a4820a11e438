"""A person's download by SFTP, for the check: the host key compared with what the API says, the bytes hashed."""

import hashlib
from pathlib import Path

import asyncssh


async def fetch_by_sftp(
    *, host: str, port: int, host_key_fingerprint: str, username: str, secret: str, name: str, target: Path
) -> str:
    """Fetch /`name` to `target` with a transfer credential; gives its SHA-256 in hexadecimal.

    Raises asyncssh.Error, also for another host key than the API has named.
    """

    class Careful(asyncssh.SSHClient):
        def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
            return bool(key.get_fingerprint() == host_key_fingerprint)

    async with (
        asyncssh.connect(
            host,
            port,
            username=username,
            password=secret,
            client_keys=None,
            config=None,
            known_hosts=([], [], []),
            client_factory=Careful,
        ) as connection,
        connection.start_sftp_client() as client,
    ):
        await client.get(f"/{name}", target)
    with target.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
