"""HTTP as only a hostile client writes it: bytes on a socket."""

import io
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from hypothesis import strategies as st

from tests.fuzz.strategies import (
    TEXTS,
    in_an_address,
    json_bodies,
    magnets,
    text,
    urls_of_this_machine,
    values,
)
from tests.fuzz.target import PATIENCE, Target

METHODS = [
    "GET",
    "POST",
    "PATCH",
    "PUT",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "get",
    "G\tT",
]
# Of a path; `{…}` is filled with something of somebody.
PATHS = [
    "/",
    "//",
    "/api/v1/nowhere/",
    "/api/v1/torrents/%2e%2e/%2e%2e/admin/",
    "/api/v1/torrents%2f{claim_id}/",
    "/api/v1/torrents/{claim_id}%00/",
    "/api/v1/torrents/{claim_id}/files/99999999999999999999/content/",
    "/api/v1/me/ssh-keys/99999999999999999999999/",
    "/api/v1/links/%ed%a0%80/%00",
    "/api/v1/links/{token}/..%2f..%2fetc%2fpasswd",
    "/static/%2e%2e/%2e%2e/manage.py",
    "/client/%2e%2e%2fmanage.py",
    "/admin/login/",
    "http://127.0.0.1/api/v1/me/",
    "*",
]
HEADERS = [
    ("Accept", "text/html"),
    ("Accept", "application/json; version=\x85"),
    ("Accept-Encoding", "gzip;q=x"),
    ("Authorization", "Bearer"),
    ("Authorization", "Bearer a b"),
    ("Authorization", "Bearer \xff"),
    ("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30."),
    ("Authorization", "Basic YTpi"),
    ("Content-Encoding", "gzip"),
    ("Content-Length", "-1"),
    ("Content-Length", "99999999999999999999"),
    ("Cookie", "sessionid=" + "a" * 4000),
    ("Cookie", "=;;\x7f"),
    ("Expect", "100-continue"),
    ("Forwarded", "for=127.0.0.1"),
    ("Host", ""),
    ("Host", "evil.example"),
    ("Host", "[::1"),
    ("If-None-Match", "*"),
    ("If-Range", '"x"'),
    ("Range", "bytes=0-0,1-1"),
    ("Range", "bytes=" + "9" * 5000 + "-"),
    ("Range", "bytes=-0"),
    ("Transfer-Encoding", "chunked"),
    ("Transfer-Encoding", "chunked, identity"),
    ("Upgrade", "h2c"),
    ("User-Agent", "\xff" * 300),
    ("X-Accel-Redirect", "/etc/passwd"),
    ("X-Forwarded-For", "not an address, " * 99),
    ("X-Forwarded-Proto", "https"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-Huge", "x" * 20_000),
]
CONTENT_TYPES = [
    "application/json",
    "application/json; charset=utf-16",
    "application/json; charset=no-such",
    "multipart/form-data",
    "multipart/form-data; boundary=b",
    'multipart/form-data; boundary="' + "b" * 300 + '"',
    "application/x-www-form-urlencoded",
    "text/plain",
    "application/octet-stream",
    "/",
    "",
]


@dataclass(frozen=True)
class Endpoint:
    """One method and path of the schema, with the names of its fields and of its query's parameters."""

    method: str
    path: str
    fields: list[str]
    parameters: list[str]


class Message(bytes):
    """What is sent. In a report the beginning of it is enough."""

    def __repr__(self) -> str:
        return f"{bytes(self[:4000])!r}" + (f" and {len(self) - 4000} bytes more" if len(self) > 4000 else "")


@st.composite
def messages(draw: st.DrawFn, endpoints: list[Endpoint], target: Target) -> Message:
    """A request: mostly of an endpoint there is, with one or two things about it wrong."""
    endpoint = draw(st.sampled_from(endpoints))
    path = draw(st.sampled_from(PATHS)) if draw(st.integers(0, 7)) == 0 else endpoint.path
    for name in ("claim_id", "session_id", "key_id", "credential_id", "index", "token", "filename"):
        if f"{{{name}}}" in path:
            known = target.known(name)
            mostly = draw(st.integers(0, 5)) > 0
            value = draw(st.sampled_from(known)) if known and mostly else draw(text)
            path = path.replace(f"{{{name}}}", in_an_address(str(value))[:2000])
    query = [
        f"{in_an_address(name)}={in_an_address(value)[:3000]}"
        for name, value in draw(
            st.lists(
                st.tuples(st.sampled_from(endpoint.parameters or ["format"]), text | values.map(str)),
                max_size=3,
            )
        )
    ]
    method = draw(st.sampled_from(METHODS)) if draw(st.integers(0, 4)) == 0 else endpoint.method
    headers = [("Host", "127.0.0.1"), ("Connection", "close")]
    if draw(st.integers(0, 9)):
        headers.append(("Authorization", f"Bearer {target.attacker.token}"))
    body = b""
    if method not in ("GET", "HEAD") or draw(st.integers(0, 9)) == 0:
        content_type, body = draw(bodies(endpoint.fields, target.canary.port))
        headers += [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    if draw(st.integers(0, 2)) == 0:
        headers.append(draw(st.sampled_from(HEADERS)))
    first = f"{method} {path}{'?' + '&'.join(query) if query else ''} HTTP/1.1"
    lines = [first, *(f"{name}: {value}" for name, value in headers)]
    return Message("\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body)


@st.composite
def bodies(draw: st.DrawFn, fields: list[str], port: int) -> tuple[str, bytes]:
    """A content type and a body, which mostly match."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(CONTENT_TYPES)), draw(st.binary(max_size=100))
    if "source" in fields and draw(st.booleans()):
        source = draw(magnets() | urls_of_this_machine(port)).encode(errors="surrogatepass")
        return "multipart/form-data; boundary=b", form("source", source)
    if draw(st.integers(0, 5)) == 0:
        name = draw(st.sampled_from(fields or TEXTS[:9]))
        return "multipart/form-data; boundary=b", form(
            name, draw(st.binary(max_size=60)), filename=draw(text)
        )
    return "application/json", draw(json_bodies(fields))


def form(name: str, value: bytes, *, filename: str | None = None) -> bytes:
    """A form of one field, or of one file."""
    named = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    head = f"--b\r\nContent-Disposition: {named}\r\n\r\n".encode(errors="surrogatepass")
    return head + value + b"\r\n--b--\r\n"


def exchange(url: str, message: bytes) -> tuple[int, str] | None:
    """The status and the answer, headers and all; None where the server hung up on us."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=PATIENCE) as connection:
        received = io.BytesIO()
        try:
            connection.sendall(message)
            connection.shutdown(socket.SHUT_WR)
            while block := connection.recv(65536):
                received.write(block)
        except TimeoutError:
            raise
        except OSError:
            pass  # it had enough before we had said all, and may have answered
    answer = received.getvalue()
    if not answer:
        return None
    assert answer.startswith(b"HTTP/1."), answer[:200]
    return int(answer.split(b" ", 2)[1]), answer.decode("latin-1")
