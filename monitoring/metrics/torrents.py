"""The engine, what is in it, what people hold of it, and what the box may send."""

from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Case, Count, F, Q, Sum, Value, When

from monitoring.metrics.catalogue import Samples
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


def read(samples: Samples, now: datetime) -> None:
    _engines(samples, now)
    _torrents(samples)
    _few(samples)
    _claims(samples)
    _egress(samples)


def _engines(samples: Samples, now: datetime) -> None:
    for engine in Engine.objects.order_by("name"):
        samples.add("engine_up", float(engine.reachable), engine.name)
        samples.add("engine_info", 1, engine.name, engine.version, engine.connection)
        if engine.free_space is not None:
            samples.add("engine_free_bytes", engine.free_space, engine.name)
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
