"""What became of downloads: there, failed, at a stop, or removed by their owner. See choosing.py for what must hold."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from torrents.services import Standing
from watchlist.downloads import claims_of, let_go
from watchlist.models import Candidate, Grab
from watchlist.wanted import wishes_of

AT_ONCE = 500  # candidates in one transaction, those first that were not looked at for the longest
RESTORABLE = timedelta(days=1)  # a removed torrent is looked at again, for its owner may take it back
LONGEST_LOOK = timedelta(minutes=15)  # between two looks; the rest of a longer gap is nobody's idle time
LATELY = timedelta(hours=1)  # after which it is worth asking how long its owner's patience is

State = Candidate.State

REMOVED = (
    "You removed its torrent, so it is not downloaded again by itself. Take a release to have it after all."
)
SAME_AS_GIVEN_UP = "It is the same torrent as another release, which was given up."
NOT_THERE = "You had this torrent before, from another item, and it is not there any more."


def look_after(user: User) -> tuple[int, set[UUID]]:
    """Note what became of their downloads; of how many, and the entries of which some have come to a stop. The caller
    holds the person's lock."""
    now = timezone.now()
    candidates = list(Candidate.objects.of(user).to_look_at(now - RESTORABLE)[:AT_ONCE])
    before = {candidate.pk: candidate.state for candidate in candidates}
    for candidate in candidates:
        if candidate.claim_id is None and candidate.state == State.TAKEN:
            _note_download(user, candidate)
    told = claims_of(user, candidates)
    for candidate in candidates:
        if candidate.claim_id is not None and candidate.state in (State.TAKEN, State.REMOVED):
            _note_torrent(user, candidate, told.get(candidate.claim_id), now)
    under_way = [candidate for candidate in candidates if candidate.state == State.TAKEN]
    stalled = _note_stalls(user, under_way)
    looked_at = [one for one in candidates if one.state in (State.TAKEN, State.REMOVED)]
    Candidate.objects.bulk_update(
        looked_at, ["claim_id", "message", "looked_at", "bytes_done", "idle_seconds"]
    )
    return sum(candidate.state != before[candidate.pk] for candidate in candidates), stalled


def is_stalled(candidate: Candidate, hours: int) -> bool:
    """Whether nothing has arrived for that long (0: that never matters), so that another release may be tried."""
    return candidate.state == State.TAKEN and 0 < hours * 3600 <= candidate.idle_seconds


def _note_download(user: User, candidate: Candidate) -> None:
    download = candidate.download
    if download is None:
        _lose(user, candidate, State.FOUND, "")  # whoever deleted it took nothing of it: it may be taken anew
    elif download.claim_id is not None and download.state in ("added", "had"):
        candidate.claim_id = download.claim_id
    elif download.state == "had":
        _lose(user, candidate, State.FAILED, NOT_THERE)
    elif download.state == "failed":
        _lose(user, candidate, State.FAILED, download.message)
    else:
        candidate.message = download.message


def _note_torrent(user: User, candidate: Candidate, told: Standing | None, now: datetime) -> None:
    if told is not None:
        candidate.claim_id = told.claim_id
    if told is None or told.removed:
        if candidate.state == State.TAKEN:
            _note_removal(user, candidate)
        candidate.looked_at = now
    elif told.refused:
        _lose(user, candidate, State.FAILED, told.refused)
    elif candidate.state == State.REMOVED and not Grab.objects.living_on(candidate).exists():
        return  # its episode lives on another by now
    elif told.complete:
        _arrive(user, candidate)
    else:
        _count_idle_time(candidate, told, now)


def _note_removal(user: User, candidate: Candidate) -> None:
    given_up = Candidate.objects.of(user).filter(
        claim_id=candidate.claim_id, state__in=(State.STALLED, State.REPLACED, State.FAILED)
    )
    if given_up.exists():
        _lose(user, candidate, State.FAILED, SAME_AS_GIVEN_UP)
        return
    Grab.objects.filter(successor=candidate).update(successor=None)
    _become(candidate, State.REMOVED, REMOVED)


def _arrive(user: User, candidate: Candidate) -> None:
    _become(candidate, State.HAVE, "")
    followed = Grab.objects.filter(successor=candidate).select_related("candidate")
    replaced = {grab.candidate for grab in followed}
    followed.update(candidate=candidate, successor=None)
    let_go(user, replaced, State.REPLACED)


def _count_idle_time(candidate: Candidate, told: Standing, now: datetime) -> None:
    if candidate.state == State.REMOVED:  # its owner took it back
        _become(candidate, State.TAKEN, "")
        candidate.looked_at = None
    candidate.message = ""
    since, candidate.looked_at = candidate.looked_at, now
    if since is None or told.done != candidate.bytes_done:
        candidate.idle_seconds = 0
    elif told.searching:
        candidate.idle_seconds += round(min(now - since, LONGEST_LOOK).total_seconds())
    candidate.bytes_done = told.done


def _note_stalls(user: User, candidates: Collection[Candidate]) -> set[UUID]:
    entries = set[UUID]()
    lately = [candidate for candidate in candidates if candidate.idle_seconds >= LATELY.total_seconds()]
    if not lately:
        return entries
    wanted = wishes_of(user)
    for candidate in lately:
        if is_stalled(candidate, wanted(candidate.entry).stalled_hours):
            entries.add(candidate.entry_id)
            candidate.message = (
                f"Nothing has arrived for {candidate.idle_seconds // 3600} hours. Another release is tried as soon as "
                "one is found."
            )
    return entries


def _lose(user: User, candidate: Candidate, state: State, message: str) -> None:
    """Its episodes are open again."""
    Grab.objects.filter(successor=candidate).update(successor=None)
    Grab.objects.filter(candidate=candidate).delete()
    let_go(user, [candidate], state, message)


def _become(candidate: Candidate, state: State, message: str) -> None:
    candidate.state, candidate.message, candidate.changed_at = state, message, timezone.now()
    candidate.save(update_fields=["state", "message", "changed_at", "claim_id"])
