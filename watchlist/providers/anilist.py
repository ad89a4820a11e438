"""AniList, by its public GraphQL service. We are an unofficial client of it, and say so.

Rules from its guide, and from what it was seen to do: errors come with and without an HTTP status of their own, a
private person and an unknown one are both 404, a token that has ended is 400 "Invalid token", and 403 means that the
service is closed, to everybody or to us.
"""

import base64
import binascii
import datetime
import json
import logging
import re
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode

import requests

from watchlist.providers import anilist_queries as queries
from watchlist.providers import anilist_reading as reading
from watchlist.providers.base import Gate, ProviderError, Trouble
from watchlist.records import AccountRecord, AiringRecord, ListedRecord, ShowRecord

USER_AGENT = "oci-torrent-proxy (unofficial client of AniList; one address asks for all users of a box)"
CONNECT_SECONDS = 4.0
READ_SECONDS = 15.0  # without a byte
WHOLE_SECONDS = 40.0
MAX_BYTES = 24 * 1024 * 1024  # decompressed; 500 entries in ten custom lists each are some 8 MB
LONGEST_WAIT = 3600.0  # seconds; whatever Retry-After says
WAIT_WITHOUT_WORD = 60.0
SEARCHED = 15
MOST_CHUNKS = 5  # each a request
MOST_AIRING_REQUESTS = 60
TOKEN = re.compile(r"[\w-]{1,4000}\.[\w-]{1,8000}\.[\w-]{1,4000}", re.ASCII)

_OF_THE_NETWORK = (
    requests.RequestException,
    requests.exceptions.BaseHTTPError,  # type: ignore[attr-defined]  # urllib3's own, where nobody wraps it
    OSError,
    ValueError,
)
T = TypeVar("T")
logger = logging.getLogger(__name__)


