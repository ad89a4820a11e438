"""What qBittorrent 4.5 to 5.3 answers over its Web API, in the terms of `base`. Pure functions.

They raise LookupError, TypeError or ValueError where an answer makes no sense.
"""

from collections.abc import Mapping
from typing import Any

from torrents.engines.base import EngineFile, EngineState, EngineStatus, EngineTorrent

Entry = Mapping[str, Any]

ENDLESS_ETA = 8_640_000  # qBittorrent's "∞", in seconds

# Both generations of names: 5.0 renamed paused to stopped.
STATES = {
    "allocating": EngineState.CHECKING,
    "checkingDL": EngineState.CHECKING,
    "checkingResumeData": EngineState.CHECKING,
    "checkingUP": EngineState.CHECKING,
    "downloading": EngineState.DOWNLOADING,
    "error": EngineState.ERROR,
    "forcedDL": EngineState.DOWNLOADING,
    "forcedMetaDL": EngineState.METADATA,
    "forcedUP": EngineState.SEEDING,
    "metaDL": EngineState.METADATA,
    "missingFiles": EngineState.ERROR,
    "moving": EngineState.CHECKING,
    "pausedDL": EngineState.STOPPED,
    "pausedUP": EngineState.STOPPED,
    "queuedDL": EngineState.QUEUED,
    "queuedUP": EngineState.QUEUED,
    "stalledDL": EngineState.STALLED,
    "stalledUP": EngineState.SEEDING,
    "stoppedDL": EngineState.STOPPED,
    "stoppedUP": EngineState.STOPPED,
    "unknown": EngineState.ERROR,
    "uploading": EngineState.SEEDING,
}


def torrent_of(key: str, entry: Entry) -> EngineTorrent:
    state = STATES.get(entry["state"], EngineState.ERROR)
    has_metadata = entry.get("has_metadata")  # since 5.0
    if has_metadata is None:
        has_metadata = entry["total_size"] >= 0
    progress = float(entry["progress"])
    verified = state not in (EngineState.METADATA, EngineState.CHECKING, EngineState.ERROR)
    if not (has_metadata and verified and entry["amount_left"] == 0):
        progress = min(progress, 0.999)
    eta = int(entry["eta"])
    return EngineTorrent(
        key=key,
        infohash_v1=entry["infohash_v1"] or None,
        infohash_v2=entry["infohash_v2"] or None,
        save_path=path_of(entry["save_path"]),
        name=entry["name"],
        state=state,
        progress=progress,
        size=int(entry["size"]) if has_metadata else None,
        downloaded=int(entry["downloaded"]),
        uploaded=int(entry["uploaded"]),
        download_speed=int(entry["dlspeed"]),
        upload_speed=int(entry["upspeed"]),
        eta=eta if 0 <= eta < ENDLESS_ETA else None,
        seeds=int(entry["num_seeds"]),
        peers=int(entry["num_leechs"]),
        has_metadata=has_metadata,
        download_limit=_limit(entry["dl_limit"]),
        upload_limit=_limit(entry["up_limit"]),
        sequential=bool(entry["seq_dl"]),
    )


def file_of(entry: Entry) -> EngineFile:
    return EngineFile(
        index=int(entry["index"]),
        path=str(entry["name"]),
        size=int(entry["size"]),
        progress=float(entry["progress"]),
        wanted=int(entry["priority"]) > 0,
    )


def status_of(server: Entry, version: str) -> EngineStatus:
    return EngineStatus(
        version=version,
        connection=server["connection_status"],
        download_speed=int(server["dl_info_speed"]),
        upload_speed=int(server["up_info_speed"]),
        dht_nodes=int(server["dht_nodes"]),
    )


def path_of(text: str) -> str:
    return text.rstrip("/")


def _limit(value: int) -> int | None:
    return value if value > 0 else None
