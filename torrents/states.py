"""What a torrent is doing, to the person who looks at it."""

from datetime import timedelta

from django.utils import timezone

from torrents.allowances import Allowances
from torrents.models import Claim, Engine, LiveState, Torrent
from torrents.waiting import waiting_message

State = LiveState.State

LONG_SEARCH = timedelta(minutes=10)  # for metadata, after which it is time to doubt the link
FULL = 64 * 1024**2  # bytes left on a disk that is as good as full


def state_of(claim: Claim) -> LiveState.State:
    """The state this claim's owner sees. `ClaimQuerySet.in_states` filters by the same rule.

    A torrent paused by one person goes on for the others; to that person it is paused, however far it gets.
    """
    if claim.completed_at is not None:
        return State.FINISHED
    if claim.wanted == Claim.Wanted.PAUSED:
        return State.PAUSED
    if claim.waits_for and not claim.torrent.refused:
        return State.WAITING  # whatever it is doing for others
    if claim.torrent.live.state in (State.PAUSED, State.FINISHED):
        return State.WAITING  # the engine has not heard of the wish to run, or for more files, yet
    return State(claim.torrent.live.state)


def message_of(claim: Claim, allowances: Allowances | None = None) -> str:
    """What the state alone does not tell: why it is so, what happens next, what to do. Else an empty string.

    Asks the database nothing but, for what waits for room or failed, limits and free space: `allowances` remembers them
    for whoever asks about many claims.
    """
    allowances = allowances or Allowances()
    state = state_of(claim)
    torrent = claim.torrent
    if state == State.FINISHED:
        return ""
    if state == State.PAUSED:
        return "You paused it. It goes on when you resume it."
    if torrent.refused:
        return torrent.refused
    if not torrent.engine.reachable:
        return _away(torrent.engine)
    if claim.waits_for:
        return waiting_message(claim, allowances)
    match state:
        case State.WAITING:
            return "Accepted. The download engine takes it in a moment."
        case State.METADATA:
            return _searching(claim)
        case State.QUEUED:
            return "It waits for its turn in the download engine, and starts by itself when others are done."
        case State.STALLED:
            return _stalled(torrent.live)
        case State.ERROR:
            return _failed(torrent, allowances.free_space(torrent.engine))
        case State.CHECKING:
            return "Checking what is already on the disk. It goes on by itself afterwards."
        case _:
            return ""


def is_told_by_rows(claim: Claim) -> bool:
    """Whether `message_of` is the same for as long as the rows of the claim and its torrent are: it asks neither the
    clock nor what others take."""
    return not claim.waits_for and claim.torrent.live.state not in (State.METADATA, State.ERROR)


def _searching(claim: Claim) -> str:
    # Since this person asked: how long others have been waiting is not theirs to know.
    if timezone.now() - claim.added_at < LONG_SEARCH:
        return "Looking for somebody who knows what is in it. That takes up to some minutes."
    return (
        f"Nobody who knows what is in it was found in more than {LONG_SEARCH.seconds // 60} minutes. The search goes "
        "on, but the link may be dead: a .torrent file, or a link with more trackers, may help."
    )


def _stalled(live: LiveState) -> str:
    if live.seeds:
        return (
            "Connected to somebody who has all of it, but nothing arrives: they are busy with others. "
            "It goes on by itself when it is its turn there."
        )
    if live.peers:
        return (
            "Only people who lack parts of it themselves are connected, and they have nothing new. It goes on by "
            "itself when somebody brings the rest."
        )
    return (
        "Nobody is sending it right now. It goes on by itself when somebody does. If that takes days, look for "
        "another release."
    )


def _failed(torrent: Torrent, free: int | None) -> str:
    missing = round((torrent.size or 0) * (1 - torrent.live.progress))
    if free is not None and free < max(missing, FULL):
        return (
            "There is too little space on the box's disk. It is tried again by itself: remove torrents that you have "
            "fetched, or ask your admin for more space."
        )
    return (
        "The download engine reports a problem with its files. It is tried again by itself; if this stays, ask your "
        "admin to check the torrent again."
    )


def _away(engine: Engine) -> str:
    why = engine.notice or "The download engine is away."
    return f"{why} It goes on by itself when the engine is back." + (
        " The figures are from when it was last there." if engine.version else ""
    )
