"""Named reads. Views, tasks and commands ask these and write no queries of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db import connection, models
from django.db.models import (
    BooleanField,
    Count,
    Exists,
    F,
    Func,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    Subquery,
)
from django.db.models.functions import Coalesce, Floor, Greatest, Now

if TYPE_CHECKING:
    from accounts.models import User
    from watchlist.models import (  # noqa: F401  the querysets' type arguments
        Alias,
        Candidate,
        Decision,
        Entry,
        Episode,
        Grab,
        Reading,
        Show,
    )


class Move(NamedTuple):
    """Of one reading."""

    subscription: UUID
    was_source: int
    was_position: int
    source: int
    position: int


class ShowQuerySet(models.QuerySet["Show"]):
    def everybodys(self) -> ShowQuerySet:
        return self.filter(owner=None).order_by("pk")

    def typed_by(self, user: User) -> ShowQuerySet:
        return self.filter(owner=user).order_by("pk")

    def owners(self) -> set[int]:
        """Who has typed in some."""
        owners = self.exclude(owner=None).order_by().values_list("owner_id", flat=True).distinct()
        return {owner for owner in owners if owner is not None}

    def visible_to(self, user: User) -> ShowQuerySet:
        return self.filter(Q(owner=None) | Q(owner=user))

    def with_airings(self, now: datetime) -> ShowQuerySet:
        """`last_aired` and `next_number`: of the latest episode that has aired, and of the first that has not."""
        aired = Q(airings__airs_at__lte=now)
        return self.annotate(
            last_aired=Max("airings__number", filter=aired), next_number=Min("airings__number", filter=~aired)
        )

    def version(self, now: datetime) -> tuple[Any, ...]:
        """Another one whenever something that matching looks at is another: cheap beside reading it all."""
        with connection.cursor() as cursor:
            cursor.execute(_VERSION, {"now": now})
            version: tuple[Any, ...] = cursor.fetchone()
        return version


_VERSION = """
SELECT (
    SELECT sum(hashtextextended(looked_at::text, 0)) FROM (
        SELECT id, provider, external_id, mal_id, romaji, english, native, synonyms, format, status, episodes,
               season_year, starts_on, ends_on
        FROM watchlist_show WHERE owner_id IS NULL
    ) AS looked_at
), (
    SELECT sum(hashtextextended(looked_at::text, 0)) FROM (
        SELECT show_id, kind, other_id FROM watchlist_relation
    ) AS looked_at
), (
    SELECT sum(hashtextextended(looked_at::text, 0)) FROM (
        SELECT show_id,
               max(number) FILTER (WHERE airs_at <= %(now)s),
               min(number) FILTER (WHERE airs_at > %(now)s)
        FROM watchlist_episode GROUP BY show_id
    ) AS looked_at
), (
    SELECT max(succeeded_at) FROM watchlist_relationrules
)
"""


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
    def followed(self) -> EntryQuerySet:
        """Those of whose shows their owner wants to hear."""
        return self.filter(state__in=("followed", "paused"), user__is_active=True)

    def to_look_back(self) -> EntryQuerySet:
        return self.filter(look_back=True, state="followed", user__is_active=True)

    def of_shows(
        self, user: User, shows: Collection[int], *, or_counted_otherwise: bool = False
    ) -> EntryQuerySet:
        wanted = Q(show__in=shows)
        return self.filter(
            wanted | ~Q(offset=0) if or_counted_otherwise else wanted, user=user
        ).select_related("show")

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


class AliasQuerySet(models.QuerySet["Alias"]):
    def of(self, user: User) -> AliasQuerySet:
        return self.filter(user=user).order_by("pk")

    def meanings(self, user: User) -> models.QuerySet[Alias, tuple[str, int | None, int | None]]:
        """(key, season, show) of each."""
        return self.filter(user=user).values_list("key", "season", "show_id")

    def named(self, user: User, key: str, season: int | None) -> AliasQuerySet:
        return self.filter(user=user, key=key, season=season)


class ReadingQuerySet(models.QuerySet["Reading"]):
    def by_subscription(self, subscriptions: Iterable[UUID]) -> dict[UUID, Reading]:
        return {
            reading.subscription_id: reading for reading in self.filter(subscription__in=list(subscriptions))
        }

    def move(self, moves: Collection[Move]) -> bool:
        """False, and not to be committed, where one of them is not (any more) where it was."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE watchlist_reading AS reading SET source = moved.source, position = moved.position
                FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
                     AS moved (subscription, was_source, was_position, source, position)
                WHERE (reading.subscription_id, reading.source, reading.position)
                    = (moved.subscription, moved.was_source, moved.was_position)
                """,
                [list(column) for column in zip(*moves, strict=True)],
            )
            moved: int = cursor.rowcount
        return moved == len(moves)


class CandidateQuerySet(models.QuerySet["Candidate"]):
    def of_items(self, user: User, items: Collection[int]) -> CandidateQuerySet:
        return self.filter(entry__user=user, item__in=items)

    def under_way(self) -> CandidateQuerySet:
        """Or there, or tried: anything but merely found."""
        return self.exclude(state="found")

    def forgettable(self, before: datetime) -> CandidateQuerySet:
        """Of no episode that somebody has, and not to be taken any more, or never was taken for long."""
        from watchlist.models import Grab

        used = Grab.objects.filter(Q(candidate=OuterRef("pk")) | Q(successor=OuterRef("pk")))
        gone = Q(state="found", item=None) | Q(changed_at__lt=before)
        return self.filter(gone).exclude(state__in=("taken", "have")).exclude(Exists(used))

    def of(self, user: User) -> CandidateQuerySet:
        return self.filter(entry__user=user)

    def begin(self, downloads: Mapping[int, int], now: datetime) -> None:
        """These candidates are taken, and wait for their downloads."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE watchlist_candidate
                SET state = 'taken', message = '', leaving = false, download_id = begun.download, claim_id = NULL,
                    looked_at = NULL, bytes_done = NULL, idle_seconds = 0, changed_at = %s
                FROM unnest(%s::bigint[], %s::bigint[]) AS begun (candidate, download)
                WHERE id = begun.candidate
                """,
                [now, list(downloads), list(downloads.values())],
            )

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
    def releases(
        self, entries: Iterable[UUID]
    ) -> models.QuerySet[Grab, tuple[UUID, str, float, int, str, str, int]]:
        """Which (entry, special, number) there is by which (item, title, group, version)."""
        release = [f"candidate__{name}" for name in ("item_id", "title", "group", "version")]
        return self.filter(entry__in=list(entries)).values_list("entry_id", "special", "number", *release)

    def grab(self, episodes: Sequence[tuple[Candidate, tuple[str, float]]]) -> Iterable[Grab]:
        """Have each (special, number) of the candidate's entry come from it; those that nothing had been taken for."""
        if not episodes:
            return ()
        return self.raw(
            """
            INSERT INTO watchlist_grab (entry_id, candidate_id, special, number)
            SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::float8[])
            ON CONFLICT DO NOTHING RETURNING *
            """,
            [
                [candidate.entry_id for candidate, _episode in episodes],
                [candidate.pk for candidate, _episode in episodes],
                [special for _candidate, (special, _number) in episodes],
                [number for _candidate, (_special, number) in episodes],
            ],
        )

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


class WatchDecisionQuerySet(models.QuerySet["Decision"]):
    def of(self, user: User) -> WatchDecisionQuerySet:
        """The latest first."""
        return self.filter(user=user).select_related("item", "entry__show").order_by("-pk")

    def narrowed(self, *, search: str, outcome: str | None, entry: UUID | None) -> WatchDecisionQuerySet:
        decisions = self
        for word in search.split():
            decisions = decisions.filter(item__title__icontains=word)
        if outcome is not None:
            decisions = decisions.filter(outcome=outcome)
        return decisions if entry is None else decisions.filter(entry=entry)

    def by_alias(self, alias: Alias) -> WatchDecisionQuerySet:
        """What may have been decided by it, or answered with it: of its show, or that it is none of theirs."""
        answered = Q(entry=None, outcome="settled")
        return self.of(alias.user).filter(answered | Q(entry__show=alias.show) if alias.show_id else answered)

    def unanswered(self, user: User) -> WatchDecisionQuerySet:
        return self.of(user).filter(outcome="review")


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
