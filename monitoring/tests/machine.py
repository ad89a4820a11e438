"""A made-up machine: the files of /proc, /sys and /etc that tell how it is, below a folder."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass
class Machine:
    """Write fields, then `show()`."""

    root: Path
    booted_at: datetime
    boot: int = 1
    busy: int = 0  # ticks since boot
    idle: int = 0
    memory_used: float = 0.5
    sent: dict[str, int] = field(default_factory=lambda: {"enp0s6": 0})
    received: dict[str, int] = field(default_factory=dict)
    virtual: tuple[str, ...] = ("lo",)

    def reboot(self, at: datetime) -> None:
        self.boot += 1
        self.booted_at = at
        self.busy = self.idle = 0
        self.sent = dict.fromkeys(self.sent, 0)

    def show(self) -> Path:
        self._write("etc/machine-id", "0123456789abcdef0123456789abcdef\n")
        self._write("proc/sys/kernel/random/boot_id", f"{self.boot:08}-aaaa-bbbb-cccc-dddddddddddd\n")
        half = self.busy // 2
        self._write(
            "proc/stat",
            f"cpu  {half} 0 {self.busy - half} {self.idle} 0 0 0 0 7 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n"
            f"intr 12345 0 9\nctxt 1990473\nbtime {int(self.booted_at.timestamp())}\nprocesses 2915\n",
        )
        available = int(12_000_000 * (1 - self.memory_used))
        self._write(
            "proc/meminfo",
            f"MemTotal:       12000000 kB\nMemFree:          100000 kB\nMemAvailable:   {available} kB\n"
            "HugePages_Total:       0\n",
        )
        for name in {*self.sent, *self.virtual}:
            folder = f"sys/class/net/{name}"
            self._write(f"{folder}/statistics/tx_bytes", f"{self.sent.get(name, 999)}\n")
            self._write(f"{folder}/statistics/rx_bytes", f"{self.received.get(name, 0)}\n")
            if name not in self.virtual:
                (self.root / folder / "device").mkdir(exist_ok=True)
        return self.root

    def _write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
