"""Counting what Caddy sent, from its JSON access log: one object a line, `user_id` naming the claim (deploy/Caddyfile)
and `size` the bytes of the body that went out.

Exactly once: the position moves in the transaction that counts. A file is recognised by its first line, which holds
the moment of a request, so it does not matter whether the log is rotated by renaming or by copying and truncating,
or how often this process is started again.
"""

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from django.db import transaction

from torrents.models import AccessLogPosition, Traffic
from torrents.traffic import record_handovers

BATCH = 1024 * 1024  # bytes
LARGEST = 2**50  # bytes of one download; more is no line of Caddy's
FIRST_LINE = 4096  # bytes of it that are looked at


def count_new_lines(log: Path) -> int:
    """Count what was logged since the last time, in rotated files too; how many bytes of log that was."""
    AccessLogPosition.objects.get_or_create(pk=str(log))
    read = 0
    while step := _count_batch(log):
        read += step
    return read


@transaction.atomic
def _count_batch(log: Path) -> int:
    """Count the lines of one batch; 0 when nothing is left."""
    position = AccessLogPosition.objects.select_for_update().get(pk=str(log))
    for file, first_line in _files_from(log, position.first_line):
        offset = position.offset if first_line == position.first_line else 0
        with file.open("rb") as stream:
            stream.seek(offset)
            block = stream.read(BATCH)
        whole = block[: block.rfind(b"\n") + 1]  # the last line may be half written
        if not whole and len(block) == BATCH:
            whole = block  # no line of Caddy's: it must not keep us from the next
        if whole:
            record_handovers(_handed_over(whole), channel=Traffic.Channel.HTTPS)
            position.first_line, position.offset = first_line, offset + len(whole)
            position.save(update_fields=["first_line", "offset"])
            return len(whole)
    return 0


def _files_from(log: Path, first_line: str) -> Iterator[tuple[Path, str]]:
    """The file that `first_line` names and all that are newer; only the log itself where that one is gone."""
    rotated = [
        file for file in log.parent.glob(f"{_escaped(log.stem)}*") if file != log and file.suffix != ".gz"
    ]
    files = [*sorted(rotated, key=lambda file: file.stat().st_mtime_ns), log]
    known = [(file, line) for file in files if (line := _first_line(file))]
    start = next((index for index, (_, line) in enumerate(known) if line == first_line), None)
    if start is not None:
        yield from known[start:]
    else:
        yield from (entry for entry in known if entry[0] == log)


def _escaped(name: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)


def _first_line(file: Path) -> str:
    """Empty while there is none."""
    try:
        with file.open("rb") as stream:
            line = stream.readline(FIRST_LINE)
    except FileNotFoundError:  # not there yet, or rotated away just now
        return ""
    return sha256(line).hexdigest() if line.endswith(b"\n") or len(line) == FIRST_LINE else ""


def _handed_over(lines: bytes) -> Counter[tuple[uuid.UUID, date]]:
    """Bytes by claim and day. Lines about anything else, and what is no line of Caddy's, do not count."""
    handed: Counter[tuple[uuid.UUID, date]] = Counter()
    for line in lines.split(b"\n"):
        try:
            entry = json.loads(line)
            claim_id, sent, moment = uuid.UUID(entry["user_id"]), int(entry["size"]), float(entry["ts"])
            day = datetime.fromtimestamp(moment, UTC).date()
        except (ValueError, TypeError, KeyError, OverflowError, OSError, RecursionError):
            continue
        if 0 < sent < LARGEST:
            handed[claim_id, day] += sent
    return handed
