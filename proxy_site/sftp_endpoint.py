"""How people reach the SFTP server, and the key by which they know that it is ours."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from proxy_site.stored_secret import stored_secret

SSH_PORT = 22


@dataclass(frozen=True, slots=True)
class SftpEndpoint:
    """`host_key_fingerprint` as `ssh` shows it: SHA256:… in base64 without padding."""

    host: str
    port: int
    host_key_fingerprint: str


def sftp_endpoint(default_host: str) -> SftpEndpoint | None:
    """None where this box hands over by HTTPS only. `default_host`: how the asker reaches the web process."""
    address = listen_address()
    if address is None:
        return None
    host, port = split_address(settings.SFTP_PUBLIC_HOST, address[1])
    return SftpEndpoint(host or default_host, port, fingerprint())


def listen_address() -> tuple[str, int] | None:
    """Host and port of SFTP_ADDRESS; None where it is empty."""
    return split_address(settings.SFTP_ADDRESS, SSH_PORT) if settings.SFTP_ADDRESS else None


def split_address(text: str, default_port: int) -> tuple[str, int]:
    """HOST, HOST:PORT or [IPv6]:PORT, the brackets taken away."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        return text.strip("[]"), default_port
    return host.strip("[]"), int(port)


def host_key() -> str:
    """The private key in OpenSSH's format: made once, kept in DATA_DIR/secrets, the same ever after."""
    return stored_secret(settings.DATA_DIR / "secrets" / "sftp_host_key", make=_new_key) + "\n"


@cache
def fingerprint() -> str:
    key = serialization.load_ssh_private_key(host_key().encode(), password=None)
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _new_key() -> str:
    return (
        Ed25519PrivateKey.generate()
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
        .decode()
        .strip()
    )
