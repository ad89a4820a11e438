"""Prometheus and its companions on ports of their own, with the committed configuration and the packages' programs."""

import shlex
import shutil
import signal
import subprocess
from pathlib import Path

from deploy.box import free_ports
from deploy.prometheus import render
from proxy_site.tests import processes

# By the names that their packages give to programs and to the files of their flags.
PROGRAMS = {
    "prometheus": "127.0.0.1:9090",
    "prometheus-alertmanager": "127.0.0.1:9093",
    "prometheus-node-exporter": "127.0.0.1:9100",
    "prometheus-postgres-exporter": "127.0.0.1:9187",
    "prometheus-blackbox-exporter": "127.0.0.1:9115",
}
WEB = "127.0.0.1:8000"
STARTS_WITHIN = 60.0  # seconds
STOPS_WITHIN = 20.0


def missing_programs() -> list[str]:
    """Of the packages that deploy/test.sh installs."""
    return [name for name in (*PROGRAMS, "promtool", "amtool") if shutil.which(name) is None]


class Programs:
    """Below `folder` is what stands in / of a server, but for addresses, and where data goes."""

    def __init__(self, folder: Path, *, web_port: int, postgres: Path, **variables: str) -> None:
        """`postgres` is the folder of PostgreSQL's socket; `variables` are those of render.py."""
        self.folder = folder
        self.ports = dict(zip(PROGRAMS, free_ports(len(PROGRAMS)), strict=True))
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        places = {address: f"127.0.0.1:{self.ports[name]}" for name, address in PROGRAMS.items()}
        places |= {
            WEB: f"127.0.0.1:{web_port}",
            "host=/run/postgresql": f"host={postgres}",
            "=/etc/prometheus/": f"={folder}/etc/prometheus/",
            "=/var/lib/prometheus/": f"={folder}/var/",
        }
        for path in render.write(folder, variables):
            text = path.read_text()
            for there, here in places.items():
                text = text.replace(there, here)
            path.write_text(text)

    def start(self, name: str) -> None:
        """As the package's unit does, with the flags of /etc/default; waits until it listens."""
        flags, environment = self._flags(name)
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", name, *flags],
                cwd=self.folder,
                env=processes.environment(**environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        processes.wait_until(
            lambda: processes.listens(self.ports[name]), f"{name} listens: {self.log(name)}", STARTS_WITHIN
        )

    def start_all(self) -> None:
        for name in reversed(PROGRAMS):
            self.start(name)

    def stop(self) -> None:
        """All that still run, by their process ids."""
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for name, process in self._processes.items():
            try:
                process.wait(STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise AssertionError(f"{name} did not stop:\n{self.log(name)}") from None

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def log(self, name: str) -> str:
        """Its last lines."""
        return "\n".join((self.folder / f"{name}.log").read_text(errors="replace").splitlines()[-20:])

    def _flags(self, name: str) -> tuple[list[str], dict[str, str]]:
        """Flags and environment of the file that systemd reads."""
        variables = dict(
            line.split("=", 1)
            for line in (self.folder / "etc" / "default" / name).read_text().splitlines()
            if line and not line.startswith("#")
        )
        environment = {key: value.strip('"') for key, value in variables.items()}
        return shlex.split(environment.pop("ARGS")), environment
