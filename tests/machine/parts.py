"""What the machines of the drills are made of, made once and kept: a Debian 12, what was fetched for it.

Everything is in one directory (`CACHE`); remove it to have it made anew.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PROJECT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("PROXY_STATE_DIR", "/var/lib/oci-torrent-proxy")) / "machine"
DEBS = CACHE / "debs"  # a layer with nothing but var/cache/apt/archives/*.deb
ARCHIVES = Path("var/cache/apt/archives")
SUITE = "bookworm"
# What an image of a cloud has from the beginning, and no more: the installer has to bring the rest.
PACKAGES = (
    "systemd,systemd-sysv,systemd-timesyncd,dbus,iproute2,iputils-ping,procps,kmod,ca-certificates,openssh-server,sudo,"
    "netbase,less,python3"
)
NEEDED_PROGRAMS = ("debootstrap", "systemd-nspawn", "nsenter", "unshare", "setpriv", "ip", "apt-get")


class NoMachine(Exception):
    """There can be no machine here; the text says why."""


@dataclass(frozen=True)
class Source:
    """One suite of one of the mirrors that this machine's apt is configured with."""

    uri: str
    suite: str
    component: str

    @property
    def host(self) -> tuple[str, int]:
        parts = urlsplit(self.uri)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def require() -> None:
    """Raises NoMachine where this machine cannot make any."""
    if os.geteuid() != 0:
        raise NoMachine("only root can boot a machine")
    if missing := [program for program in NEEDED_PROGRAMS if shutil.which(program) is None]:
        raise NoMachine(f"not installed: {', '.join(missing)}; deploy/drill.sh does that")
    if not sources():
        raise NoMachine(f"apt has no Debian mirror with {SUITE} here, or has never been updated")


def sources() -> list[Source]:
    """Where this machine's apt gets Debian 12 from."""
    done = subprocess.run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)",
            "Created-By: Packages",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    found = [Source(*row[1:]) for row in rows if len(row) == 4 and row[0] == "Debian"]
    return list(dict.fromkeys(source for source in found if source.suite.startswith(SUITE)))


def base() -> Path:
    """The root directory of a plain Debian 12, as a layer that nobody writes to."""
    return _made("base", PACKAGES, _bootstrap)


def oci() -> Path:
    """What Oracle's images put on top: a firewall whose last rule refuses everything."""
    return _made("oci", base().name + (PROJECT / "tests/machine/oci.rules.v4").read_text(), _add_firewall)


def wheels(requirements: Path) -> Path:
    """A directory with every wheel that these requirements need."""

    def fetch(draft: Path) -> None:
        draft.mkdir()
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-qq",
            "--only-binary=:all:",
            "--dest",
            str(draft),
        ]
        subprocess.run(
            [*command, "--python-version=3.11", "-r", str(requirements), "pip", "wheel"], check=True
        )

    return _made("wheels", requirements.read_text(), fetch)


def keep_packages(upper: Path) -> None:
    """Take the packages that a machine fetched, for the next one."""
    (DEBS / ARCHIVES).mkdir(parents=True, exist_ok=True)
    for package in (upper / ARCHIVES).glob("*.deb"):
        if package.is_file():  # and no whiteout, which is what a removed one leaves
            package.replace(DEBS / ARCHIVES / package.name)


@contextmanager
def locked(name: str) -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _made(name: str, recipe: str, make: Callable[[Path], None]) -> Path:
    """The directory that `make` fills, kept until its recipe changes."""
    place = CACHE / f"{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    with locked(name):
        if not place.exists():
            draft = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=CACHE))
            try:
                make(draft / "made")
                (draft / "made").rename(place)
            finally:
                shutil.rmtree(draft)
    return place


def _bootstrap(root: Path) -> None:
    mirrors = sources()
    (mirror,) = {source.uri for source in mirrors if source.suite == SUITE}
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root), mirror]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    lines = [f"deb {source.uri} {source.suite} {source.component}\n" for source in mirrors]
    (root / "etc/apt/sources.list").write_text("".join(lines))
    (root / "etc/apt/apt.conf.d/keep-packages").write_text(
        'Binary::apt::APT::Keep-Downloaded-Packages "true";\n'
    )
    (root / "etc/hostname").write_text("box\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 box\n::1 localhost ip6-localhost\n")
    for name in ("machine-id", "resolv.conf"):
        (root / "etc" / name).unlink(missing_ok=True)
    (root / "etc/machine-id").touch()
    subprocess.run(["systemctl", f"--root={root}", "--quiet", "enable", "systemd-networkd"], check=True)


def _add_firewall(layer: Path) -> None:
    """Installed in a chroot with the network of this machine: the layer is what that writes."""
    for name in ("made", "work", "root"):
        (layer.parent / name).mkdir()
    root = layer.parent / "root"
    script = (
        'mount -t overlay overlay -o "lowerdir=$0,upperdir=$1,workdir=$2" "$3" && mount -t proc proc "$3/proc" && '
        'cp /etc/resolv.conf "$3/etc/resolv.conf" && '
        'printf \'#!/bin/sh\\nexit 101\\n\' >"$3/usr/sbin/policy-rc.d" && chmod 755 "$3/usr/sbin/policy-rc.d" && '
        'chroot "$3" apt-get -qq update && '
        'DEBIAN_FRONTEND=noninteractive chroot "$3" apt-get -qq install -y --no-install-recommends '
        "iptables-persistent netfilter-persistent </dev/null && "
        'rm "$3/usr/sbin/policy-rc.d" "$3/etc/resolv.conf" "$3"/var/cache/apt/archives/*.deb'
    )
    command = ["unshare", "--mount", "--propagation=private", "sh", "-c", script]
    where = (str(base()), str(layer), str(layer.parent / "work"), str(root))
    done = subprocess.run([*command, *where], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoMachine(f"a firewall could not be installed: {done.stdout}{done.stderr}")
    shutil.copy2(PROJECT / "tests/machine/oci.rules.v4", layer / "etc/iptables/rules.v4")
