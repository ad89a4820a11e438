"""Named reads of what was found and taken. See models.py for the order of locks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models
from django.db.models import BooleanField, Count, F, Func, IntegerField, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Floor, Greatest, Now

if TYPE_CHECKING:
    from accounts.models import User
    from watchlist.models import Candidate, Entry, Episode, Grab


class EpisodeQuerySet(models.QuerySet["Episode"]):
    def by_show(self, shows: Collection[int]) -> dict[int, dict[int, datetime]]:
        """When each episode airs, by show and number."""
        found: dict[int, dict[int, datetime]] = defaultdict(dict)
        for show, number, airs_at in self.filter(show__in=shows).values_list("show", "number", "airs_at"):
            found[show][number] = airs_at
        return found

    def airing(self, since: datetime, until: datetime) -> EpisodeQuerySet:
        return self.filter(airs_at__gte=since, airs_at__lt=until).order_by("airs_at", "show", "number")


class EntryQuerySet(models.QuerySet["Entry"]):
    def followed_of(self, user: User) -> EntryQuerySet:
        return self.filter(user=user, state="followed").select_related("show").order_by("pk")

    def in_calendar(self, user: User, airings: models.QuerySet[Episode, Episode]) -> EntryQuerySet:
        """What they follow, or have stopped looking for, of the shows that these are episodes of."""
        theirs = self.filter(user=user, state__in=("followed", "paused"), show__in=airings.values("show"))
        return theirs.select_related("show").order_by("pk")

    def with_everything_there(self) -> EntryQuerySet:
        """Followed until their show ends, which it has: every episode that is wanted is there, or was until its owner
        removed it."""
        from watchlist.models import Grab

        there = Grab.objects.filter(
            entry=OuterRef("pk"),
            special="",
            number=Floor("number"),
            number__gte=OuterRef("from_episode"),
            number__lte=OuterRef("show__episodes"),
            candidate__state__in=("have", "removed"),
        )
        ended = self.filter(
            state="followed",
            end_with_show=True,
            show__status="FINISHED",
            from_episode__lte=F("show__episodes"),
        )
        wanted = F("show__episodes") - Greatest(F("from_episode"), 1) + 1
        return ended.annotate(there=_count(there)).filter(there__gte=wanted)

    def owners(self) -> list[int]:
        """Of active accounts."""
        active = self.filter(user__is_active=True).order_by("user")
        return list(active.values_list("user", flat=True).distinct())

    def end(self) -> int:
        ended = list(self.values_list("pk", flat=True))
        some = self.model._default_manager.filter(pk__in=ended)
        return some.update(state="ended", changed_at=Now())


class CandidateQuerySet(models.QuerySet["Candidate"]):
    def of(self, user: User) -> CandidateQuerySet:
        return self.filter(entry__user=user)

    def in_line(self) -> CandidateQuerySet:
        """Of followed entries, for a wanted episode that nothing was taken for."""
        return self.filter(_LACKS_A_GRAB, state="found", entry__state="followed")

    def to_look_at(self, removed_since: datetime) -> CandidateQuerySet:
        """Under way, the longest not looked at first; with those that their owner may have restored."""
        restorable = Q(state="removed", changed_at__gte=removed_since)
        some = self.filter(Q(state="taken") | restorable)
        return some.select_related("entry__show", "download").order_by(
            F("looked_at").asc(nulls_first=True), "pk"
        )

    def not_taken_for(self, entries: Collection[Entry]) -> CandidateQuerySet:
        """Of wanted episodes without a grab: found, or could not be had; the best first, as they are taken."""
        some = self.filter(_LACKS_A_GRAB, entry__in=entries, state__in=("found", "failed", "stalled"))
        return some.order_by("preference", "found_at", "pk")

    def owners(self) -> list[int]:
        """Of active accounts, those whose candidates were looked at the longest ago first."""
        active = self.filter(entry__user__is_active=True).order_by()
        rows = active.values("entry__user").annotate(since=Min("looked_at"))
        ordered = rows.order_by(F("since").asc(nulls_first=True), "entry__user")
        return list(ordered.values_list("entry__user", flat=True))

    def that_need(self, *, download: int | None, claims: Collection[UUID]) -> CandidateQuerySet:
        """Taken, and waiting for this download or living on one of these claims."""
        same = Q(claim_id__in=claims)
        if download is not None:
            same |= Q(download=download)
        return self.filter(same, state__in=("taken", "have"))


class WatchGrabQuerySet(models.QuerySet["Grab"]):
    def of_entries(self, entries: Collection[Entry]) -> WatchGrabQuerySet:
        return self.filter(entry__in=entries).select_related("candidate", "successor")

    def shown(self) -> WatchGrabQuerySet:
        """What is told of them, and no more: there are thousands."""
        told = ("state", "title", "group", "version", "claim_id", "message")
        some = [f"candidate__{name}" for name in told]
        return self.only("entry", "special", "number", *some, "successor__title")

    def living_on(self, candidate: Candidate) -> WatchGrabQuerySet:
        """Its episodes, or those that it is to take over."""
        return self.filter(Q(candidate=candidate) | Q(successor=candidate))


class _Lacks(Func):
    """Whether one of these numbers is an episode that its entry's owner wants and that has no grab."""

    template = """EXISTS (
        SELECT FROM (VALUES (%(expressions)s)) AS held (numbers, special, entry_id, first_wanted),
            unnest(held.numbers) AS one
        WHERE (held.special <> '' OR one >= held.first_wanted) AND NOT EXISTS (
            SELECT FROM watchlist_grab AS taken
            WHERE taken.entry_id = held.entry_id AND taken.special = held.special AND taken.number = one
        )
    )"""
    output_field = BooleanField()


_LACKS_A_GRAB = _Lacks(F("numbers"), F("special"), F("entry"), F("entry__from_episode"))


def _count(rows: models.QuerySet[Grab, Grab]) -> Coalesce:
    counted = rows.order_by().values("entry").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
