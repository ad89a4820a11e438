"""The rules that redirect episodes whose numbers run on across seasons: fetched now and then, kept while they are good.

Everything works without them; with them, what relations and counts leave open is decided more often.
"""

import datetime
import logging

from django.conf import settings
from django.utils import timezone

from proxy_site import outbound
from watchlist.matching.redirects import NotRules, Redirects, parse
from watchlist.models import RelationRules

MAX_BYTES = 4 * 2**20  # eighty times what the file has today
FETCH_SECONDS = 30.0
_LONGEST_HEADER = 1000  # characters

logger = logging.getLogger(__name__)
_parsed: tuple[tuple[str, datetime.datetime], Redirects | None] | None = None


def fetch() -> bool:
    """Fetch ANIME_RELATIONS_URL, if it is set; whether there are new rules.

    What fails, or is no rules, leaves the last good copy as it is, and says why in the row's `message`.
    """
    url: str = settings.ANIME_RELATIONS_URL
    if not url:
        return False
    kept, _ = RelationRules.objects.get_or_create(url=url)
    try:
        response = outbound.fetch(
            url,
            max_bytes=MAX_BYTES,
            deadline=FETCH_SECONDS,
            allow_private=settings.OUTBOUND_ALLOW_PRIVATE,
            accept="text/plain, */*;q=0.5",
            headers=_conditions(kept),
        )
        if response.status == 304:
            text = kept.text
        else:
            text = response.body.decode("utf-8").replace("\0", "")
            parse(text)
    except (outbound.OutboundError, ValueError) as error:
        _note_failure(kept, error)
        return False
    is_new = text != kept.text
    kept.checked_at = kept.succeeded_at = timezone.now()
    kept.message = ""
    if response.status != 304:
        kept.text = text
        kept.etag = _storable(response.headers.get("etag", ""))
        kept.last_modified = _storable(response.headers.get("last-modified", ""))
    kept.save(update_fields=["text", "etag", "last_modified", "checked_at", "succeeded_at", "message"])
    return is_new


def current() -> Redirects | None:
    """The rules to go by; None where none were ever fetched. The same object while nothing changed."""
    global _parsed
    url: str = settings.ANIME_RELATIONS_URL
    fetched_at = RelationRules.objects.filter(url=url).values_list("succeeded_at", flat=True).first()
    if not url or fetched_at is None:
        return None
    version = (url, fetched_at)
    if _parsed is None or _parsed[0] != version:
        text = RelationRules.objects.filter(url=url).values_list("text", flat=True).get()
        try:
            rules = parse(text)
        except NotRules:  # kept by another release, which read them differently
            logger.warning("the kept rules of %s cannot be read", outbound.redact(url))
            rules = None
        _parsed = (version, _parsed[1] if _parsed is not None and _parsed[1] == rules else rules)
    return _parsed[1]


def _conditions(kept: RelationRules) -> dict[str, str]:
    headers = {}
    if kept.text and kept.etag:
        headers["If-None-Match"] = kept.etag
    if kept.text and kept.last_modified:
        headers["If-Modified-Since"] = kept.last_modified
    return headers


def _note_failure(kept: RelationRules, error: Exception) -> None:
    if isinstance(error, UnicodeDecodeError):
        message = f"{outbound.redact(kept.url)} is not text in UTF-8, so it was not used."
    else:
        message = str(error)
    logger.warning("rules of anime relations: %s", message)
    kept.message, kept.checked_at = message, timezone.now()
    kept.save(update_fields=["message", "checked_at"])


def _storable(header: str) -> str:
    """A header that cannot be sent back is forgotten: then the file is sent in full."""
    return header if len(header) <= _LONGEST_HEADER and header.isascii() and header.isprintable() else ""
