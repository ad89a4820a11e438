"""A torrent as the API shows it, written by hand: a person's list is asked for once a second.

`TorrentSerializer` is the same as a schema; a test compares the two field by field.
"""

from datetime import datetime
from typing import Any

from torrents.allowances import Allowances
from torrents.models import Claim
from torrents.own_files import eta_of, progress_of, size_of
from torrents.services import Changes
from torrents.states import message_of, state_of


def render_torrent(claim: Claim, allowances: Allowances | None = None) -> dict[str, Any]:
    """A claim of `Claim.objects.of(user)`, ready for JSON. Asks the database nothing, but for the person's limits where
    a torrent waits for one of them; `allowances` remembers these."""
    torrent = claim.torrent
    live = torrent.live
    return {
        "id": str(claim.pk),
        "name": torrent.name,
        "state": state_of(claim),
        "message": message_of(claim, allowances),
        "progress": progress_of(claim),
        "size": size_of(claim),
        "downloaded": live.downloaded,
        "uploaded": live.uploaded,
        "download_speed": live.download_speed,
        "upload_speed": live.upload_speed,
        "eta": eta_of(claim),
        "seeds": live.seeds,
        "peers": live.peers,
        "infohash_v1": torrent.infohash_v1,
        "infohash_v2": torrent.infohash_v2,
        "private": torrent.private,
        "origin": claim.origin,
        "label": claim.label,
        "waits_for": claim.waits_for,
        "sequential": claim.sequential,
        "download_limit": claim.download_limit,
        "upload_limit": claim.upload_limit,
        "seed_ratio": claim.seed_ratio,
        "seed_seconds": claim.seed_seconds,
        "handed_over": claim.handed_over,
        "added_at": _moment(claim.added_at),
        "completed_at": _moment(claim.completed_at) if claim.completed_at else None,
        "change": claim.change,
    }


def render_torrents(claims: list[Claim]) -> list[dict[str, Any]]:
    allowances = Allowances()
    return [render_torrent(claim, allowances) for claim in claims]


def render_changes(changes: Changes) -> dict[str, Any]:
    return {
        "change": changes.change,
        "more": changes.more,
        "reset": changes.reset,
        "torrents": render_torrents(changes.claims),
        "removed": [str(claim_id) for claim_id in changes.removed],
    }


def _moment(moment: datetime) -> str:
    """As REST framework writes it; the database gives UTC."""
    return moment.isoformat().removesuffix("+00:00") + "Z"
