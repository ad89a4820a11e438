"""Every error of the client, each with a text that is a sentence for the person at the keyboard.

ClientError
├── BadServerAddress      the server's address cannot be used: malformed, or plain http to another machine
├── ServerAway            no usable answer for now: refused, timed out, 502/503/504; trying again may help
│   └── UntrustedCertificate  nobody vouches for the server's certificate, or it is not the pinned one
├── NotLoggedIn           there is no session, or it has ended; only logging in helps
├── Refused               a 4xx: the server understood and said no, in its own sentence
│   └── NotFinished       409 not_finished: the torrent is not complete on the server yet
├── BadAnswer             not what the API promises: a 500, a redirect, somebody else's web page
└── DownloadFailed        the file could not be brought here whole; what arrived is kept
    ├── NotEnoughSpace    seen before the first byte is fetched
    └── NothingArrived    for so long that it gave up; trying again may help
"""


class ClientError(Exception):
    """Something did not work; `str(error)` says what, and what to do next."""


class BadServerAddress(ClientError):
    pass


class ServerAway(ClientError):
    """`reason` is the part of the sentence that says why; `retry_after` the server's own wish in seconds."""

    def __init__(self, sentence: str, *, reason: str = "", retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.retry_after = retry_after


class UntrustedCertificate(ServerAway):
    """Nothing was sent. `changed` when the server had a pinned certificate and shows another one."""

    def __init__(self, sentence: str, *, reason: str, changed: bool) -> None:
        super().__init__(sentence, reason=reason)
        self.changed = changed


class NotLoggedIn(ClientError):
    pass


class Refused(ClientError):
    """`code` and `attr` (the field that was wrong, or None) are the server's; `status` is 400 to 499."""

    def __init__(
        self,
        sentence: str,
        *,
        status: int,
        code: str = "",
        attr: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.attr = attr
        self.retry_after = retry_after


class NotFinished(Refused):
    pass


class BadAnswer(ClientError):
    """`status` is the HTTP status the answer came with."""

    def __init__(self, sentence: str, *, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class DownloadFailed(ClientError):
    pass


class NotEnoughSpace(DownloadFailed):
    pass


class NothingArrived(DownloadFailed):
    pass
