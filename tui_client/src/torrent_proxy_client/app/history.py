"""What happened to each torrent while we watched."""

from datetime import UTC, datetime

from torrent_proxy_client.models import Changes, State, Torrent

_KEPT = 8  # steps a torrent

Step = tuple[datetime, str]  # when we saw it, and the state


class History:
    """For the announcements, and for a look without asking: it begins when the app does. The server keeps its own."""

    def __init__(self) -> None:
        self._steps: dict[str, list[Step]] = {}

    def of(self, torrent_id: str) -> tuple[Step, ...]:
        """Oldest first."""
        return tuple(self._steps.get(torrent_id, ()))

    def note(self, changes: Changes) -> list[Torrent]:
        """Returns the torrents that have been finished since the last time."""
        finished = []
        for torrent_id in changes.removed:
            self._steps.pop(torrent_id, None)
        for torrent in changes.torrents:
            steps = self._steps.setdefault(torrent.id, [])
            if steps and steps[-1][1] == torrent.state:
                continue
            if steps and torrent.state == State.FINISHED and steps[-1][1] != State.PAUSED:
                finished.append(torrent)
            steps.append((datetime.now(UTC), torrent.state))
            del steps[:-_KEPT]
        return finished
