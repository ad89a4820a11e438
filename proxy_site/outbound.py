"""The only way to fetch a URL that a person, or a page a person named, has chosen.

Such a URL may lead to our own machine, to the cloud's metadata service, to an endless or exploding body, or
to a server that sends a byte now and then. So: http and https only, every address checked after DNS and again
on each redirect, one deadline over everything, a cap that counts decompressed bytes, and no proxy, cookie or
netrc of ours.
"""

import http
import importlib.util
import ipaddress
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import pycurl

USER_AGENT = "oci-torrent-proxy"
MAX_REDIRECTS = 5
MAX_URL_LENGTH = 8_000
MAX_HEADER_BYTES = 64 * 1024
CONNECT_TIMEOUT = 10.0  # seconds, per hop; never more than what is left of the deadline
DEBIAN_CA_FILE = Path("/etc/ssl/certs/ca-certificates.crt")

# curl.h's number, because pycurl does not name it. Without it closing a handle waits for its resolver thread:
# a name server that never answered held a fetch for 10 s although its deadline of 2 s had passed.
_CURLOPT_QUICK_EXIT = 322

_URL_SAFE = "%/:=&?~#+!$,;'@()*[]|"  # left as they are in paths and queries
_NOT_AN_ADDRESS = "That is not a web address. It should look like https://example.org/file.torrent."
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_WORTH_RETRYING = frozenset({408, 425, 429})  # the only 4xx that go away by themselves

# `ipaddress.is_global` is True for all of these, or has been in some Python version.
_DENIED_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is a metadata address at Oracle
        "192.88.99.0/24",  # 6to4 relays
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_ALLOWED_V6 = ipaddress.IPv6Network("2000::/3")  # all that is routed; few embeddings of IPv4 are inside
_DENIED_V6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 holds any IPv4 address
        "3fff::/20",  # documentation
    )
)