class AniList:
    name = "anilist"
    title = "AniList"
    has_service = True
    links_by_name = True

    def __init__(self, *, url: str, client_id: str, gate: Gate) -> None:
        self._url = url
        self._client_id = client_id
        self._gate = gate

    @property
    def links_by_token(self) -> bool:
        return bool(self._client_id)

    @property
    def code_url(self) -> str:
        """AniList shows the token there, to be copied: the client's redirect URL is its pin page."""
        if not self._client_id:
            return ""
        query = urlencode({"client_id": self._client_id, "response_type": "token"})
        return f"https://anilist.co/api/v2/oauth/authorize?{query}"

    def search(self, text: str) -> list[ShowRecord]:
        return self._ask(
            queries.SEARCH,
            {"text": text, "count": SEARCHED},
            lambda data: [reading.show(media) for media in _page(data, "Page", "media")],
        )

    def shows(self, external_ids: Collection[str]) -> list[ShowRecord]:
        found: dict[str, ShowRecord] = {}
        ids = _numbers(external_ids)
        step = queries.SHOW_PAGES * queries.PER_PAGE
        for start in range(0, len(ids), step):
            query, variables = queries.shows(ids[start : start + step])
            records = self._ask(
                query,
                variables,
                lambda data: [reading.show(media) for page in data for media in _page(data, page, "media")],
            )
            found |= {record.external_id: record for record in records}
        return list(found.values())

    def airing(
        self, external_ids: Collection[str], since: datetime.datetime, until: datetime.datetime
    ) -> list[AiringRecord]:
        if not (ids := _numbers(external_ids)):
            return []
        found: dict[tuple[str, int], AiringRecord] = {}
        after, first = int(since.timestamp()) - 1, 1
        for _request in range(MOST_AIRING_REQUESTS):
            pages = range(first, min(first + queries.AIRING_PAGES, queries.DEEPEST_PAGE + 1))
            records, more = self._ask(
                queries.airing(pages),
                {"ids": ids, "since": after, "until": int(until.timestamp()) + 1},
                partial(_schedule, pages),
            )
            found |= {(record.external_id, record.episode): record for record in records}
            if not more:
                return list(found.values())
            first = pages[-1] + 1
            if first > queries.DEEPEST_PAGE:  # on from the latest that was told, with pages of their own
                after = max(int(record.airs_at.timestamp()) for record in records) - 1
                first = 1
        raise _broken("its schedule has no end")

    def account(self, *, name: str = "", token: str = "") -> AccountRecord:
        field = "Viewer" if token else "User"
        found = self._ask(
            queries.VIEWER if token else queries.USER,
            {} if token else {"name": name},
            lambda data: None if data.get(field) is None else reading.account(data[field]),
            token,
        )
        if found is None:
            raise _not_found()
        return found

    def listed(
        self, account: AccountRecord, token: str = "", statuses: Collection[str] = ()
    ) -> list[ListedRecord]:
        lists = reading.Lists()
        variables: dict[str, Any] = {"id": int(account.external_id), "perChunk": queries.PER_CHUNK}
        if statuses:  # a null would be a filter, too
            variables["statuses"] = sorted(statuses)
        for chunk in range(1, MOST_CHUNKS + 1):
            more = self._ask(
                queries.LISTED,
                variables | {"chunk": chunk},
                lambda data: lists.add(data.get("MediaListCollection")),
                token,
            )
            if not more:
                return lists.records()
        raise ProviderError(
            f"More than {MOST_CHUNKS * queries.PER_CHUNK:,} shows are in the parts of your list that are followed."
            " Choose fewer parts.",
            Trouble.TOO_LONG,
        )

    def token_ends_at(self, token: str) -> datetime.datetime | None:
        """From the JWT's own words, which nobody has verified: only AniList can."""
        try:
            payload = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            return datetime.datetime.fromtimestamp(int(claims["exp"]), datetime.UTC)
        except (LookupError, TypeError, ValueError, OverflowError, OSError, RecursionError, binascii.Error):
            return None

    def _ask(
        self, query: str, variables: dict[str, Any], read: Callable[[dict[str, Any]], T], token: str = ""
    ) -> T:
        """What `read` makes of the answer's data. Raises ProviderError."""
        if token and not TOKEN.fullmatch(token):
            raise _bad_token()
        with self._gate():
            status, headers, body = self._post(query, variables, token)
            data = _data(status, headers.get("Retry-After", ""), body, with_token=bool(token))
            try:
                return read(data)
            except reading.Nonsense as error:
                logger.warning("AniList answers nonsense: %s", error)
                raise _broken("its answer makes no sense") from None

    def _post(
        self, query: str, variables: dict[str, Any], token: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        ends_at = time.monotonic() + WHOLE_SECONDS
        try:
            with requests.Session() as session:
                session.trust_env = False  # a netrc would take the token's place
                with session.post(
                    self._url,
                    json={"query": query, "variables": variables},
                    headers=headers,
                    timeout=(CONNECT_SECONDS, READ_SECONDS),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    return response.status_code, response.headers, _body(response, ends_at)
        except _OF_THE_NETWORK as error:
            # Its text may hold what was sent, so only its kind is told.
            logger.info("AniList: %s", type(error).__name__)
            raise _broken("it cannot be reached") from None


def _body(response: requests.Response, ends_at: float) -> bytes:
    """By `read1`, which gives what has come: `iter_content` waits for whole parts, for as long as bytes trickle."""
    parts: list[bytes] = []
    size = 0
    while part := response.raw.read1(64 * 1024, decode_content=True):
        size += len(part)
        if size > MAX_BYTES:
            raise _broken("its answer is too large")
        if time.monotonic() > ends_at:
            raise _broken("it answers too slowly")
        parts.append(part)
    return b"".join(parts)


def _data(status: int, retry_after: str, body: bytes, *, with_token: bool) -> dict[str, Any]:
    if status == 429:  # also from what stands before AniList, which does not speak GraphQL
        raise _limited(retry_after)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise _disabled() if status == 403 else _broken("its answer cannot be read")
    if (errors := answer.get("errors")) or status != 200:
        raise _error_of(status, retry_after, errors, with_token=with_token)
    if not isinstance(data := answer.get("data"), dict):
        raise _broken("its answer is empty")
    return data


def _error_of(
    status: int,
    retry_after: str,
    errors: object,
    *,
    with_token: bool,
) -> ProviderError:
    first = errors[0] if isinstance(errors, list) and errors else errors
    told = first if isinstance(first, dict) else {}
    words = str(told.get("message", ""))[:300].lower()
    if isinstance(told.get("status"), int):
        status = told["status"]
    match status:
        case 429:
            return _limited(retry_after)
        case 404 if "private" in words:
            return _private(with_token=with_token)
        case 404 if told:
            return _not_found()
        case 400 | 401 if "token" in words or (with_token and status == 401):
            return _bad_token()
        case 403:
            return _disabled()
        case 400 | 401 | 422 if told:
            logger.warning("AniList refuses a query: %r", words)
            return ProviderError(
                "AniList did not understand what this box asked. Its admin can see more in the log.",
                Trouble.REFUSED,
            )
        case _:
            return _broken("it has a fault")


def _page(data: dict[str, Any], page: str, field: str) -> list[Any]:
    return reading.sequence(reading.mapping(data.get(page)).get(field))


def _schedule(pages: range, data: dict[str, Any]) -> tuple[list[AiringRecord], bool]:
    """And whether there is more beyond these pages."""
    records: list[AiringRecord] = []
    for page in pages:
        records += [reading.airing(schedule) for schedule in _page(data, f"p{page}", "airingSchedules")]
        info = reading.mapping(reading.mapping(data[f"p{page}"]).get("pageInfo"))
        if info.get("hasNextPage") is not True:
            return records, False
    return records, bool(records)


def _numbers(external_ids: Collection[str]) -> list[int]:
    """What is no number is no show of AniList's."""
    return sorted(
        {int(text) for text in external_ids if text.isascii() and text.isdecimal() and len(text) < 10}
    )


def _limited(retry_after: str) -> ProviderError:
    told = retry_after.isascii() and retry_after.isdecimal() and len(retry_after) < 10
    seconds = float(retry_after) if told else WAIT_WITHOUT_WORD
    return ProviderError(
        "AniList asks this box to wait a little.", Trouble.LIMITED, retry_after=min(seconds, LONGEST_WAIT)
    )


def _disabled() -> ProviderError:
    return ProviderError(
        "AniList has closed its service to programs for the time being. What is stored here is shown as it was.",
        Trouble.DISABLED,
    )


def _broken(what: str) -> ProviderError:
    return ProviderError(f"AniList does not work at the moment: {what}.", Trouble.BROKEN)


def _not_found() -> ProviderError:
    return ProviderError(
        "AniList knows no such account. Look at how its name is written there, and link again.",
        Trouble.NOT_FOUND,
    )


def _private(*, with_token: bool) -> ProviderError:
    message = (
        "This profile is private and not the code's own. Link again with a code of the same account."
        if with_token
        else "This AniList profile is private. Make it public in AniList's settings, or link it by a code."
    )
    return ProviderError(message, Trouble.PRIVATE)


def _bad_token() -> ProviderError:
    return ProviderError(
        "AniList does not accept this code. Codes end after a year, or when you revoke them: get a new one, and link"
        " again.",
        Trouble.TOKEN,
    )
