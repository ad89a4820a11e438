"""Debian packages, installed without questions, waiting for whoever else is installing."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.converge.commands import InstallError, output, run
from deploy.converge.run import Resource

LOCK_SECONDS = 600  # a fresh cloud machine upgrades itself for minutes
QUIETLY = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "a", "NEEDRESTART_SUSPEND": "1"}
OPTIONS = [
    "-y",
    "-o", f"DPkg::Lock::Timeout={LOCK_SECONDS}",
    "-o", "Dpkg::Options::=--force-confdef",
    "-o", "Dpkg::Options::=--force-confold",
]  # fmt: skip

BOX = (
    "ca-certificates", "openssl", "python3", "python3-venv", "postgresql", "qbittorrent-nox", "caddy", "age",
    "nftables", "iproute2", "unattended-upgrades", "logrotate",
)  # fmt: skip
MONITORING = (
    "prometheus", "prometheus-alertmanager", "prometheus-node-exporter", "prometheus-postgres-exporter",
    "prometheus-blackbox-exporter",
)  # fmt: skip
CLOCKS = ("chrony", "systemd-timesyncd", "ntpsec", "ntp", "openntpd")


@dataclass
class AptPackages:
    """Packages that are to be installed, whatever their version."""

    names: Sequence[str]

    def differs(self) -> list[str]:
        phrases = ["finish what dpkg left half done"] if output(["dpkg", "--audit"]) else []
        return phrases + [f"install {name}" for name in missing(self.names)]

    def apply(self) -> None:
        finish_what_was_begun()
        update_lists()
        run(
            ["apt-get", "-q", *OPTIONS, "install", "--no-install-recommends", *missing(self.names)],
            environment=QUIETLY,
            failure="apt-get could not install everything. Mend what it says, then run this again:",
        )


def missing(names: Sequence[str]) -> list[str]:
    shown = output(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"]).splitlines()
    installed = {line.split()[0] for line in shown if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def installed(name: str) -> bool:
    return not missing([name])


def known(name: str) -> bool:
    """Whether apt has a version of it to install."""
    return "Candidate: (none)" not in (shown := output(["apt-cache", "policy", name])) and bool(shown)


def finish_what_was_begun() -> None:
    """What an installation that was killed left: its dpkg may still be at it, and then is waited for."""
    command = ["dpkg", "--configure", "-a", "--force-confdef", "--force-confold"]
    deadline = time.monotonic() + LOCK_SECONDS
    while (done := run(command, environment=QUIETLY)).returncode != 0:
        if " lock" not in done.stderr or time.monotonic() > deadline:
            said = "\n".join(f"    {line}" for line in done.stderr.strip().splitlines()[-5:])
            raise InstallError(
                f"dpkg cannot finish what was begun. Mend what it says, then run this again:\n{said}"
            )
        time.sleep(3)


def update_lists() -> None:
    """`apt-get update` waits for nobody by itself: its lock of the lists has no time-out."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        done = run(["apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update"], environment=QUIETLY)
        if done.returncode == 0:
            return
        if "Could not get lock" not in done.stderr or time.monotonic() > deadline:
            said = "\n".join(f"    {line}" for line in done.stderr.strip().splitlines()[-5:])
            raise InstallError(
                f"apt-get update failed. See that this machine reaches its package mirror, then run this again:\n{said}"
            )
        time.sleep(3)


def clock() -> list[Resource]:
    """A clock that is right: certificates and tokens live by it. Any that is there will do."""
    return [] if any(installed(name) for name in CLOCKS) else [AptPackages(["systemd-timesyncd"])]
