"""Fingerprints of certificates that a person has compared, for servers without a public certificate."""

import re
from pathlib import Path

from torrent_proxy_client.errors import BadServerAddress, ClientError
from torrent_proxy_client.files import read_json_object, write_json

_HEX = re.compile(r"[0-9A-F]{64}")


def parse_fingerprint(text: str) -> str:
    """`SHA256:AB:CD:…` from what people paste: with or without prefix and colons, in any case."""
    digits = re.sub(r"^sha-?256( fingerprint)?[:=]", "", text.strip(), flags=re.IGNORECASE)
    digits = re.sub(r"[:\s]", "", digits).upper()
    if not _HEX.fullmatch(digits):
        raise BadServerAddress(
            "That is no SHA-256 fingerprint. It has 64 hexadecimal digits, for example SHA256:1F:A0:…; "
            "whoever runs the server can tell you."
        )
    return format_fingerprint(bytes.fromhex(digits))


def format_fingerprint(digest: bytes) -> str:
    """32 bytes → `SHA256:AB:CD:…`"""
    return f"SHA256:{digest.hex(':').upper()}"


class Pins:
    """One fingerprint a server, in `certificates.json` in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "certificates.json"

    def get(self, server: str) -> str | None:
        """`server` as `parse_server_url` returns it. Raises BadServerAddress: a damaged pin is not no pin."""
        if not self._path.exists():
            return None
        pins = read_json_object(self._path)
        if not pins:
            raise BadServerAddress(
                f"The certificates that you trust cannot be read ({self._path}). "
                "Remove that file, and compare the fingerprint again."
            )
        fingerprint = pins.get(server)
        return parse_fingerprint(str(fingerprint)) if fingerprint is not None else None

    def set(self, server: str, fingerprint: str) -> None:
        """Raises ClientError."""
        try:
            write_json(self._path, {**read_json_object(self._path), server: fingerprint})
        except OSError as error:
            raise ClientError(f"The certificate cannot be remembered in {self._path}: {error}") from error
