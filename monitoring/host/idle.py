"""Whether Oracle may take the machine back as idle. Pure.

An Always Free machine is idle if over seven days the 95th percentile of its CPU, its network and, on A1, its memory
are all below 20 % (docs.oracle.com, "Always Free Resources", Idle Compute Instances). One of them above is enough.
"""

from dataclasses import dataclass
from datetime import timedelta

from monitoring.host.readings import CpuTimes

WINDOW = timedelta(days=7)
ENOUGH = (
    WINDOW / 2
)  # of samples, one a minute: from then on it is told, so that something can be done in time
BAR = 0.20
PERCENTILE = 0.95
BYTES_PER_OCPU = 125_000_000  # a second: 1 Gbps


@dataclass(frozen=True, slots=True)
class Usage:
    """Shares of what the machine has, as of one moment or as percentiles."""

    cpu: float
    network: float
    memory: float


def idle_risk(p95: Usage | None) -> bool | None:
    """None: not known, because there are too few samples."""
    return None if p95 is None else max(p95.cpu, p95.network, p95.memory) < BAR


def cpu_share(before: CpuTimes, now: CpuTimes) -> float:
    """Between two readings of the same boot."""
    total = now.total - before.total
    return min(1.0, max(0.0, (now.busy - before.busy) / total)) if total > 0 else 0.0


def network_share(*, sent: int, received: int, seconds: float, ocpus: int) -> float:
    """Of the faster direction, for a line carries as much in both at once."""
    return max(sent, received) / (seconds * ocpus * BYTES_PER_OCPU) if seconds > 0 else 0.0
