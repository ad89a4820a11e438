"""A person's torrents in the order they like, cut down to what they look for.

Pages are cut by position, never by counting: a page begins after the (sort key, id) of the row that ended the one
before. Rows may come, go and move meanwhile; one that keeps its place is neither skipped nor shown twice.
"""

import unicodedata
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db.models import BigIntegerField, Case, F, Func, IntegerField, Q, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, Lower, NullIf
from django.db.models.lookups import Contains

from accounts.models import User
from proxy_site.compiled_query import CompiledQuery, hidden
from torrents.models import Claim, LiveState
from torrents.querysets import ClaimQuerySet

State = LiveState.State
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_ACCENTS = range(0x300, 0x370)  # combining diacritical marks


class Folded(Func):
    """Text without its accents. PostgreSQL's own normalize needs no extension, but a database in UTF-8."""

    template = r"regexp_replace(normalize(%(expressions)s, NFKD), '[\u0300-\u036f]', '', 'g')"
    output_field = TextField()


def folded(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if ord(sign) not in _ACCENTS).lower()


def _rank(state: State) -> Value:
    return Value(list(State).index(state))


# As torrents.states.state_of, in the order in which a torrent passes through them.
STATE_RANK = Case(
    When(completed_at__isnull=False, then=_rank(State.FINISHED)),
    When(wanted=Claim.Wanted.PAUSED, then=_rank(State.PAUSED)),
    When(~Q(waits_for="") & Q(torrent__refused=""), then=_rank(State.WAITING)),
    When(torrent__live__state__in=(State.PAUSED, State.FINISHED), then=_rank(State.WAITING)),
    *(When(torrent__live__state=state, then=_rank(state)) for state in State),
    output_field=IntegerField(),
)
# None of them is ever NULL, which has no place in an order.
SORT_KEYS: dict[str, Any] = {
    "added": F("added_at"),
    "name": Lower("torrent__name"),
    # Of the person's own files, as they are shown.
    "size": Coalesce(Cast("chosen_size", BigIntegerField()), "torrent__size", Value(-1)),
    "progress": Coalesce(F("chosen_there") / NullIf("chosen_size", Value(0.0)), "torrent__live__progress"),
    "completed": Coalesce("completed_at", Value(NEVER)),
    "state": STATE_RANK,
}
NEWEST_FIRST = "-added"
SORTS = [direction + name for name in SORT_KEYS for direction in ("", "-")]


@dataclass(frozen=True, slots=True)
class Position:
    """Between two rows: after the row of this key and id, or before it."""

    key: Any
    id: uuid.UUID
    before: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    claims: list[Claim]
    previous: Position | None  # None: this is the first page
    next: Position | None  # None: this is the last one


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person looks for; the defaults are all their torrents."""

    states: frozenset[str] = frozenset()
    label: str | None = None
    search: str = ""

    def of(self, user: User) -> ClaimQuerySet:
        claims = Claim.objects.of(user)
        if self.states:
            claims = claims.in_states(self.states)
        if self.label is not None:
            claims = claims.filter(label=self.label)
        text = Lower(Folded(Concat("torrent__name", Value(" "), "label", output_field=TextField())))
        for word in folded(self.search).split():
            claims = claims.filter(Contains(text, word))
        return claims


EVERYTHING = Wanted()


def page_of(*, user: User, wanted: Wanted, sort: str, position: Position | None = None, limit: int) -> Page:
    """At most `limit` of the claims in order. `sort` is one of SORTS."""
    if position is None and wanted == EVERYTHING and sort == NEWEST_FIRST:
        found = newest(limit + 1)(user.pk)
    else:
        found = list(_rows(wanted.of(user), sort, position)[: limit + 1])
    claims, more = found[:limit], len(found) > limit
    if not claims:
        return Page([], None, None)
    backwards = position is not None and position.before
    if backwards:
        claims.reverse()
    return Page(
        claims,
        previous=position_of(claims[0], before=True) if (more if backwards else position) else None,
        next=position_of(claims[-1]) if more or backwards else None,
    )


@lru_cache(maxsize=256)
def newest(count: int) -> CompiledQuery[Claim]:
    """What every client shows first, of a person's id."""
    return CompiledQuery(lambda user_id: Claim.objects.of_user_id(hidden(user_id)).newest_first()[:count], -1)


def _rows(claims: ClaimQuerySet, sort: str, position: Position | None) -> ClaimQuerySet:
    """From the position on, the nearest first: backwards from one that is before a row."""
    descending = sort.startswith("-")
    claims = claims.annotate(sort_key=SORT_KEYS[sort.removeprefix("-")])
    if position is not None:
        descending ^= position.before
        beyond = "lt" if descending else "gt"
        claims = claims.filter(
            Q(**{f"sort_key__{beyond}e": position.key}),  # implied by the next line; an index can use it
            Q(**{f"sort_key__{beyond}": position.key}) | Q(**{f"id__{beyond}": position.id}),
        )
    direction = "-" if descending else ""
    return claims.order_by(f"{direction}sort_key", f"{direction}id")


def position_of(claim: Claim, *, before: bool = False) -> Position:
    return Position(vars(claim).get("sort_key", claim.added_at), claim.pk, before)
