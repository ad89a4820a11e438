"""What other parts may ask of monitoring: how the machine stands against the limits of the free tier."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from monitoring import measuring
from monitoring.host.egress import forecast, of_month
from monitoring.host.idle import Usage, idle_risk
from monitoring.host.readings import machine_id
from monitoring.models import Host
from torrents import egress


@dataclass(frozen=True, slots=True)
class FreeTier:
    """Sizes are bytes. Egress is that of all machines, this month (UTC); the rest is of the machine that asks."""

    egress_bytes: int
    egress_limit_bytes: int
    forecast_bytes: int  # at the month's end, at the rate of the last seven days
    share: float  # of the limit; more than 1 where hand-overs have outrun it, which costs money
    seeding: str  # "normal", "throttled" or "stopped"
    notice: str  # why it is not normal, in words for everybody; else empty
    cpu_p95: float | None  # shares; of seven days, None: too few samples
    network_p95: float | None
    memory_p95: float | None
    idle_risk: bool | None  # all three are below 20 %: Oracle may take the machine back
    disk_free_bytes: int | None  # None: nobody has looked yet
    disk_floor_bytes: int
    interfaces: tuple[str, ...]  # whose traffic counts; empty: none was found, so nothing counts
    since: datetime | None  # when counting began: what was sent before is not in it; None: it has not
    measured_at: datetime | None  # a minute ago, where the worker works


def measure(root: Path = Path("/")) -> str:
    """Read the machine, and report the month's egress to torrents, which decides what peers still get."""
    news = measuring.measure(root)
    if news is None:
        return "nothing to count"
    share = _share_of_month()
    policy = egress.report_egress(share)
    return f"{news.sent} bytes sent, {share:.2%} of the month's; seeding is {policy.seeding.value}"


def free_tier(root: Path = Path("/")) -> FreeTier:
    now = timezone.now()
    host = Host.objects.filter(pk=machine_id(root / "etc")).prefetch_related("counters").first() or Host()
    days = measuring.egress_days()
    sent = of_month(days, now.date())
    policy = egress.current_policy()
    p95 = None
    if host.cpu_p95 is not None and host.network_p95 is not None and host.memory_p95 is not None:
        p95 = Usage(host.cpu_p95, host.network_p95, host.memory_p95)
    return FreeTier(
        egress_bytes=sent,
        egress_limit_bytes=settings.EGRESS_LIMIT,
        forecast_bytes=forecast(days, now=now, since=host.since),
        share=sent / settings.EGRESS_LIMIT,
        seeding=policy.seeding.value,
        notice=egress.in_words(policy, now=now),
        cpu_p95=host.cpu_p95,
        network_p95=host.network_p95,
        memory_p95=host.memory_p95,
        idle_risk=idle_risk(p95),
        disk_free_bytes=host.disk_free,
        disk_floor_bytes=settings.DISK_FLOOR,
        interfaces=tuple(sorted(counter.name for counter in host.counters.all())) if host.pk else (),
        since=host.since,
        measured_at=host.read_at,
    )


def _share_of_month() -> float:
    return of_month(measuring.egress_days(), timezone.now().date()) / settings.EGRESS_LIMIT
