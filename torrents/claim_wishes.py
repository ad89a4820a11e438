"""Changing what one person wants of their torrent. What the engine makes of several people's wishes: wishes.py."""

from collections.abc import Collection
from typing import TypedDict

from django.db import transaction

from accounts.models import User
from torrents import history, services
from torrents.admission import settle_again
from torrents.intents import wake_reconciler
from torrents.locks import next_change
from torrents.metainfo import Source
from torrents.models import Claim
from torrents.own_files import are_there, known_indexes


class WishRefused(Exception):
    """This torrent cannot be had so; the text says why. `code` is stable, `field` names the wish."""

    def __init__(self, message: str, *, field: str, code: str) -> None:
        super().__init__(message)
        self.field = field
        self.code = code


class Wishes(TypedDict, total=False):
    """What is left out stays as it is."""

    label: str
    files: Collection[int] | None  # by index; None: all
    download_limit: int | None  # bytes a second; None: none
    upload_limit: int | None
    seed_ratio: float | None  # None: the box's default
    seed_seconds: int | None
    sequential: bool


@transaction.atomic
def add_with_wishes(
    *,
    user: User,
    source: Source,
    wanted: str,
    wishes: Wishes,
    origin: str = Claim.Origin.USER,
    origin_detail: str = "",
) -> tuple[Claim, bool]:
    """services.add_torrent, with wishes that are there before anything starts. A claim that is there stays as it is.

    Raises services.TorrentRefused and WishRefused; then nothing was added.
    """
    claim, created = services.add_torrent(
        user=user, source=source, wanted=wanted, origin=origin, origin_detail=origin_detail
    )
    if created and wishes:
        claim = change_wishes(claim=claim, wishes=wishes)
    return claim, created


@transaction.atomic
def change_wishes(*, claim: Claim, wishes: Wishes) -> Claim:
    """Choosing more files takes completion back until they are there; choosing fewer can complete it at once.

    Raises WishRefused for files that the torrent does not have or that are not known yet, and Claim.DoesNotExist
    when another request removed the claim first.
    """
    claim = Claim.objects.locked_with_torrent(claim)
    claim.change = next_change(claim.user)
    fields = ["change"]
    for name in ("label", "download_limit", "upload_limit", "seed_ratio", "seed_seconds", "sequential"):
        if name in wishes:
            setattr(claim, name, wishes[name])
            fields.append(name)
    if "files" in wishes:
        _choose_files(claim, wishes["files"])
        fields += ["chosen_files", "waits_for", "admitted_size", "completed_at"]
    claim.save(update_fields=fields)
    history.note_completed([claim.torrent_id])
    wake_reconciler()
    return claim


def _choose_files(claim: Claim, files: Collection[int] | None) -> None:
    chosen = None if files is None else sorted(set(files))
    if chosen is not None:
        known = known_indexes(claim.torrent)
        if not known:
            raise WishRefused(
                "The files of this torrent are not known yet. Choose when they are, or add it paused and choose then.",
                field="files",
                code="unknown_files",
            )
        if unknown := [index for index in chosen if index not in known]:
            raise WishRefused(
                f"This torrent has no file {unknown[0]}: its files are 0 to {max(known)}.",
                field="files",
                code="unknown_file",
            )
        if len(chosen) == len(known):
            chosen = None
    before, claim.chosen_files = claim.chosen_files, chosen
    if claim.completed_at is not None and _is_within(chosen, before):
        return  # all of it is theirs already, also where their quota has shrunk since
    if are_there(claim.torrent, chosen):
        settle_again(claim)
    elif claim.completed_at is not None:
        claim.completed_at = claim.admitted_size = None  # a download once more, to be let in as one


def _is_within(chosen: Collection[int] | None, others: Collection[int] | None) -> bool:
    return others is None or (chosen is not None and set(chosen) <= set(others))