class OutboundError(Exception):
    """A fetch that did not work; the text is a sentence for a person and never holds a query string.

    `code` is a short slug. `permanent` is True where trying again cannot help until a person changes
    something. `retry_after` is what the server says in that header, as it says it.
    """

    def __init__(self, message: str, code: str, *, permanent: bool, retry_after: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.permanent = permanent
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Response:
    """What came back: status 2xx or 304, or a redirect to a magnet link where the caller asked for that."""

    status: int
    headers: Mapping[str, str]  # names in lower case; the last one wins where a name is repeated
    body: bytes = field(repr=False)  # decompressed
    url: str = field(repr=False)  # the last one fetched; may hold a passkey
    magnet: str | None = field(default=None, repr=False)


def is_public_address(address: str) -> bool:
    """Whether an IP address, without brackets, belongs to the public internet. Anything else is False."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not any(ip in network for network in _DENIED_V4)
    return ip.scope_id is None and ip in _ALLOWED_V6 and not any(ip in network for network in _DENIED_V6)


def redact(url: str) -> str:
    """The URL without user, password, query and fragment, where passkeys live; fit for logs and messages."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return "(unreadable address)"
    host = parts.netloc.rpartition("@")[2]
    if not host:
        return f"{parts.scheme}:…" if parts.scheme else "(unreadable address)"
    return urlunsplit((parts.scheme, host, parts.path, "", ""))[:300]


def fetch(
    url: str,
    *,
    max_bytes: int,
    deadline: float,
    allow_private: bool = False,
    address_allowed: Callable[[str], bool] = is_public_address,
    accept: str = "*/*",
    headers: Mapping[str, str] | None = None,
    stop_at_magnet: bool = False,
) -> Response:
    """GET `url`, following up to 5 redirects; raises OutboundError, and only that.

    `max_bytes` bounds the decompressed body, `deadline` is in seconds and covers names, connections,
    redirects and the body together. `allow_private` lets every address through and is for tests and
    development. `headers` are sent on every hop, so they may hold `If-None-Match` but no secret. With
    `stop_at_magnet` a redirect to `magnet:` ends the fetch with `Response.magnet` set; without, it is an
    error as other schemes are.
    """
    ends_at = time.monotonic() + deadline
    allowed = (lambda _address: True) if allow_private else address_allowed
    request_headers = header_lines({"Accept": accept} | dict(headers or {}))
    current = fetchable(url)
    for _hop in range(MAX_REDIRECTS + 1):
        hop = Hop(current, allowed, max_bytes)
        hop.perform(request_headers, ends_at - time.monotonic())
        location = hop.headers.get("location")
        if hop.status not in REDIRECTS or location is None:
            return hop.response()
        target = redirect_target(current, location)
        if stop_at_magnet and target[:7].lower() == "magnet:":
            return Response(hop.status, hop.headers, b"", current, magnet=target)
        current = fetchable(target)
    raise too_many_redirects(url)


def header_lines(headers: Mapping[str, str]) -> list[str]:
    """As curl wants them; raises OutboundError for one that would be two, or is not ASCII."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    if any(not line.isascii() or not line.isprintable() for line in lines):
        raise OutboundError("A request header holds what no header may.", "bad_header", permanent=True)
    return lines


def too_many_redirects(url: str) -> OutboundError:
    return OutboundError(
        f"{redact(url)} redirects more than {MAX_REDIRECTS} times. Use the address it should lead to.",
        "too_many_redirects",
        permanent=True,
    )


def fetchable(url: str) -> str:
    """The URL as curl gets it: plain ASCII, http or https, with a host and without a user."""
    url = url.strip()
    if len(url) > MAX_URL_LENGTH:
        raise _bad_url("That address is too long to be one. Paste one address only.")
    if any(ord(character) < 32 or ord(character) == 127 for character in url):
        raise _bad_url(
            "That address holds a line break or another control character. Paste one address only."
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    else:
        if parts.scheme and parts.scheme not in ("http", "https"):
            raise OutboundError(
                f"Addresses that begin with {parts.scheme[:20]}: cannot be fetched. Only http and https can.",
                "unsupported_scheme",
                permanent=True,
            )
        if parts.username is not None:
            raise OutboundError(
                "That address holds a user name or password. Remove the part before the @.",
                "credentials_in_url",
                permanent=True,
            )
    if not host or not parts.scheme or port == 0:
        raise _bad_url(_NOT_AN_ADDRESS)
    try:
        # IPv6 literals and everything else that is ASCII pass unchanged.
        netloc = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode("ascii")
        path, query = quote(parts.path, safe=_URL_SAFE), quote(parts.query, safe=_URL_SAFE)
    except UnicodeError as error:
        raise _bad_url(_NOT_AN_ADDRESS) from error
    return urlunsplit((parts.scheme, netloc, path or "/", query, ""))


def _bad_url(message: str) -> OutboundError:
    return OutboundError(message, "bad_url", permanent=True)


def redirect_target(current: str, location: str) -> str:
    try:
        return urljoin(current, location)
    except ValueError as error:
        raise OutboundError(
            f"{redact(current)} redirects to something that is no address.", "bad_redirect", permanent=True
        ) from error


class Hop:
    """One request and its answer; redirects are not followed here."""

    def __init__(
        self,
        url: str,
        address_allowed: Callable[[str], bool],
        max_bytes: int,
        *,
        admits: Callable[[int], bool] = lambda body_bytes: True,
    ) -> None:
        """`admits` is asked with what the body would grow to, where several share one memory."""
        self.url = url
        self.status = 0
        self.headers: dict[str, str] = {}
        self._address_allowed = address_allowed
        self._max_bytes = max_bytes
        self._admits = admits
        self._body = bytearray()
        self._header_bytes = 0
        self._stopped: OutboundError | None = None  # why a callback ended the transfer
        self._refused_address = False
        self._connected = False

    def response(self) -> Response:
        if 200 <= self.status < 300 or self.status == http.HTTPStatus.NOT_MODIFIED:
            return Response(self.status, self.headers, bytes(self._body), self.url)
        try:
            phrase = f" ({http.HTTPStatus(self.status).phrase.lower()})"
        except ValueError:
            phrase = ""
        permanent = self.status < 500 and self.status not in _WORTH_RETRYING
        advice = "Check the address." if permanent else "Try again later."
        raise OutboundError(
            f"{redact(self.url)} answered {self.status}{phrase} instead of a file. {advice}",
            "http_status",
            permanent=permanent,
            retry_after=self.headers.get("retry-after", ""),
        )

    def perform(self, request_headers: list[str], seconds: float) -> None:
        with ExitStack() as stack:
            curl = self.prepare(stack, request_headers, seconds)
            try:
                curl.perform()
            except pycurl.error as error:
                self.explain(error.args[0])

    def prepare(self, stack: ExitStack, request_headers: list[str], seconds: float) -> pycurl.Curl:
        """The transfer, ready to be performed; `stack` closes what it opens. Raises where no time is left."""
        if seconds <= 0:
            raise self._timed_out()
        curl = stack.enter_context(closing(pycurl.Curl()))
        curl.setopt(pycurl.URL, self.url)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.FOLLOWLOCATION, False)
        curl.setopt(pycurl.PROXY, "")  # also keeps http_proxy of the environment out
        curl.setopt(pycurl.NETRC, pycurl.NETRC_IGNORED)
        curl.setopt(pycurl.NOSIGNAL, True)  # signals and threads do not mix
        curl.setopt(_CURLOPT_QUICK_EXIT, True)
        curl.setopt(pycurl.USERAGENT, USER_AGENT)
        curl.setopt(pycurl.HTTPHEADER, request_headers)
        curl.setopt(pycurl.ACCEPT_ENCODING, "gzip, deflate")
        curl.setopt(pycurl.SSL_VERIFYPEER, 1)
        curl.setopt(pycurl.SSL_VERIFYHOST, 2)
        curl.setopt(pycurl.CAINFO, ca_file())
        curl.setopt(pycurl.TIMEOUT_MS, max(1, int(seconds * 1000)))
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, int(min(seconds, CONNECT_TIMEOUT) * 1000)))
        curl.setopt(pycurl.HEADERFUNCTION, self._receive_header)
        curl.setopt(pycurl.WRITEFUNCTION, self._receive_body)
        curl.setopt(
            pycurl.OPENSOCKETFUNCTION, lambda purpose, address: self._open_socket(stack, purpose, address)
        )
        return curl

    def _open_socket(
        self, stack: ExitStack, _purpose: int, address: pycurl.CurlSockAddr
    ) -> socket.socket | int:
        if not self._address_allowed(address.addr[0]):
            self._refused_address = True
            return int(pycurl.SOCKET_BAD)
        self._connected = True
        # curl works on a duplicate of this socket's descriptor, so ours is closed by us.
        return stack.enter_context(socket.socket(address.family, address.socktype, address.protocol))

    def _receive_header(self, line: bytes) -> int | None:
        self._header_bytes += len(line)
        if self._header_bytes > MAX_HEADER_BYTES:
            self._stopped = OutboundError(
                f"{redact(self.url)} sends endless headers, so nothing was fetched from it.",
                "too_large",
                permanent=True,
            )
            return -1
        text = line.decode("utf-8", "replace").strip()
        if text.startswith("HTTP/"):  # also after "100 Continue": what came before does not count
            self.headers.clear()
            status = text.split(maxsplit=2)[1:2]
            self.status = int(status[0]) if status and status[0].isdecimal() else 0
        elif ":" in text:
            name, _, value = text.partition(":")
            self.headers[name.strip().lower()] = value.strip()
        return None

    def _receive_body(self, chunk: bytes) -> int | None:
        if not 200 <= self.status < 300:
            return -1  # the status has said all; an error page may be endless
        if len(self._body) + len(chunk) > self._max_bytes:
            self._stopped = OutboundError(
                f"{redact(self.url)} sends more than {_readable(self._max_bytes)}, the most accepted here.",
                "too_large",
                permanent=True,
            )
            return -1
        if not self._admits(len(self._body) + len(chunk)):
            self._stopped = OutboundError(
                f"{redact(self.url)} is large, and so were others at the same time. It will be tried again.",
                "busy",
                permanent=False,
            )
            return -1
        self._body += chunk
        return None

    def explain(self, code: int) -> None:
        """Raise what curl's error means to a person; return where the answer's status explains it better."""
        if self._stopped is not None:
            raise self._stopped
        if code == pycurl.E_WRITE_ERROR and self.status:
            return
        if self._refused_address and not self._connected:
            raise OutboundError(
                "That address is on a private network. Only public http and https addresses can be fetched.",
                "private_address",
                permanent=True,
            )
        where = redact(self.url)
        match code:
            case pycurl.E_OPERATION_TIMEDOUT:
                raise self._timed_out()
            case pycurl.E_URL_MALFORMAT:
                raise _bad_url(_NOT_AN_ADDRESS)
            case pycurl.E_COULDNT_RESOLVE_HOST:
                message, slug = f"The name in {where} is not known. Check the spelling.", "unknown_host"
            case pycurl.E_COULDNT_CONNECT:
                message, slug = f"Nothing answers at {where}. Try again later.", "no_connection"
            case pycurl.E_PEER_FAILED_VERIFICATION:
                message, slug = (
                    f"The certificate of {where} is not valid. Nothing was fetched.",
                    "bad_certificate",
                )
            case _:
                message, slug = (
                    f"{where} did not answer as a web server should. Try again later.",
                    "broken_answer",
                )
        raise OutboundError(message, slug, permanent=code == pycurl.E_PEER_FAILED_VERIFICATION)

    def _timed_out(self) -> OutboundError:
        return OutboundError(
            f"{redact(self.url)} took too long to answer. Try again later.", "timed_out", permanent=False
        )


def ca_file() -> str:
    """The certificate authorities to trust: Debian's, else certifi's.

    curl in pycurl's wheel looks where Red Hat keeps them, and finds none on Debian.
    """
    if DEBIAN_CA_FILE.exists():
        return str(DEBIAN_CA_FILE)
    certifi = importlib.util.find_spec("certifi")
    if certifi is None or certifi.origin is None:
        raise OutboundError(
            "No certificate authorities are installed on the server. Install the package ca-certificates.",
            "no_authorities",
            permanent=True,
        )
    return str(Path(certifi.origin).with_name("cacert.pem"))


def _readable(size: int) -> str:
    return f"{size / 2**20:.0f} MiB" if size >= 2**20 else f"{size} bytes"
