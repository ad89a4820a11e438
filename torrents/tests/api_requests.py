"""What tests of the torrents' API send, and how they read a refusal."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

TORRENTS = "/api/v1/torrents/"
MAGNET = "magnet:?xt=urn:btih:" + "ab" * 20


def upload(data: bytes, name: str = "x.torrent") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="application/x-bittorrent")


def errors(response: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = response.json()["errors"]
    return found
