"""The engine, what is in it, what people hold of it, and what the box may send."""

from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Case, Count, F, Q, Sum, Value, When

from monitoring.metrics.catalogue import Samples
from torrents import sftp_servers
from torrents.allowances import utc_today
from torrents.models import (
    Claim,
    Engine,
    LiveState,
    SwarmTraffic,
    Traffic,
)

# In one round trip.
_FEW = """
SELECT (SELECT count(*) FROM torrents_torrent WHERE refused != ''),
       (SELECT count(*) FROM torrents_removal),
       (SELECT count(*) FROM torrents_foreigntorrent)
"""

# What the reconciler adds to the engine at once: a magnet only when somebody wants it to run and may.
_INTENTS = """
SELECT count(*), min(since) FROM (
    SELECT torrent.added_at
    FROM torrents_livestate live JOIN torrents_torrent torrent ON torrent.id = live.torrent_id
    WHERE live.state = 'waiting' AND torrent.refused = '' AND EXISTS (
        SELECT FROM torrents_claim claim
        WHERE claim.torrent_id = torrent.id AND claim.removed_at IS NULL
          AND (torrent.metainfo IS NOT NULL OR claim.wanted = 'running' AND claim.waits_for = '')
    )
    UNION ALL SELECT requested_at FROM torrents_removal
    UNION ALL SELECT recheck_requested_at FROM torrents_torrent WHERE recheck_requested_at IS NOT NULL
) AS intents (since)
"""


def read(samples: Samples, now: datetime) -> None:
    _engines(samples, now)
    _torrents(samples)
    _few(samples)
    _intents(samples, now)
    _claims(samples)
    _egress(samples)
    _sftp(samples, now)


def _engines(samples: Samples, now: datetime) -> None:
    for engine in Engine.objects.order_by("name"):
        samples.add("engine_up", float(engine.reachable), engine.name)
        samples.add("engine_info", 1, engine.name, engine.version, engine.connection)
        known = {
            "engine_dht_nodes": engine.dht_nodes,
            "engine_queued_io_jobs": engine.queued_io_jobs,
            "engine_alltime_received_bytes": engine.received_ever,
            "engine_alltime_sent_bytes": engine.sent_ever,
            "engine_free_bytes": engine.free_space,
        }
        for name, value in known.items():
            if value is not None:
                samples.add(name, value, engine.name)
        if engine.checked_at is not None:
            age = max(0.0, (now - engine.checked_at).total_seconds())
            samples.add("reconciler_last_look_age_seconds", age, engine.name)


def _torrents(samples: Samples) -> None:
    sums = {"download": 0, "upload": 0, "seeds": 0, "peers": 0}
    counts = dict.fromkeys(LiveState.State.values, 0)
    found = LiveState.objects.values("state").annotate(
        number=Count("pk"),
        download=Sum("download_speed"),
        upload=Sum("upload_speed"),
        all_seeds=Sum("seeds"),
        all_peers=Sum("peers"),
    )
    for row in found:
        counts[row["state"]] = row["number"]
        sums["download"] += row["download"]
        sums["upload"] += row["upload"]
        sums["seeds"] += row["all_seeds"]
        sums["peers"] += row["all_peers"]
    for state, number in counts.items():
        samples.add("torrents", number, state)
    samples.add("download_bytes_per_second", sums["download"])
    samples.add("upload_bytes_per_second", sums["upload"])
    samples.add("connected_seeds", sums["seeds"])
    samples.add("connected_peers", sums["peers"])


def _few(samples: Samples) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FEW)
        (counts,) = cursor.fetchall()
    for name, count in zip(("torrents_refused", "removals_pending", "foreign_torrents"), counts, strict=True):
        samples.add(name, count)


def _intents(samples: Samples, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_INTENTS)
        ((number, since),) = cursor.fetchall()
    samples.add("intents_waiting", number)
    samples.add("intents_oldest_seconds", max(0.0, (now - since).total_seconds()) if since else 0.0)


def _claims(samples: Samples) -> None:
    state = Case(
        When(completed_at__isnull=False, then=Value("finished")),
        When(wanted=Claim.Wanted.PAUSED, then=Value("paused")),
        default=Value("running"),
    )
    states = dict.fromkeys(("finished", "running", "paused"), 0)
    reasons = dict.fromkeys(Claim.WaitsFor.values, 0)
    for row in Claim.objects.values(told=state, reason=F("waits_for")).annotate(number=Count("pk")):
        states[row["told"]] += row["number"]
        if row["reason"] and row["told"] == "running":
            reasons[row["reason"]] += row["number"]
    for name, number in states.items():
        samples.add("claims", number, name)
    for name, number in reasons.items():
        samples.add("claims_waiting", number, name)


def _egress(samples: Samples) -> None:
    this_month = Q(day__gte=utc_today().replace(day=1))
    to_peers = SwarmTraffic.objects.aggregate(ever=Sum("sent"), month=Sum("sent", filter=this_month))
    to_people = Traffic.objects.filter(this_month).aggregate(month=Sum("sent"))["month"] or 0
    samples.add("peers_sent_bytes_total", to_peers["ever"] or 0)
    samples.add("peers_sent_month_bytes", to_peers["month"] or 0)
    samples.add("egress_month_bytes", (to_peers["month"] or 0) + to_people)
    samples.add("egress_limit_bytes", settings.MONTHLY_EGRESS_LIMIT)
    samples.add("disk_floor_bytes", settings.DISK_FLOOR)


def _sftp(samples: Samples, now: datetime) -> None:
    servers = sftp_servers.told(now)
    for name, connections in servers.items():
        samples.add("sftp_up", float(connections is not None), name)
    if servers:
        samples.add("sftp_sessions", sum(connections or 0 for connections in servers.values()))
