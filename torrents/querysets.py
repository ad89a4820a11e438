"""Named reads. Views, commands and the reconciler ask these and write no queries of their own."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection, models
from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Q,
    Subquery,
    Sum,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.db.models.lookups import IsNull

from torrents.seeding import SeedingWish

if TYPE_CHECKING:
    from accounts.models import User
    from torrents.models import (  # noqa: F401  the querysets' type arguments
        BlockedInfohash,
        Claim,
        Engine,
        Torrent,
        TorrentFile,
    )


@dataclass(frozen=True, slots=True)
class TorrentFacts:
    """What the reconciler keeps in mind of a torrent: what is wanted of it and what is known about it."""

    id: uuid.UUID
    claimed: bool
    wanted_running: bool  # at least one person wants it to run, and was let in
    refused: bool
    has_infohash_v1: bool
    has_infohash_v2: bool
    has_metainfo: bool
    has_files: bool
    size: int | None  # bytes of all files


@dataclass(frozen=True, slots=True)
class FinishedTop:
    """A finished torrent of one person, with its first and its last file: the same one, where it has but one."""

    claim_id: uuid.UUID
    torrent_id: uuid.UUID
    name: str
    completed_at: datetime
    first_index: int
    first_path: str
    first_size: int
    last_index: int
    last_pk: int
    removed: bool  # given up, and may be taken back
    chosen: list[int] | None


class TorrentQuerySet(models.QuerySet["Torrent"]):
    def matching(self, infohash_v1: str | None, infohash_v2: str | None) -> TorrentQuerySet:
        """Those that either infohash names: a hybrid is found by each of its two, so there may be two rows."""
        either = Q()
        if infohash_v1:
            either |= Q(infohash_v1=infohash_v1)
        if infohash_v2:
            either |= Q(infohash_v2=infohash_v2)
        return self.filter(either) if either else self.none()

    def locked(self) -> TorrentQuerySet:
        """Locked in the one order that everybody uses, without the megabytes that hardly anybody looks at."""
        return self.select_for_update(of=("self",)).order_by("pk").defer("metainfo")

    def facts(self) -> Iterator[TorrentFacts]:
        """A light row for each, in one query."""
        from torrents.models import Claim, TorrentFile

        claims = Claim.objects.filter(torrent=OuterRef("pk"))
        facts = (
            ~Q(refused=""),
            Q(infohash_v1__isnull=False),
            Q(infohash_v2__isnull=False),
            Q(metainfo__isnull=False),
        )
        rows = self.values_list(
            "pk",
            Exists(claims),
            Exists(claims.filter(wanted=Claim.Wanted.RUNNING, waits_for="")),
            *(ExpressionWrapper(fact, BooleanField()) for fact in facts),
            Exists(TorrentFile.objects.filter(torrent=OuterRef("pk"))),
            "size",
        )
        return (TorrentFacts(*row) for row in rows.iterator())

    def without_claims(self) -> TorrentQuerySet:
        """Not even one that can still be taken back."""
        from torrents.models import Claim

        return self.exclude(Exists(Claim.with_removed.filter(torrent=OuterRef("pk")))).defer("metainfo")

    def public_trackers(self) -> Iterator[tuple[uuid.UUID, list[str]]]:
        """By torrent. A private one announces to those of its own metainfo and nowhere else."""
        some = self.exclude(private=True).exclude(trackers=[]).values_list("pk", "trackers")
        return some.iterator()


class TorrentFileQuerySet(models.QuerySet["TorrentFile"]):
    def without_checksum(self) -> TorrentFileQuerySet:
        """Finished files that nobody has hashed yet, the oldest torrent first."""
        return (
            self.filter(Q(torrent__completed_at__isnull=False) | Q(progress__gte=1), sha256="")
            .select_related("torrent")
            .defer("torrent__metainfo")
            .order_by("torrent__completed_at", "torrent_id", "index")
        )


class ClaimQuerySet(models.QuerySet["Claim"]):
    def of(self, user: User) -> ClaimQuerySet:
        """Everything that exists for this person; other people's claims do not."""
        return self.of_user_id(user.pk)

    def of_user_id(self, user_id: int | RawSQL) -> ClaimQuerySet:
        return self.filter(user_id=user_id)._whole()

    def of_active_users(self) -> ClaimQuerySet:
        """Everybody's, for whoever shows a signed link instead of logging in."""
        return self.filter(user__is_active=True)._whole()

    def _whole(self) -> ClaimQuerySet:
        related = ("torrent", "torrent__live", "torrent__engine", "traffic")
        # A poll a second must not read megabytes of metainfo and trackers that it does not show, nor parse moments.
        unseen = (
            "trackers",
            "by_torrent_file",
            "origin_detail",
            "admitted_size",
            "torrent__metainfo",
            "torrent__trackers",
            "torrent__added_at",
            "torrent__unclaimed_at",
            "torrent__recheck_requested_at",
            "torrent__live__engine_uploaded",
            "torrent__engine__name",
            "torrent__engine__message",
            "torrent__engine__checked_at",
            "torrent__engine__free_space",  # moves with every byte, and hardly any claim shows it
        )
        whole = self.select_related(*related).defer(*unseen)
        return whole.annotate(
            chosen_size=_sum_over_chosen("size"), chosen_there=_sum_over_chosen(F("size") * F("progress"))
        )

    def finished(self) -> ClaimQuerySet:
        return self.filter(completed_at__isnull=False)

    def waiting(self, user: User) -> Iterator[tuple[str, int]]:
        """For what this person's torrents wait that are to run, and how many for each, in the order of its name."""
        mine = self.filter(user=user, wanted="running", completed_at=None, torrent__refused="")
        counted = mine.exclude(waits_for="").values_list("waits_for").annotate(Count("pk"))
        return counted.order_by("waits_for").iterator()

    def sent_to_peers(self, user: User) -> int:
        """Bytes, ever, of the torrents that this person holds. Not shared out among all who hold one: that would tell
        that somebody else does."""
        return int(self.filter(user=user).aggregate(sum=Sum("torrent__live__uploaded"))["sum"] or 0)

    def finished_tops(self, user: User) -> Iterator[FinishedTop]:
        """This person's finished torrents, in the order in which they came to be finished, in one query that reads
        two of their files of each."""
        from torrents.models import TorrentFile

        files = TorrentFile.objects.filter(chosen_files())
        first, last = files.order_by("index"), files.order_by("-index")
        rows = (
            self.filter(user=user)
            .finished()
            .filter(Exists(files))
            .order_by("completed_at", "added_at", "id")
            .values_list(
                "pk",
                "torrent_id",
                "torrent__name",
                Coalesce("torrent__completed_at", "completed_at"),
                Subquery(first.values("index")[:1]),
                Subquery(first.values("path")[:1]),
                Subquery(first.values("size")[:1]),
                Subquery(last.values("index")[:1]),
                Subquery(last.values("pk")[:1]),
                ExpressionWrapper(Q(removed_at__isnull=False), BooleanField()),
                "chosen_files",
            )
        )
        return (FinishedTop(*row) for row in rows.iterator())

    def removed_until(self, moment: datetime) -> ClaimQuerySet:
        """Given up by then, and not taken back; of `with_removed`."""
        return self.filter(removed_at__lte=moment)

    def removed_after(self, moment: datetime) -> ClaimQuerySet:
        return self.filter(removed_at__gt=moment)

    def seeding_wishes(self, engine: Engine) -> Iterator[SeedingWish]:
        """Of all who have what they want of a torrent of this engine, and want it to run."""
        wishes = (
            self.filter(torrent__engine=engine, wanted="running")
            .finished()
            .values_list(
                "torrent_id",
                Coalesce("torrent__completed_at", "completed_at"),
                "torrent__live__uploaded",
                Coalesce("admitted_size", "torrent__size", 0),
                "seed_ratio",
                "seed_seconds",
            )
        )
        return (SeedingWish(*wish) for wish in wishes.iterator())

    def wishes(self, engine: Engine) -> Iterator[tuple[Any, ...]]:
        """What each claim on this engine's torrents wants, the newest first: see torrents.engine_wishes."""
        return (
            self.filter(torrent__engine=engine)
            .order_by("-added_at", "-id")
            .values_list(
                "torrent_id",
                "user_id",
                "wanted",
                "waits_for",
                "chosen_files",
                "download_limit",
                "upload_limit",
                "sequential",
                "completed_at",
                ExpressionWrapper(Q(torrent__metainfo__isnull=False), BooleanField()),
            )
            .iterator()
        )

    def newest_first(self) -> ClaimQuerySet:
        return self.order_by("-added_at", "-id")

    def named(self, claim_id: uuid.UUID) -> ClaimQuerySet:
        """By its id, or by the id of a claim that was merged into it."""
        from torrents.models import ClaimAlias

        merged = ClaimAlias.objects.filter(pk=claim_id).values("claim_id")
        return self.filter(Q(pk=claim_id) | Q(pk__in=merged))

    def known_by(self, claim_ids: Collection[uuid.UUID]) -> ClaimQuerySet:
        """As `named`, for many; each with `merged`, the ids of all claims that were merged into it."""
        from torrents.models import ClaimAlias

        aliases = ClaimAlias.objects.filter(pk__in=claim_ids).values("claim_id")
        others = ClaimAlias.objects.filter(claim=OuterRef("pk")).values("pk")
        return self.filter(Q(pk__in=claim_ids) | Q(pk__in=aliases)).annotate(merged=ArraySubquery(others))

    def in_states(self, states: Iterable[str]) -> ClaimQuerySet:
        """By the state that its owner sees: see torrents.states, which this mirrors."""
        from torrents.models import Claim, LiveState

        states = set(states)
        finished = Q(completed_at__isnull=False)
        paused = ~finished & Q(wanted=Claim.Wanted.PAUSED)
        moving = states - {LiveState.State.PAUSED, LiveState.State.FINISHED}
        if LiveState.State.WAITING in states:
            moving |= {LiveState.State.PAUSED, LiveState.State.FINISHED}
        held_back = ~Q(waits_for="") & Q(torrent__refused="")
        chosen = ~finished & ~paused & ~held_back & Q(torrent__live__state__in=moving)
        if LiveState.State.WAITING in states:
            chosen |= ~finished & ~paused & held_back
        if LiveState.State.FINISHED in states:
            chosen |= finished
        if LiveState.State.PAUSED in states:
            chosen |= paused
        return self.filter(chosen)

    def locked_with_torrent(self, claim: Claim) -> Claim:
        """The claim as it is now, its torrent's row locked; Claim.DoesNotExist if it is gone."""
        from torrents.models import Torrent

        while True:
            torrent_id = self.values_list("torrent_id", flat=True).get(pk=claim.pk)
            Torrent.objects.filter(pk=torrent_id).locked().first()
            # Read after the wait: a query that joins the locked row shows the claim as it was before.
            found = self.select_related("torrent", "user").defer("torrent__metainfo").get(pk=claim.pk)
            if found.torrent_id == torrent_id:  # else its torrent was merged meanwhile
                return found

    def changed_after(self, change: int | RawSQL) -> ClaimQuerySet:
        return self.filter(change__gt=change).order_by("change", "id")

    def mark_changed(self, torrents: Collection[uuid.UUID]) -> None:
        """Tell everybody who holds these torrents that they changed, in the caller's transaction.

        The caller holds the torrents' row locks, so nobody can claim one of them unnoticed meanwhile. Counters are
        locked in the order of user ids by the INSERT's ORDER BY.
        """
        if not torrents:
            return
        assert connection.in_atomic_block
        ids = list(torrents)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH bumped AS (
                    INSERT INTO torrents_changecounter AS counter (user_id, value, pruned)
                    SELECT user_id, 1, 0 FROM torrents_claim
                    WHERE torrent_id = ANY(%s) AND removed_at IS NULL
                    GROUP BY user_id ORDER BY user_id
                    ON CONFLICT (user_id) DO UPDATE SET value = counter.value + 1
                    RETURNING user_id, value
                )
                UPDATE torrents_claim AS claim SET change = bumped.value
                FROM bumped WHERE claim.user_id = bumped.user_id AND claim.torrent_id = ANY(%s)
                    AND claim.removed_at IS NULL
                """,
                [ids, ids],
            )


class BlockedInfohashQuerySet(models.QuerySet["BlockedInfohash"]):
    def naming(self, *infohashes: str | None) -> BlockedInfohashQuerySet:
        return self.filter(infohash__in=[infohash for infohash in infohashes if infohash])


class _IsAny(Func):
    """Whether a value stands in an array."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()


def chosen_files() -> Q:
    """For a subquery of files in a query of claims: those of the claim's torrent that its owner chose."""
    is_chosen = Q(_IsAny(F("index"), OuterRef("chosen_files"))) | Q(IsNull(OuterRef("chosen_files"), True))
    return Q(torrent=OuterRef("torrent")) & is_chosen


def _sum_over_chosen(amount: Any) -> Case:
    """Over the files that a claim's owner chose; NULL, and nothing is read, where that is all of them."""
    from torrents.models import TorrentFile

    files = TorrentFile.objects.filter(chosen_files()).order_by().values("torrent")
    total = files.annotate(total=Sum(amount, output_field=models.FloatField())).values("total")
    return Case(When(chosen_files__isnull=False, then=Subquery(total)))
