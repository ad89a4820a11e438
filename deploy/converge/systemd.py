"""Units of systemd as resources. What runs is compared with what it was started from, so a run that was killed
between writing a file and restarting its service is repaired by the next."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.converge.commands import output, run


def properties(unit: str, *names: str) -> dict[str, str]:
    shown = output(["systemctl", "show", "--timestamp=us+utc", f"--property={','.join(names)}", unit])
    return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)


def seconds(stamp: str) -> float | None:
    """Since the epoch, of systemd's `Mon 2026-11-23 09:08:14.123456 UTC`; None where there is none."""
    if found := re.search(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) UTC", stamp):
        return datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp()
    return None


@dataclass
class Reloaded:
    """systemd has read its files as they are now, of those of `units` that are there."""

    units: Sequence[str]

    def differs(self) -> list[str]:
        found = [properties(unit, "NeedDaemonReload", "LoadState") for unit in self.units]
        stale = any(one.get("NeedDaemonReload") == "yes" for one in found)
        unknown = any(
            one.get("LoadState") == "not-found" and Path("/etc/systemd/system", unit).exists()
            for one, unit in zip(found, self.units, strict=True)
        )
        return ["have systemd read its units anew"] if stale or unknown else []

    def apply(self) -> None:
        run(["systemctl", "daemon-reload"], failure="systemd could not read its units:")


@dataclass
class Enabled:
    """Starts with the machine."""

    unit: str

    def differs(self) -> list[str]:
        state = output(["systemctl", "is-enabled", self.unit]) or "no"
        return (
            []
            if state.startswith(("enabled", "static", "alias"))
            else [f"have {self.unit} start with the machine"]
        )

    def apply(self) -> None:
        run(["systemctl", "enable", "--quiet", self.unit], failure=f"{self.unit} could not be enabled:")


@dataclass
class Running:
    """Runs, and was started after the last change of the files in `needs` (a link's own change counts)."""

    unit: str
    needs: Sequence[Path] = ()

    def differs(self) -> list[str]:
        found = properties(self.unit, "ActiveState", "InactiveExitTimestamp", "FragmentPath", "DropInPaths")
        if found.get("ActiveState") not in ("active", "activating", "reloading"):
            return [f"start {self.unit}"]
        own = [found.get("FragmentPath", ""), *found.get("DropInPaths", "").split()]
        began = seconds(found.get("InactiveExitTimestamp", ""))
        files = [*self.needs, *(Path(name) for name in own if name.startswith("/etc/"))]
        newer = [path for path in files if began is not None and changed_at(path) > began]
        return [f"restart {self.unit}: {newer[0]} is newer"] if newer else []

    def apply(self) -> None:
        run(["systemctl", "reset-failed", self.unit])
        run(
            ["systemctl", "restart", self.unit],
            failure=f"{self.unit} does not start. `journalctl -u {self.unit} -n 50` says why; then run this again:",
        )


@dataclass
class Together:
    """Units that are started at once: each waits for nothing but itself."""

    units: Sequence[Running]

    def differs(self) -> list[str]:
        return [phrase for unit in self.units for phrase in unit.differs()]

    def apply(self) -> None:
        due = [unit.unit for unit in self.units if unit.differs()]
        run(["systemctl", "reset-failed", *due])
        run(
            ["systemctl", "restart", *due],
            failure="These services do not all start. `journalctl -u NAME -n 50` says why; then run this again:",
        )


@dataclass
class Started:
    """Runs, whatever it was started from: a target, whose restart would take all its units along."""

    unit: str

    def differs(self) -> list[str]:
        return (
            []
            if properties(self.unit, "ActiveState").get("ActiveState") == "active"
            else [f"start {self.unit}"]
        )

    def apply(self) -> None:
        run(["systemctl", "start", self.unit], failure=f"{self.unit} does not start:")


@dataclass
class Stopped:
    unit: str

    def differs(self) -> list[str]:
        state = properties(self.unit, "ActiveState").get("ActiveState")
        return [f"stop {self.unit}"] if state in ("active", "activating", "reloading", "deactivating") else []

    def apply(self) -> None:
        run(["systemctl", "stop", self.unit], failure=f"{self.unit} does not stop:")


def changed_at(path: Path) -> float:
    """Seconds since the epoch; 0 where there is none."""
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0
