"""The address of a server as a person types it, made into one that is safe to send a password to."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from torrent_proxy_client.errors import BadServerAddress

_API_SUFFIX = "/api/v1"


def is_loopback(host: str) -> bool:
    """True for 127.0.0.0/8, ::1 and `localhost`; a name that merely resolves there does not count."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(server: str) -> str:
    """Host of a URL that `parse_server_url` returned, without port and brackets."""
    return urlsplit(server).hostname or ""


def parse_server_url(text: str) -> str:
    """`box.example.net` → `https://box.example.net`; `localhost:8000` → `http://localhost:8000`.

    The result has no trailing slash and is put together again from its parts, so that nothing in it can mean
    something else to the HTTP library. Raises BadServerAddress with a sentence.
    """
    text = text.strip()
    if not text:
        raise BadServerAddress("Type the address of your server, for example https://box.example.net")
    if not text.isprintable() or " " in text or "\\" in text:
        raise BadServerAddress(
            "The server address must not contain spaces, backslashes or control characters."
        )
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadServerAddress(f"{text} is not an address. Example: https://box.example.net") from None
    scheme = parts.scheme or ("http" if is_loopback(host) else "https")
    if scheme not in ("http", "https") or not host:
        raise BadServerAddress(f"{text} is not an address. Example: https://box.example.net")
    if "@" in parts.netloc:
        raise BadServerAddress("Leave user and password out of the server address; you are asked for them.")
    if parts.query or parts.fragment:
        raise BadServerAddress("The server address must not contain ? or #.")
    if scheme == "http" and not is_loopback(host):
        raise BadServerAddress(
            f"http://{host} is not encrypted: your password could be read on the way. "
            f"Use https://{host} instead."
        )
    netloc = f"[{host}]" if ":" in host else host
    if port is not None:
        netloc = f"{netloc}:{port}"
    path = parts.path.rstrip("/").removesuffix(_API_SUFFIX)
    return f"{scheme}://{netloc}{path}"
