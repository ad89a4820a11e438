"""A person's list at a provider becomes what they follow here.

What they have said here goes before what the list says: where they pause a show, remove it, or choose the first
episode, no list changes that.
"""

from collections.abc import Collection, Mapping

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from watchlist.models import Entry, Link, Show
from watchlist.records import ListedRecord, ListStatus
from watchlist.shows import FOLLOWED

BIGGEST_NUMBER = 2**31 - 1
FOLLOWED_BY_THEMSELVES = (ListStatus.CURRENT, ListStatus.REPEATING)


def wanted_shows(link: Link, listed: Collection[ListedRecord]) -> list[ListedRecord]:
    """Those that are to be stored: what is followed of the list, or followed here anyhow. The rest of a list is
    nobody's business."""
    here = set(_entries(link).values_list("show__external_id", flat=True))
    return [record for record in listed if record.show.external_id in here or _is_wanted(link, record)]


def apply_list(link: Link, listed: Collection[ListedRecord], shows: Mapping[str, Show]) -> str:
    """Entries follow the list; what their owner should know of that, in a sentence, or nothing. `shows` are those of
    the list that are stored, by external id. The caller holds the person's lock and a transaction."""
    now = timezone.now()
    followed = Entry.objects.filter(user=link.user_id, state__in=FOLLOWED).count()
    entries = {entry.show.external_id: entry for entry in _entries(link).select_related("show")}
    records = {record.show.external_id: record for record in listed}
    joining: list[Entry] = []
    changed: dict[str, Entry] = {}
    for external_id, entry in entries.items():
        record = records.get(external_id)
        if _note(entry, record):
            changed[external_id] = entry
        wanted = record is not None and _is_wanted(link, record)
        if entry.origin != Entry.Origin.LIST:
            continue
        if wanted and entry.state == Entry.State.LEFT:
            joining.append(entry)
        elif not wanted and entry.state == Entry.State.FOLLOWED:
            entry.state = Entry.State.LEFT
            changed[external_id] = entry
            followed -= 1
    for external_id, record in records.items():
        if external_id not in entries and external_id in shows and _is_wanted(link, record):
            joining.append(_new(link, shows[external_id], record))
    joining.sort(key=lambda entry: (link.statuses.index(entry.list_status), entry.show_id))
    room = max(settings.WATCHLIST_PER_USER - followed, 0)
    for entry in joining[:room]:
        entry.state = Entry.State.FOLLOWED
        entry.look_back = True
    Entry.objects.bulk_create(
        [entry for entry in joining[:room] if entry.show.external_id not in entries], batch_size=500
    )
    again = [entry for entry in joining[:room] if entry.show.external_id in entries]
    changed |= {entry.show.external_id: entry for entry in again}
    for entry in changed.values():
        entry.changed_at = now
    fields = ["state", "list_status", "list_progress", "look_back", "changed_at"]
    rows = sorted(changed.values(), key=lambda entry: entry.pk)
    Entry.objects.bulk_update(rows, fields, batch_size=500)
    return _too_many(len(joining) - room) if len(joining) > room else ""


def _entries(link: Link) -> QuerySet[Entry]:
    return Entry.objects.filter(user=link.user_id, show__provider=link.provider, show__owner=None)


def _is_wanted(link: Link, record: ListedRecord) -> bool:
    return record.status in link.statuses and (link.include_adult or not record.show.is_adult)


def _note(entry: Entry, record: ListedRecord | None) -> bool:
    """What the list says of it; whether that is new."""
    status = record.status if record else ""
    progress = record.progress if record else entry.list_progress
    changed = (entry.list_status, entry.list_progress) != (status, progress)
    entry.list_status, entry.list_progress = status, progress
    return changed


def _new(link: Link, show: Show, record: ListedRecord) -> Entry:
    return Entry(
        user_id=link.user_id,
        show=show,
        origin=Entry.Origin.LIST,
        list_status=record.status,
        list_progress=record.progress,
        from_episode=min(record.progress + 1, BIGGEST_NUMBER),
    )


def _too_many(left_out: int) -> str:
    return (
        f"You follow {settings.WATCHLIST_PER_USER} shows, as many as this box allows: {left_out} of your list are left"
        " out. Remove some here, or follow fewer parts of your list."
    )
