"""The machine: its disk, what the month's egress leaves, whether it looks idle, and its backups."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from monitoring.home.figures import Figure, Section, ago, number, percent, size, used
from monitoring.host.idle import BAR
from monitoring.metrics.catalogue import Samples
from torrents import egress

RESOURCES = {"cpu": "CPU", "network": "Network", "memory": "Memory"}


def sections(samples: Samples, now: datetime) -> Iterator[Section]:
    yield _disk(samples)
    yield _egress(samples, now)
    yield _idle(samples)
    if samples.of("backup_last_success_timestamp_seconds"):
        yield _backups(samples, now)


def _disk(samples: Samples) -> Section:
    floor = settings.DISK_FLOOR
    figures = [
        Figure("Free", size(free), wrong=free < floor) for free in samples.of("engine_free_bytes").values()
    ] or [Figure("Free", size(None))]
    taken = sum(samples.of("user_disk_used_bytes").values())
    figures += [
        Figure("Stays free", size(floor), "below it no download goes on"),
        Figure("People's quotas take", size(taken), "a torrent of several counts for each"),
    ]
    return Section("Disk", figures)


def _egress(samples: Samples, now: datetime) -> Section:
    limit = settings.EGRESS_LIMIT
    sent = samples.value("host_egress_month_bytes") or 0
    forecast = samples.value("host_egress_forecast_bytes") or 0
    policy = egress.current_policy()
    figures = [
        used(sent, limit, name="Sent by the machine", note="of what is free"),
        Figure("At the month's end", size(forecast), "at the rate of seven days", wrong=forecast > limit),
        used(
            samples.value("egress_month_bytes") or 0,
            settings.MONTHLY_EGRESS_LIMIT,
            name="To people and peers",
            note="above it nothing new starts",
        ),
        Figure("Of that to peers", size(samples.value("peers_sent_month_bytes") or 0)),
        Figure("Seeding", policy.seeding.value, wrong=policy.seeding is not egress.Seeding.NORMAL),
    ]
    return Section("Egress this month", figures, notice=egress.in_words(policy, now=now))


def _idle(samples: Samples) -> Section:
    at_risk = bool(samples.value("host_idle_risk"))
    figures = [
        Figure(title, percent(share), share=share, wrong=at_risk)
        for resource, title in RESOURCES.items()
        if (share := samples.value("host_use_p95_ratio", resource)) is not None
    ]
    if figures:
        risk = "Oracle may take it back" if at_risk else "busy enough"
        figures.insert(0, Figure("The machine", risk, wrong=at_risk))
    measured = ago(samples.value("host_measured_age_seconds"))
    return Section(
        "How busy it is",
        figures,
        notice=f"95th percentiles of seven days; one of them has to be above {BAR:.0%}. Measured {measured}.",
        none="Too few measurements yet.",
    )


def _backups(samples: Samples, now: datetime) -> Section:
    figures = []
    for (destination,), at in samples.of("backup_last_success_timestamp_seconds").items():
        kept = number(samples.value("backup_count", destination))
        newest = size(samples.value("backup_size_bytes", destination))
        figures.append(
            Figure(f"To the {destination}", ago(now.timestamp() - at), f"{newest}; {kept} are kept")
        )
    verified = samples.value("backup_last_verified_timestamp_seconds")
    age = now.timestamp() - verified if verified else None
    figures.append(Figure("Restored on trial", ago(age), wrong=age is None))
    for (task,), failures in samples.of("backup_failures_in_a_row").items():
        if failures:
            figures.append(Figure(f"Failures in a row: {task}", number(failures), wrong=True))
    return Section("Backups", figures)
