"""What a torrent is doing, to the person who looks at it."""

from torrents.models import Claim, Engine, LiveState

State = LiveState.State


def state_of(claim: Claim) -> LiveState.State:
    """The state this claim's owner sees. `ClaimQuerySet.in_states` filters by the same rule.

    A torrent paused by one person goes on for the others; to that person it is paused, however far it gets.
    """
    if claim.completed_at is not None:
        return State.FINISHED
    if claim.wanted == Claim.Wanted.PAUSED:
        return State.PAUSED
    if claim.torrent.live.state in (State.PAUSED, State.FINISHED):
        return State.WAITING  # the engine has not heard of the wish to run, or for more files, yet
    return State(claim.torrent.live.state)


def message_of(claim: Claim) -> str:
    """One sentence where the state alone would leave a person wondering, else an empty string."""
    state = state_of(claim)
    torrent = claim.torrent
    if state == State.FINISHED:
        return ""
    if state == State.PAUSED:
        return "Paused. It goes on when you resume it."
    if torrent.refused:
        return torrent.refused
    if not torrent.engine.reachable:
        return _away(torrent.engine)
    return {
        State.WAITING: "Accepted. The download engine takes it in a moment.",
        State.METADATA: "Looking for somebody who knows what is in it.",
        State.QUEUED: "Waiting for its turn.",
        State.STALLED: "Nobody is sending it right now. It goes on by itself when somebody does.",
        State.ERROR: "The download engine reports a problem, usually a full disk. It is tried again by itself.",
        State.CHECKING: "Checking what is already on the disk.",
    }.get(state, "")


def _away(engine: Engine) -> str:
    return "The download engine is away. It goes on by itself when the engine is back." + (
        " The figures are from when it was last there." if engine.version else ""
    )
