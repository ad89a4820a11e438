"""A copy of the user's torrents, kept up to date by applying what changed."""

from dataclasses import dataclass, field

from torrent_proxy_client.models import Changes, Torrent


@dataclass(slots=True)
class Mirror:
    """`change` is what to ask for next; 0 asks for everything."""

    torrents: dict[str, Torrent] = field(default_factory=dict)
    change: int = 0

    def apply(self, changes: Changes) -> None:
        if changes.reset:
            self.torrents.clear()
        for torrent in changes.torrents:
            self.torrents[torrent.id] = torrent
        for torrent_id in changes.removed:
            self.torrents.pop(torrent_id, None)
        self.change = changes.change
