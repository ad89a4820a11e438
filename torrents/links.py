"""Signed links: whoever holds one may fetch one file, or the archive, without logging in, for some hours.

A link dies when it expires, when its torrent is removed, when its user is disabled or gets a new password, and when
they end their other sessions or all their links.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import connection

from accounts.models import User
from torrents.models import Claim, LinkEpoch

_SALT = "torrents.links"


class LinkRefused(Exception):
    """The link does not work (any more). Why is not said: whoever holds it may be a stranger."""


@dataclass(frozen=True, slots=True)
class Link:
    token: str
    expires_at: datetime


def make_link(*, claim: Claim, index: int | None) -> Link:
    """Sign a link to the file of that index, or to the whole torrent's archive."""
    token = signing.dumps([claim.pk.hex, index, _epoch(claim.user_id)], salt=_SALT)
    return Link(token, datetime.now(UTC) + timedelta(hours=settings.LINK_HOURS))


def follow_link(token: str) -> tuple[Claim, int | None]:
    """The claim and the file's index (None: the archive) that a link names. Raises LinkRefused."""
    try:
        claim_id, index, epoch = signing.loads(
            token, salt=_SALT, max_age=timedelta(hours=settings.LINK_HOURS)
        )
    except signing.BadSignature as error:
        raise LinkRefused from error
    claim = Claim.objects.of_active_users().named(uuid.UUID(claim_id)).first()
    if claim is None or epoch != _epoch(claim.user_id):
        raise LinkRefused
    return claim, index


def end_links(*, user: User, **signal: Any) -> None:
    """Every link that this user has made stops working at once. Also a receiver of `accounts.signals.access_ended`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO torrents_linkepoch AS epoch (user_id, value) VALUES (%s, 1)
            ON CONFLICT (user_id) DO UPDATE SET value = epoch.value + 1
            """,
            [user.pk],
        )


def _epoch(user_id: int) -> int:
    return LinkEpoch.objects.filter(pk=user_id).values_list("value", flat=True).first() or 0
