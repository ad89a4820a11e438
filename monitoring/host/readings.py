"""What the machine says about itself now, read from /proc and /sys. Pure but for the files of the given folders.

Errors: OSError and ValueError where these are not what Linux has there.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Counters:
    """Bytes that went through an interface since it appeared."""

    sent: int
    received: int


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Of all CPUs together since boot, in ticks."""

    busy: int
    total: int


@dataclass(frozen=True, slots=True)
class Reading:
    boot_id: str  # another one after each boot
    booted_at: datetime
    cpu: CpuTimes
    memory_used: float  # share of all, caches not counted
    interfaces: Mapping[str, Counters]


def read_host(*, proc: Path, sys: Path, names: Collection[str]) -> Reading:
    """`names` of the interfaces to read, those that are not there left out; none: all physical ones."""
    cpu, booted_at = _stat(proc / "stat")
    return Reading(
        boot_id=(proc / "sys/kernel/random/boot_id").read_text().strip(),
        booted_at=booted_at,
        cpu=cpu,
        memory_used=_memory_used(proc / "meminfo"),
        interfaces=_interfaces(sys / "class/net", names),
    )


def machine_id(etc: Path) -> str:
    """Tells this machine from others that share the database; the host's name where it has none."""
    try:
        return (etc / "machine-id").read_text().strip() or os.uname().nodename
    except OSError:
        return os.uname().nodename


def free_bytes(folder: Path) -> int | None:
    """Free for others than root on its volume; None where there is no such folder."""
    try:
        volume = os.statvfs(folder)
    except OSError:
        return None
    return volume.f_bavail * volume.f_frsize


def _stat(path: Path) -> tuple[CpuTimes, datetime]:
    rows = {name: rest for name, _, rest in (line.partition(" ") for line in path.read_text().splitlines())}
    try:
        # user nice system idle iowait irq softirq steal; guests' times are part of user and nice
        ticks = [int(number) for number in rows["cpu"].split()[:8]]
        booted_at = datetime.fromtimestamp(int(rows["btime"]), UTC)
        idle = ticks[3] + ticks[4]
    except (LookupError, OverflowError):
        raise ValueError(f"{path} has no line for all CPUs, or none for the time of boot") from None
    return CpuTimes(busy=sum(ticks) - idle, total=sum(ticks)), booted_at


def _memory_used(path: Path) -> float:
    sizes = {
        name: rest.split()
        for name, _, rest in (line.partition(":") for line in path.read_text().splitlines())
    }
    try:
        total, available = int(sizes["MemTotal"][0]), int(sizes["MemAvailable"][0])
        return 1 - available / total
    except (LookupError, ZeroDivisionError):
        raise ValueError(f"{path} does not tell how much memory there is") from None


def _interfaces(net: Path, names: Collection[str]) -> dict[str, Counters]:
    # What has a device is hardware, or the hypervisor shows it as such: not lo, bridges, containers' or tunnels' ends.
    found = {
        folder.name: folder
        for folder in sorted(net.iterdir())
        if folder.name in names or (not names and (folder / "device").exists())
    }
    return {name: _counters(folder / "statistics") for name, folder in found.items()}


def _counters(statistics: Path) -> Counters:
    return Counters(
        sent=int((statistics / "tx_bytes").read_text()), received=int((statistics / "rx_bytes").read_text())
    )
