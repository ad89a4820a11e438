"""What the machines of the drills are made of, made once and kept: a plain Debian or Ubuntu, what was fetched for it.

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
ARCHIVES = Path("var/cache/apt/archives")
# Of the suites that a machine can be made of: Debian 12 and 13, Ubuntu 24.04.
PYTHONS = {"bookworm": "3.11", "trixie": "3.13", "noble": "3.12"}
UBUNTU = "noble"
# A resolver of the machine's own, and what asks apt's users questions.
UBUNTU_PACKAGES = "systemd-resolved,needrestart"
UBUNTU_MIRROR = os.environ.get("UBUNTU_MIRROR", "")  # such as a Debian machine has none configured
UBUNTU_KEYRING = Path(os.environ.get("UBUNTU_KEYRING", "/usr/share/keyrings/ubuntu-archive-keyring.gpg"))
SUITE = os.environ.get("DRILL_SUITE", "bookworm")  # where nothing else is asked for
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


def require(suite: str) -> None:
    """Raises NoMachine where this machine cannot make any of that suite."""
    if suite not in PYTHONS:
        raise NoMachine(f"no machine is known of the suite {suite}, only of {', '.join(PYTHONS)}")
    if suite == UBUNTU and not UBUNTU_MIRROR:
        raise NoMachine("set UBUNTU_MIRROR to the address of a mirror of Ubuntu, as its sources.list has it")
    if os.geteuid() != 0:
        raise NoMachine("only root can boot a machine")
    if missing := [program for program in NEEDED_PROGRAMS if shutil.which(program) is None]:
        raise NoMachine(f"not installed: {', '.join(missing)}; deploy/drill.sh does that")
    if suite == UBUNTU and not UBUNTU_KEYRING.exists():
        raise NoMachine(
            f"{UBUNTU_KEYRING} is missing: Ubuntu's package ubuntu-keyring, or UBUNTU_KEYRING, has it"
        )
    if not sources(suite):
        raise NoMachine("apt has no Debian mirror here, or has never been updated")


def sources(suite: str) -> list[Source]:
    """The suite, its updates and security: Debian's from the mirrors that this machine's apt gets its own from."""
    if suite == UBUNTU:
        return [
            Source(UBUNTU_MIRROR, f"{suite}{pocket}", component)
            for pocket in ("", "-updates", "-security")
            for component in ("main", "universe")
        ]
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
    found = []
    for _, uri, name, component in (row for row in rows if len(row) == 4 and row[0] == "Debian"):
        codename, dash, pocket = name.partition("-")
        if codename in PYTHONS and pocket in ("", "updates", "security"):
            found.append(Source(uri, f"{suite}{dash}{pocket}", component))
    return list(dict.fromkeys(found))


def base(suite: str) -> Path:
    """The root directory of a plain system, as a layer that nobody writes to."""
    return _made(
        "base",
        f"{suite} {PACKAGES} {UBUNTU_PACKAGES if suite == UBUNTU else ''}",
        lambda root: _bootstrap(suite, root),
    )


def oci(suite: str) -> Path:
    """What Oracle's images put on top: a firewall whose last rule refuses everything."""
    below = base(suite)
    rules = PROJECT / "tests/machine/oci.rules.v4"
    return _made("oci", below.name + rules.read_text(), lambda layer: _add_firewall(below, rules, layer))


def wheels(requirements: Path, suite: str) -> Path:
    """A directory with every wheel that these requirements need with the suite's Python."""
    python = PYTHONS[suite]

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
            [*command, f"--python-version={python}", "-r", str(requirements), "pip", "wheel"], check=True
        )

    return _made("wheels", f"{python} {requirements.read_text()}", fetch)


def debs(suite: str) -> Path:
    """A layer with nothing but packages that were fetched before. Debian's and Ubuntu's of one name may differ."""
    layer = CACHE / f"debs-{suite}"
    (layer / ARCHIVES).mkdir(parents=True, exist_ok=True)
    return layer


def keep_packages(upper: Path, suite: str) -> None:
    """Take the packages that a machine fetched, for the next one."""
    for package in (upper / ARCHIVES).glob("*.deb"):
        if package.is_file():  # and no whiteout, which is what a removed one leaves
            package.replace(debs(suite) / ARCHIVES / package.name)


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


def _bootstrap(suite: str, root: Path) -> None:
    mirrors = sources(suite)
    (mirror,) = {source.uri for source in mirrors if source.suite == suite}
    command = ["debootstrap", "--variant=minbase"]
    if suite == UBUNTU:
        packages = f"{PACKAGES},{UBUNTU_PACKAGES}"
        command += ["--components=main,universe", f"--keyring={UBUNTU_KEYRING}", f"--include={packages}"]
        script = "/usr/share/debootstrap/scripts/gutsy"  # that of all of Ubuntu's
        command += [suite, str(root), mirror, script]
    else:
        command += [f"--include={PACKAGES}", suite, str(root), mirror]
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


def _add_firewall(below: Path, rules: Path, layer: Path) -> None:
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
    where = (str(below), str(layer), str(layer.parent / "work"), str(root))
    done = subprocess.run([*command, *where], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoMachine(f"a firewall could not be installed: {done.stdout}{done.stderr}")
    shutil.copy2(rules, layer / "etc/iptables/rules.v4")
