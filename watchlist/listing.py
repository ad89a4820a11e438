"""A person's watchlist as they see it. Everything starts from the person: what is not theirs is not found."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce, Length, Lower, NullIf
from django.db.models.lookups import GreaterThan

from accounts.models import User
from watchlist.episodes import Summary, summaries
from watchlist.models import Alias, Candidate, Decision, Entry, Link, Preferences, Show
from watchlist.preferences import preferences_of
from watchlist.wanted import Wanted, wanted_of

_NONE = Value("")
_TITLE = Coalesce(  # as Show.title has it
    NullIf("show__english", _NONE), NullIf("show__romaji", _NONE), "show__native"
)


@dataclass(frozen=True, slots=True)
class ListedEntry:
    entry: Entry
    effective_wishes: Wanted
    aliases: list[Alias]
    summary: Summary


@dataclass(frozen=True, slots=True)
class ListedDecision:
    """`feed`: as they call it, None where they follow it no more."""

    decision: Decision
    feed: str | None


def entries_of(user: User, *, search: str = "", state: str | None = None) -> QuerySet[Entry]:
    """By title. Without `state` all but what was removed."""
    entries = Entry.objects.filter(user=user).select_related("show", "user")
    entries = entries.exclude(state=Entry.State.REMOVED) if state is None else entries.filter(state=state)
    for word in search.split():
        entries = entries.filter(_names(word, "show__"))
    return entries.order_by(Lower(_TITLE), "pk")


def entry_of(user: User, entry_id: UUID) -> Entry | None:
    return Entry.objects.filter(user=user, pk=entry_id).select_related("show", "user").first()


def listed(user: User, entries: Iterable[Entry]) -> list[ListedEntry]:
    entries = list(entries)
    aliases: dict[int | None, list[Alias]] = defaultdict(list)
    named = Alias.objects.filter(user=user, show__in=[entry.show_id for entry in entries])
    for alias in named.order_by("name", "pk"):
        aliases[alias.show_id].append(alias)
    preferences, sums = preferences_of(user), summaries(entries)
    return [
        ListedEntry(entry, wanted_of(entry, preferences), aliases[entry.show_id], sums[entry.pk])
        for entry in entries
    ]


def effective_preferences(preferences: Preferences) -> Wanted:
    """What holds for a show of which nothing else is said."""
    return wanted_of(None, preferences)


def show_of(user: User, show_id: int) -> Show | None:
    """One that they may see: everybody's, or their own."""
    return Show.objects.visible_to(user).filter(pk=show_id).first()


def alias_of(entry: Entry, alias_id: int) -> Alias | None:
    return Alias.objects.filter(user=entry.user_id, show=entry.show_id, pk=alias_id).first()


def candidates_of(entry: Entry) -> QuerySet[Candidate]:
    """The latest first."""
    return Candidate.objects.filter(entry=entry).order_by("-found_at", "-pk")


def candidate_of(entry: Entry, candidate_id: int) -> Candidate | None:
    return candidates_of(entry).filter(pk=candidate_id).first()


def links_of(user: User) -> QuerySet[Link]:
    """Each with `private`: it was linked by a token, which is not read."""
    links = Link.objects.filter(user=user).defer("token").order_by("provider")
    return links.annotate(private=GreaterThan(Length("token"), 0))


def link_of(user: User, provider: str) -> Link | None:
    return links_of(user).filter(provider=provider).first()


def decisions_of(
    user: User, *, search: str = "", outcome: str | None = None, entry: UUID | None = None
) -> QuerySet[Decision]:
    """The latest first."""
    return Decision.objects.of(user).narrowed(search=search, outcome=outcome, entry=entry)


def decision_of(user: User, decision_id: int) -> Decision | None:
    return decisions_of(user).filter(pk=decision_id).first()


def listed_decisions(user: User, decisions: Iterable[Decision]) -> list[ListedDecision]:
    decisions = list(decisions)
    sources = {decision.item.source_id for decision in decisions}
    names = dict(user.subscriptions.filter(source__in=sources).values_list("source", "name"))
    return [ListedDecision(decision, names.get(decision.item.source_id)) for decision in decisions]


def _names(word: str, before: str = "") -> Q:
    """In any of a show's names. A list is compared as PostgreSQL writes it."""
    found = Q()
    for name in ("romaji", "english", "native", "synonyms"):
        found |= Q(**{f"{before}{name}__icontains": word})
    return found
