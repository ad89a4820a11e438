"""What of a path is the caller's own: everything else does not exist, so it is 404; and how refusals read."""

import uuid

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request

from accounts.api.authentication import user_of
from watchlist import listing
from watchlist.api.serializers import MAX_KEY
from watchlist.models import Alias, Candidate, Decision, Entry, Link, Show
from watchlist.wishes import WishRefused

NO_ENTRY = "You follow no such show. Perhaps it was removed."
NO_CANDIDATE = "This show has no such release, or it is forgotten by now."
NO_LINK = "You have linked no account there."


def own_entry(request: Request, entry_id: uuid.UUID) -> Entry:
    entry = listing.entry_of(user_of(request), entry_id)
    if entry is None:
        raise NotFound(NO_ENTRY)
    return entry


def own_alias(entry: Entry, alias_id: int) -> Alias:
    alias = listing.alias_of(entry, alias_id) if alias_id <= MAX_KEY else None
    if alias is None:
        raise NotFound("This show has no such other name. Perhaps it was removed.")
    return alias


def own_candidate(entry: Entry, candidate_id: int) -> Candidate:
    candidate = listing.candidate_of(entry, candidate_id) if candidate_id <= MAX_KEY else None
    if candidate is None:
        raise NotFound(NO_CANDIDATE)
    return candidate


def own_decision(request: Request, decision_id: int) -> Decision:
    decision = listing.decision_of(user_of(request), decision_id) if decision_id <= MAX_KEY else None
    if decision is None:
        raise NotFound("There is no such question, or it is forgotten by now.")
    return decision


def own_link(request: Request, provider: str) -> Link:
    link = listing.link_of(user_of(request), provider)
    if link is None:
        raise NotFound(NO_LINK)
    return link


def visible_show(request: Request, show_id: int) -> Show:
    show = listing.show_of(user_of(request), show_id)
    if show is None:
        raise ValidationError({"show_id": "There is no such show. Search again."}, code="no_show")
    return show


def wish_refused(refused: WishRefused) -> ValidationError:
    """Of an entry, whose wishes are a field of it."""
    return ValidationError({"wishes": {refused.field: [str(refused)]}}, code="invalid")
