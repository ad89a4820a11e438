"""HTTP, and the only module that imports httpx2. It raises ServerAway and BadServerAddress only.

Redirects are never followed: the access token would go along. TLS is checked against the system's trust store
(httpx2 uses truststore on Windows and macOS and OpenSSL's own paths on Linux; SSL_CERT_FILE overrides).
HTTPS_PROXY and NO_PROXY are respected, except for loopback, which is always reached directly.

A server with a pinned fingerprint is trusted by that alone: its certificate is compared in every handshake,
before any byte of a request is sent, and neither who signed it nor its dates matter.
"""

import hashlib
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from torrent_proxy_client import __version__
from torrent_proxy_client.errors import BadServerAddress, ServerAway, UntrustedCertificate
from torrent_proxy_client.pins import format_fingerprint
from torrent_proxy_client.server_url import host_of, is_loopback, parse_server_url

# Seconds without a single byte, not of the whole request: a download may take days. A server that sends
# files may have to wake a disk, or to ask others; for rows of its database it has no such excuse.
_TIMEOUT = httpx2.Timeout(30, connect=10)
_ROWS_TIMEOUT = 12.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; the names in `headers` are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Stream:
    """An answer whose body is still on the way."""

    def __init__(self, response: httpx2.Response, server: str) -> None:
        self._response = response
        self._server = server
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it arrives; raises ServerAway when it breaks off."""
        try:
            async for chunk in self._response.aiter_raw():
                yield chunk
        except httpx2.HTTPError as error:
            raise _away(self._server, error) from error

    async def answer(self) -> Answer:
        try:
            body = await self._response.aread()
        except httpx2.HTTPError as error:
            raise _away(self._server, error) from error
        return Answer(self.status, self.headers, body)


class Transport:
    """One server, with a pool of connections. `server` is checked with `parse_server_url`."""

    def __init__(self, server: str, *, fingerprint: str | None = None) -> None:
        self.server = parse_server_url(server)
        try:
            self._client = httpx2.AsyncClient(
                base_url=f"{self.server}/api/v1/",
                verify=_pinning_context(fingerprint) if fingerprint else httpx2.create_ssl_context(),
                trust_env=uses_proxies(self.server),
                follow_redirects=False,
                headers={
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                    "User-Agent": f"torrent-proxy/{__version__}",
                },
            )
        except (httpx2.InvalidURL, ValueError) as error:
            raise BadServerAddress(f"{self.server} cannot be used: {error}") from error
        except ImportError as error:
            raise BadServerAddress(
                "A SOCKS proxy is set in the environment, which this client cannot use. "
                "Set HTTPS_PROXY to an http:// proxy, or unset ALL_PROXY."
            ) from error

    async def aclose(self) -> None:
        await self._client.aclose()

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: object = None,
        upload: tuple[str, bytes] | None = None,
        form: Mapping[str, str] | None = None,
        patient: bool = False,
    ) -> AsyncIterator[Stream]:
        """Send a request and yield its answer as soon as the headers are here.

        `path` is relative to `/api/v1/`. `upload` is (file name, content) of the form field `metainfo`,
        `form` the other fields.
        `patient` waits longer: for a file, or for the server to fetch something itself.
        """
        request = self._client.build_request(
            method,
            path,
            headers={**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})},
            params=params,
            json=json,
            files={"metainfo": (*upload, "application/x-bittorrent")} if upload else None,
            data=form,
            timeout=_TIMEOUT if patient else _ROWS_TIMEOUT,
            extensions={"trace": _ClosingCutHandshakes()},
        )
        try:
            response = await self._client.send(request, stream=True)
        except httpx2.HTTPError as error:
            raise _away(self.server, error) from error
        try:
            yield Stream(response, self.server)
        finally:
            await response.aclose()

    async def send(self, method: str, path: str, **options: Any) -> Answer:
        """Like `stream`, with the whole body read."""
        async with self.stream(method, path, **options) as stream:
            return await stream.answer()


class _ClosingCutHandshakes:
    """Follows the connection of one request, and closes it when the request is cancelled in the TLS handshake:
    httpcore2 lets go of the socket there without closing it, so that it would stay open as long as the process.
    """

    def __init__(self) -> None:
        self._connection: Any = None  # httpcore2.AsyncNetworkStream

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """The `trace` extension of httpcore2."""
        if event.endswith(".connect_tcp.complete"):
            self._connection = info["return_value"]
        elif event.endswith(".start_tls.failed") and self._connection:
            await self._connection.aclose()


def uses_proxies(server: str) -> bool:
    """Whether HTTPS_PROXY and its like hold for `server`: for every one but loopback."""
    return not is_loopback(host_of(server))


class _WrongFingerprint(ssl.SSLCertVerificationError):
    """`args` is (message,)."""


def _pinning_context(fingerprint: str) -> ssl.SSLContext:
    """Accepts the one certificate with this fingerprint; the handshake also proves that its key is there."""

    class PinnedObject(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            shown = format_fingerprint(_digest(self))
            if shown != fingerprint:
                raise _WrongFingerprint(f"It shows {shown}, but {fingerprint} was pinned.")

    context = _unverified_context()
    context.sslobject_class = PinnedObject
    return context


def _unverified_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def see_fingerprint(server: str) -> str:
    """The fingerprint of the certificate that `server` shows right now, whoever that is; sends nothing else.

    It goes the way of all requests, through the same proxies. Raises ServerAway.
    """
    seen: list[str] = []

    class LookingObject(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            seen.append(format_fingerprint(_digest(self)))
            raise ssl.SSLCertVerificationError("seen enough")

    context = _unverified_context()
    context.sslobject_class = LookingObject
    async with httpx2.AsyncClient(verify=context, trust_env=uses_proxies(server), timeout=10) as client:
        try:
            await client.get(server, extensions={"trace": _ClosingCutHandshakes()})
        except httpx2.HTTPError as error:
            if not seen:
                raise _away(server, error) from error
    if not seen:
        raise ServerAway(f"{server} shows no certificate: it does not speak TLS.")
    return seen[-1]


def _digest(connection: ssl.SSLObject) -> bytes:
    return hashlib.sha256(connection.getpeercert(binary_form=True) or b"").digest()


def _away(server: str, error: httpx2.HTTPError) -> ServerAway:
    if refused := _certificate_error(error):
        if isinstance(refused, _WrongFingerprint):
            return UntrustedCertificate(
                f"STOP: {server} shows another certificate than the one you trust. Somebody may be reading "
                f"along; nothing was sent. {refused.args[0]} If whoever runs the server says that it was "
                f"renewed, run: torrent-proxy login --server {server} --fingerprint SHA256:…",
                reason="Its certificate is not the one you trust. Nothing was sent.",
                changed=True,
            )
        reason = f"its certificate is not trusted here ({refused.verify_message})"
        return UntrustedCertificate(
            f"{server} cannot be reached: {reason}.", reason=f"I{reason[1:]}.", changed=False
        )
    reason = _reason(error)
    return ServerAway(f"{server} cannot be reached: {reason}.", reason=f"{reason[0].upper()}{reason[1:]}.")


def _certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def _reason(error: BaseException) -> str:
    """What went wrong in a few words, from the innermost cause that says something."""
    if isinstance(error, httpx2.ConnectTimeout):
        return "it does not answer"
    if isinstance(error, httpx2.TimeoutException):
        return "it stopped answering"
    if isinstance(error, httpx2.ProxyError):
        return "the proxy from the environment refused"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "it does not speak TLS there; check address and port"
        if isinstance(cause, socket.gaierror):
            return "no such name; check the address and your network"
        if isinstance(cause, ConnectionRefusedError):
            return "nothing answers there (connection refused)"
        cause = cause.__cause__ or cause.__context__
    return "the connection broke"
