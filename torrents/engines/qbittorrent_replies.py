"""What qBittorrent 4.5 to 5.3 answers over its Web API, in the terms of `base`.

What is made here can be stored. Raises LookupError, TypeError, ValueError or OverflowError where an answer makes no
sense: whoever answers at that address may be somebody else, or broken.
"""

import re
import time
from collections.abc import Mapping
from typing import Any

from torrents.engines.base import EngineFile, EngineState, EngineStatus, EngineTorrent

Entry = Mapping[str, Any]

ENDLESS_ETA = 8_640_000  # qBittorrent's "∞", in seconds
LARGEST_REPLY = 64 * 2**20  # bytes: 40,000 torrents
LONGEST_REPLY = 60.0  # seconds from its first byte to its last
MOST = 2**53  # no count and no size is larger
MOST_PEERS = 2**31 - 1  # as a column of ours holds
CONNECTIONS = ("connected", "firewalled", "disconnected")

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


def receive(response: Any) -> None:
    """Read the body of a requests.Response that is still to be read, in bounded space and time. ValueError where it
    cannot be an answer of qBittorrent's Web API, whatever was asked.
    """
    body = bytearray()
    deadline = time.monotonic() + LONGEST_REPLY
    while block := response.raw.read1(2**16, decode_content=True):
        body += block
        if len(body) > LARGEST_REPLY or time.monotonic() > deadline:
            response.close()
            raise ValueError("it does not end")
    response._content = bytes(body)  # not `raw`, from which requests is still to read the cookies
    if 300 <= response.status_code < 400:
        raise ValueError("it points elsewhere")
    if response.url.endswith("/auth/login") and response.ok and bytes(body) not in (b"", b"Ok.", b"Fails."):
        raise ValueError("it is none to a login")  # and would be taken for a wrong password


def version_of(answer: str) -> str:
    """`qBittorrent v4.5.2`"""
    if not re.fullmatch(r"v\d[\w.+-]{0,40}", answer):
        raise ValueError("that is no version")
    return f"qBittorrent {answer}"


def torrent_of(key: str, entry: Entry) -> EngineTorrent:
    state = STATES.get(entry["state"], EngineState.ERROR)
    has_metadata = entry.get("has_metadata")  # since 5.0
    if has_metadata is None:
        has_metadata = entry["total_size"] >= 0
    # libtorrent counts blocks of 16 KiB, so a torrent on its last one may have more than all of it.
    progress = min(_share(entry["progress"], most=MOST), 1.0)
    verified = state not in (EngineState.METADATA, EngineState.CHECKING, EngineState.ERROR)
    if not (has_metadata and verified and entry["amount_left"] == 0):
        progress = min(progress, 0.999)
    eta = int(entry["eta"])
    return EngineTorrent(
        key=key,
        infohash_v1=_infohash(entry["infohash_v1"], 40),
        infohash_v2=_infohash(entry["infohash_v2"], 64),
        save_path=path_of(_text(entry["save_path"])),
        name=_text(entry["name"]),
        state=state,
        progress=progress,
        size=_count(entry["size"]) if has_metadata else None,
        downloaded=_count(entry["downloaded"]),
        uploaded=_count(entry["uploaded"]),
        download_speed=_count(entry["dlspeed"]),
        upload_speed=_count(entry["upspeed"]),
        eta=eta if 0 <= eta < ENDLESS_ETA else None,
        seeds=_count(entry["num_seeds"], MOST_PEERS),
        peers=_count(entry["num_leechs"], MOST_PEERS),
        has_metadata=bool(has_metadata),
        download_limit=_limit(entry["dl_limit"]),
        upload_limit=_limit(entry["up_limit"]),
        sequential=bool(entry["seq_dl"]),
    )


def file_of(entry: Entry) -> EngineFile:
    return EngineFile(
        index=_count(entry["index"], MOST_PEERS),
        path=_storable(_text(entry["name"])),
        size=_count(entry["size"]),
        progress=_share(entry["progress"]),
        wanted=int(entry["priority"]) > 0,
    )


def status_of(server: Entry, version: str) -> EngineStatus:
    if server["connection_status"] not in CONNECTIONS:
        raise ValueError("that is no state of a connection")
    return EngineStatus(
        version=version,
        connection=server["connection_status"],
        download_speed=_count(server["dl_info_speed"]),
        upload_speed=_count(server["up_info_speed"]),
        dht_nodes=_count(server["dht_nodes"], MOST_PEERS),
        queued_io_jobs=_count(server["queued_io_jobs"], MOST_PEERS),
        received_ever=_count(server["alltime_dl"]),
        sent_ever=_count(server["alltime_ul"]),
        upload_limit=_limit(_count(server["up_rate_limit"])),
    )


def path_of(text: str) -> str:
    return text.rstrip("/")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value


def _storable(text: str) -> str:
    text.encode()  # UnicodeEncodeError, which is a ValueError, where it is no Unicode
    if "\0" in text:
        raise ValueError("a text ends too early")
    return text


def _infohash(value: object, digits: int) -> str | None:
    text = _text(value)
    if text and not re.fullmatch(rf"[0-9a-f]{{{digits}}}", text):
        raise ValueError("that is no infohash")
    return text or None


def _count(value: object, most: int = MOST) -> int:
    if not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError(f"{value!r:.40} is no count")
    return value


def _share(value: Any, most: float = 1.0) -> float:
    share = float(value)
    if not 0 <= share <= most:  # nor NaN
        raise ValueError(f"{share} is no share")
    return share


def _limit(value: int) -> int | None:
    return value if value > 0 else None
