"""What a person wants added: a magnet link, an infohash, the URL of a .torrent, or a file of theirs."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.errors import ClientError
from torrent_proxy_client.models import Torrent

LARGEST_METAINFO = 10 * 1024 * 1024  # bytes; the server takes no more

_INFOHASH_V1 = re.compile(r"[0-9a-fA-F]{40}")
_INFOHASH_V2 = re.compile(r"[0-9a-fA-F]{64}")


class NotASource(ClientError):
    pass


@dataclass(frozen=True, slots=True)
class Source:
    """Exactly one of `link` (for the server to follow) and `file` (for us to send) is set."""

    kind: str  # "magnet link", "link to a .torrent" or "torrent file"
    link: str = ""
    file: Path | None = None


def recognise(text: str) -> Source:
    """Raises NotASource with a sentence. Nothing is read yet, but a file must exist."""
    text = _unquoted(text)
    if not text:
        raise NotASource("Paste a magnet link, the URL of a .torrent, or the path of a .torrent file.")
    scheme = urlsplit(text).scheme.lower() if "://" in text or text.lower().startswith("magnet:") else ""
    if scheme == "magnet":
        return Source("magnet link", link=text)
    if scheme in ("http", "https"):
        return Source("link to a .torrent", link=text)
    if _INFOHASH_V1.fullmatch(text):
        return Source("magnet link", link=f"magnet:?xt=urn:btih:{text.lower()}")
    if _INFOHASH_V2.fullmatch(text):
        return Source("magnet link", link=f"magnet:?xt=urn:btmh:1220{text.lower()}")
    if scheme == "file":
        return _file(url2pathname(unquote(urlsplit(text).path)))
    if scheme:
        raise NotASource(f"{scheme}:// links are not supported. Use a magnet link or an http(s) URL.")
    return _file(text)


async def add(api: ApiClient, source: Source, *, paused: bool = False) -> Torrent:
    """Raises ClientError, also when a file cannot be read."""
    if source.file is None:
        return await api.add_source(source.link, paused=paused)
    try:
        if source.file.stat().st_size > LARGEST_METAINFO:
            raise NotASource(f"{source.file} is too large for a .torrent (more than 10 MiB).")
        metainfo = source.file.read_bytes()
    except OSError as error:
        raise NotASource(f"{source.file} cannot be read: {error.strerror}.") from error
    return await api.add_metainfo(source.file.name, metainfo, paused=paused)


def _file(text: str) -> Source:
    try:
        path = Path(text).expanduser()
        if not path.is_file() and "\\ " in text:
            # Terminals escape spaces when a file is dropped on them.
            path = Path(re.sub(r"\\(.)", r"\1", text)).expanduser()
        if path.is_file():
            return Source("torrent file", file=path)
        if path.is_dir():
            raise NotASource(f"{text} is a folder. Give the path of a .torrent file.")
    except (OSError, ValueError, RuntimeError):
        raise NotASource("That is neither a magnet link, nor a URL, nor a file.") from None
    if path.suffix == ".torrent" or "/" in text:
        raise NotASource(f"There is no file {text}.")
    raise NotASource("That is neither a magnet link, nor a URL, nor a file.")


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text
