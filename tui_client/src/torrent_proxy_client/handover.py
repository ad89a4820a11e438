"""What the server tells about ways to the files besides this client, and about who is logged in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from torrent_proxy_client.errors import BadAnswer
from torrent_proxy_client.models import Fields

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SftpServer:
    host: str
    port: int
    host_key_fingerprint: str  # as OpenSSH shows it, "SHA256:…" in base64

    @classmethod
    def from_json(cls, value: object) -> "SftpServer":
        read = Fields(value, "SFTP address")
        return cls(
            host=read.required("host", str),
            port=read.get("port", int, 22),
            host_key_fingerprint=read.get("host_key_fingerprint", str, ""),
        )


@dataclass(frozen=True, slots=True)
class TransferCredentials:
    id: str
    username: str
    secret: str
    expires_at: datetime | None
    sftp: SftpServer | None

    @classmethod
    def from_json(cls, value: object) -> "TransferCredentials":
        read = Fields(value, "transfer credential")
        sftp = read.optional("sftp", dict)
        return cls(
            id=read.identifier("id"),
            username=read.required("username", str),
            secret=read.required("secret", str),
            expires_at=read.time("expires_at"),
            sftp=SftpServer.from_json(sftp) if sftp else None,
        )


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    expires_at: datetime | None
    curl: str  # a whole command
    sftp_path: str  # where the torrent is found by SFTP; "" when the server does not say

    @classmethod
    def from_json(cls, value: object) -> "Link":
        read = Fields(value, "link")
        return cls(
            url=read.required("url", str),
            expires_at=read.time("expires_at"),
            curl=read.get("curl", str, ""),
            sftp_path=read.get("sftp_path", str, ""),
        )


@dataclass(frozen=True, slots=True)
class DeviceSession:
    id: str
    device_name: str
    created_at: datetime | None
    last_used_at: datetime | None
    current: bool

    @classmethod
    def from_json(cls, value: object) -> "DeviceSession":
        read = Fields(value, "session")
        return cls(
            id=read.identifier("id"),
            device_name=read.get("name", str, ""),
            created_at=read.time("created_at"),
            last_used_at=read.time("last_used_at"),
            current=read.get("current", bool, False),
        )


def many(value: object, make: Callable[[object], T]) -> tuple[T, ...]:
    """A list, bare or as a page with `results`."""
    items = value.get("results") if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise BadAnswer("The server sent something else than a list.", status=200)
    return tuple(make(item) for item in items)
