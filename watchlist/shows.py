"""What providers tell, as rows that everybody shares.

One writer at a time, by an advisory lock: two workers that store the same shows in different orders would wait for each
other. Nobody holds it while a provider is asked.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from feeds.services import lock_person
from watchlist.models import Entry, Episode, Relation, Show
from watchlist.records import Airing, AiringRecord, ShowRecord

FOLLOWED = (Entry.State.FOLLOWED, Entry.State.PAUSED)
OVER = (Airing.FINISHED, Airing.CANCELLED)  # nothing of these airs any more
SEASONS = ("PREQUEL", "SEQUEL")  # relations by which numbers of episodes run on
WRITTEN_AGAIN_AFTER = timedelta(hours=1)  # where nothing has changed
DETAILS_EVERY = timedelta(days=7)
CHANGING_DETAILS_EVERY = timedelta(days=1)
FORGOTTEN_AFTER = timedelta(days=30)
FARTHEST = 12  # relatives of relatives …
MOST_RELATIVES = 3000
_WRITER = 0x57415443  # the advisory lock's number; means nothing

_FIELDS = (
    "romaji",
    "english",
    "native",
    "synonyms",
    "format",
    "status",
    "episodes",
    "season_year",
    "starts_on",
    "ends_on",
    "is_adult",
    "site_url",
    "mal_id",
)


@transaction.atomic
def store_shows(provider: str, records: Collection[ShowRecord]) -> dict[str, Show]:
    """The shows of these records by external id. What their relations mention is stored, too, and stays a stub
    (`fetched_at` NULL) until a record of its own comes."""
    _one_writer()
    now = timezone.now()
    told = {record.external_id: record for record in records}
    mentioned = {
        relation.show.external_id: relation.show
        for record in records
        for relation in record.relations or ()
        if relation.show.external_id not in told
    }
    rows = Show.objects.filter(provider=provider, external_id__in=[*told, *mentioned])
    known = {show.external_id: show for show in rows}
    new: list[Show] = []
    changed: list[Show] = []
    read: list[Show] = []  # and as they were
    for record in [*told.values(), *mentioned.values()]:
        show = known.get(record.external_id)
        whole = record.external_id in told
        if show is None:
            show = known[record.external_id] = Show(provider=provider, external_id=record.external_id)
            _copy(record, show)
            new.append(show)
        elif whole or show.fetched_at is None:
            old = show.fetched_at is None or now - show.fetched_at > WRITTEN_AGAIN_AFTER
            if _copy(record, show):
                changed.append(show)
            elif whole and (old or record.relations is not None):
                read.append(show)
        if whole:
            show.fetched_at = now
            show.relations_at = show.relations_at if record.relations is None else now
    Show.objects.bulk_create(new, batch_size=500)
    Show.objects.bulk_update(changed, _FIELDS, batch_size=200)
    fresh = Show.objects.filter(pk__in=[show.pk for show in [*changed, *read] if show.external_id in told])
    fresh.update(fetched_at=now)
    with_relations = [known[record.external_id].pk for record in records if record.relations is not None]
    Show.objects.filter(pk__in=with_relations).update(relations_at=now)
    _store_relations(known, [record for record in told.values() if record.relations is not None])
    return {external_id: known[external_id] for external_id in told}


@transaction.atomic
def store_details(provider: str, records: Collection[ShowRecord]) -> dict[str, Show]:
    """As `store_shows`. Where relations are told for the first time, whoever follows these seasons, or others of the
    same line, looks back once more: what names and numbers mean is better known by now."""
    known = Show.objects.filter(provider=provider, external_id__in=[record.external_id for record in records])
    read_before = set(known.exclude(relations_at=None).values_list("external_id", flat=True))
    stored = store_shows(provider, records)
    first = {show.pk for external_id, show in stored.items() if external_id not in read_before}
    line = Entry.objects.filter(show__in=_seasons_of(first), state__in=FOLLOWED)
    for user_id in sorted(set(line.values_list("user", flat=True))):
        lock_person(user_id)
        line.filter(user=user_id).update(look_back=True)
    return stored


@transaction.atomic
def note_missing(shows: Iterable[Show]) -> None:
    """The provider has them no more: they stay as they are, and are asked for as seldom as all."""
    _one_writer()
    Show.objects.filter(pk__in=[show.pk for show in shows]).update(relations_at=timezone.now())


@transaction.atomic
def store_airing(
    shows: Mapping[str, Show],
    records: Collection[AiringRecord],
    *,
    since: datetime,
    until: datetime,
    read_at: datetime,
) -> None:
    """What these shows (by external id) air between then and then, as it was told at `read_at`. Episodes that have
    moved move; those to come that are told no more are none; what was to air before now stays, also where the provider
    has forgotten it."""
    _one_writer()
    there = {
        (row.show_id, row.number): row
        for row in Episode.objects.filter(show__in=[show.pk for show in shows.values()])
    }
    told = {(shows[record.external_id].pk, record.episode): record.airs_at for record in records}
    moved = []
    for key, airs_at in told.items():
        row = there.get(key)
        if row is not None and row.airs_at != airs_at:
            row.airs_at = airs_at
            moved.append(row)
    new = [Episode(show_id=key[0], number=key[1], airs_at=told[key]) for key in told.keys() - there.keys()]
    gone = [
        row.pk for key, row in there.items() if key not in told and max(since, read_at) < row.airs_at <= until
    ]
    Episode.objects.filter(pk__in=gone).delete()
    Episode.objects.bulk_update(moved, ["airs_at"], batch_size=500)
    Episode.objects.bulk_create(new, batch_size=1000)
    Show.objects.filter(pk__in=[show.pk for show in shows.values()]).update(airing_at=read_at)


def followed(provider: str) -> QuerySet[Show]:
    """By anybody."""
    entries = Entry.objects.filter(show=OuterRef("pk"), state__in=FOLLOWED, user__is_active=True)
    return Show.objects.filter(Exists(entries), provider=provider)


def still_airing(provider: str) -> QuerySet[Show]:
    """Followed, and something of it may be still to air."""
    return followed(provider).exclude(status__in=OVER)


def details_due(provider: str, most: int) -> list[Show]:
    """Shows that are followed and their earlier and later seasons whose details are old, those never read first."""
    now = timezone.now()
    changing = Q(status__in=[Airing.RELEASING, Airing.NOT_YET_RELEASED])
    due = (
        Q(relations_at=None)
        | Q(relations_at__lt=now - DETAILS_EVERY)
        | (changing & Q(relations_at__lt=now - CHANGING_DETAILS_EVERY))
    )
    shows = Show.objects.filter(due, pk__in=_with_seasons(provider), provider=provider)
    return list(shows.order_by(F("relations_at").asc(nulls_first=True), "pk")[:most])


@transaction.atomic
def forget_unused(provider: str) -> int:
    """Shows that nobody follows, followed or named, and that are no relatives of such: what people once looked at in a
    search; how many."""
    _one_writer()
    # Whoever follows one of these at this moment waits, or was quicker.
    unused = Show.objects.filter(pk__in=_unused(provider)).select_for_update().order_by("pk")
    locked = list(unused.values_list("pk", flat=True))
    return Show.objects.filter(pk__in=locked, entries=None, aliases=None).delete()[0]


def _unused(provider: str) -> list[int]:
    near = _with_seasons(provider)
    related = Relation.objects.filter(show__in=near).values("other_id")
    shows = Show.objects.filter(provider=provider, entries=None, aliases=None)
    unused = shows.exclude(pk__in=near).exclude(pk__in=related)
    before = timezone.now() - FORGOTTEN_AFTER
    old = unused.filter(Q(fetched_at=None) | Q(fetched_at__lt=before))
    return list(old.values_list("pk", flat=True))


def _with_seasons(provider: str) -> set[int]:
    """Followed shows, and what comes before and after them."""
    return _seasons_of(set(followed(provider).values_list("pk", flat=True)))


def _seasons_of(shows: set[int]) -> set[int]:
    """These, what comes before and after them, and before and after that, …"""
    found = set(shows)
    most = len(found) + MOST_RELATIVES
    edge = found
    for _step in range(FARTHEST):
        related = Relation.objects.filter(show__in=edge, kind__in=SEASONS).order_by("other_id")
        edge = set(related.values_list("other_id", flat=True).distinct()) - found
        if not edge or len(found) + len(edge) > most:
            break
        found |= edge
    return found


def _store_relations(known: Mapping[str, Show], records: Collection[ShowRecord]) -> None:
    wanted = {
        (known[record.external_id].pk, relation.kind, known[relation.show.external_id].pk)
        for record in records
        for relation in record.relations or ()
    }
    there = {
        (row.show_id, row.kind, row.other_id): row.pk
        for row in Relation.objects.filter(show__in=[known[record.external_id].pk for record in records])
    }
    Relation.objects.filter(pk__in=[there[key] for key in there.keys() - wanted]).delete()
    Relation.objects.bulk_create(
        [Relation(show_id=show, kind=kind, other_id=other) for show, kind, other in wanted - there.keys()],
        batch_size=1000,
    )


def _copy(record: ShowRecord, show: Show) -> bool:
    """Whether anything has changed."""
    changed = False
    for field in _FIELDS:
        value = getattr(record, field)
        value = list(value) if field == "synonyms" else value
        if getattr(show, field) != value:
            setattr(show, field, value)
            changed = True
    return changed


def _one_writer() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_WRITER])
