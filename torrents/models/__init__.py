"""Django looks for an app's rows here; they stand in `core.py` and, of handing over, in `handover.py`."""

from torrents.models.core import (
    BlockedInfohash,
    ChangeCounter,
    Claim,
    ClaimAlias,
    ClaimEvent,
    Engine,
    ForeignTorrent,
    Interest,
    LiveState,
    Removal,
    Swarm,
    Tombstone,
    Torrent,
    TorrentFile,
)
from torrents.models.handover import (
    AccessLogPosition,
    ClaimTraffic,
    EgressReport,
    LinkEpoch,
    SwarmTraffic,
    Traffic,
)

__all__ = [
    "AccessLogPosition",
    "BlockedInfohash",
    "ChangeCounter",
    "Claim",
    "ClaimAlias",
    "ClaimEvent",
    "ClaimTraffic",
    "EgressReport",
    "Engine",
    "ForeignTorrent",
    "Interest",
    "LinkEpoch",
    "LiveState",
    "Removal",
    "Swarm",
    "SwarmTraffic",
    "Tombstone",
    "Torrent",
    "TorrentFile",
    "Traffic",
]
