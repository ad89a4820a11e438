"""The machine against the limits of the free tier."""

from datetime import datetime

from monitoring.metrics.catalogue import Samples
from monitoring.services import free_tier

SEEDING = ("normal", "throttled", "stopped")


def read(samples: Samples, now: datetime) -> None:
    """What nobody has measured yet is left out."""
    told = free_tier()
    samples.add("host_egress_month_bytes", told.egress_bytes)
    samples.add("host_egress_limit_bytes", told.egress_limit_bytes)
    samples.add("host_egress_forecast_bytes", told.forecast_bytes)
    for state in SEEDING:
        samples.add("seeding_policy", float(told.seeding == state), state)
    shares = {"cpu": told.cpu_p95, "network": told.network_p95, "memory": told.memory_p95}
    for resource, share in shares.items():
        if share is not None:
            samples.add("host_use_p95_ratio", share, resource)
    if told.idle_risk is not None:
        samples.add("host_idle_risk", float(told.idle_risk))
    if told.measured_at is not None:
        age = max(0.0, (now - told.measured_at).total_seconds())
        samples.add("host_measured_age_seconds", age)
