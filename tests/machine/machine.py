"""A computer of its own for a drill: a real Debian or Ubuntu that boots, reboots, loses its power and is thrown away.

    with Machine.boot() as machine:
        machine.copy_checkout("/root/oci-torrent-proxy")
        machine.run("bash /root/oci-torrent-proxy/deploy/install.sh …", timeout=900)
        machine.reboot()
        with machine.internet.inside():  # as somebody elsewhere
            socket.create_connection((machine.address, 443))

systemd is process 1 in it; its network, processes, users and files are its own (systemd-nspawn). What it may use of
memory and processor is not limited, and its kernel is this computer's.
"""

import contextlib
import fcntl
import itertools
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

import psutil
import pytest

from tests.machine import parts
from tests.machine.internet import BOX, BOX_V6, RESOLVER, ROUTER, ROUTER_V6, Internet

Kind = Literal["oci", "debian"]
# Where nothing else is asked for.
KIND: Kind = "debian" if os.environ.get("DRILL_KIND") == "debian" else "oci"

BOOT_SECONDS = 120.0
COMMAND_SECONDS = 60.0
LIFETIME = 3600.0  # then it is destroyed, whoever still uses it
REBOOTED = 133  # nspawn's exit code where the machine asked to be started again
WHEELS = "/var/cache/wheels"
FILES = {
    "etc/resolv.conf": f"nameserver {RESOLVER}\n",
    "etc/systemd/network/10-cable.network": f"""[Match]
Type=ether
[Network]
Address={BOX}/24
Address={BOX_V6}/64
Gateway={ROUTER}
Gateway={ROUTER_V6}
DNS={RESOLVER}
IPv6AcceptRA=no
LinkLocalAddressing=no
""",
    "etc/pip.conf": f"[global]\nno-index = true\nfind-links = {WHEELS}\ndisable-pip-version-check = true\n",
}
_IN_ITS_PLACE = """
for group in $1; do echo $$ >"$group"; done
mount -t overlay overlay -o "$2" "$3"
shift 3
exec "$@"
"""
_START = ["setpriv", "--pdeathsig=TERM", "unshare", "--mount", "sh", "-e", "-c", _IN_ITS_PLACE, "sh"]
_numbers = itertools.count()


class MachineError(Exception):
    """A machine did not start, or a command in it failed; the text holds what was printed."""


class Machine:
    """Use `boot`, and the result as a context manager."""

    address = BOX

    def __init__(self, *, kind: Kind, suite: str, name: str) -> None:
        parts.require(suite)
        _remove_leftovers()
        self.name = name
        self._suite = suite
        self.seconds_to_boot = 0.0
        self._wheels = parts.wheels(parts.PROJECT / "requirements.txt", suite)
        self._layers = [parts.debs(suite), *([parts.oci(suite)] if kind == "oci" else []), parts.base(suite)]
        self._directory = parts.CACHE / "machines" / name
        (self._directory / "upper").mkdir(parents=True)
        for directory in ("work", "root"):
            (self._directory / directory).mkdir()
        self._in_use = (self._directory / "lock").open("w")
        fcntl.flock(self._in_use, fcntl.LOCK_EX)
        for path, text in FILES.items():
            file = self._directory / "upper" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        if suite == parts.UBUNTU:
            (self._directory / "upper/etc/resolv.conf").unlink()
            (self._directory / "upper/etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
        self.internet = Internet({source.host for source in parts.sources(suite)})
        self._running = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self._end_of_life = threading.Timer(LIFETIME, self.cut_power)
        self._end_of_life.daemon = True

    @classmethod
    def boot(cls, *, kind: Kind = KIND, suite: str = parts.SUITE) -> Self:
        """A new machine, switched on. `oci` has the firewall of Oracle's images, `debian` none.

        `suite` is Debian's "bookworm" (12) or "trixie" (13), or Ubuntu's "noble" (24.04).

        Raises NoMachine where this computer can make none, MachineError where it does not come up.
        """
        machine = cls(kind=kind, suite=suite, name=f"drill-{os.getpid()}-{next(_numbers)}")
        try:
            machine.internet.__enter__()
            machine._end_of_life.start()
            machine.start()
        except BaseException:
            machine.destroy()
            raise
        return machine

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.destroy()

    def start(self) -> None:
        """Switch it on and wait until all that starts at boot has started, or has failed to."""
        began = time.monotonic()
        mounts = (
            f"lowerdir={':'.join(map(str, self._layers))},upperdir={self._directory / 'upper'},"
            f"workdir={self._directory / 'work'}"
        )
        root = str(self._directory / "root")
        nspawn = (
            "systemd-nspawn --quiet --boot --register=no --keep-unit --console=pipe --hostname=box --private-network "
            f"--resolv-conf=off --timezone=off --link-journal=no --bind-ro={self._wheels}:{WHEELS} "
            f"--machine={self.name} --directory={root}"
        )
        self._leader = 0
        groups = self._running.enter_context(_control_groups(self.name))
        with (self._directory / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                [*_START, " ".join(groups), mounts, root, *nspawn.split()],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        self._leader = self._wait_for_leader(began + BOOT_SECONDS)
        self._running.enter_context(self.internet.cable(self._leader))
        while (state := self._state(began + BOOT_SECONDS)) not in ("running", "degraded"):
            if time.monotonic() > began + BOOT_SECONDS:
                raise MachineError(f"It is {state or 'silent'} after {BOOT_SECONDS:.0f} s.\n{self.console()}")
            time.sleep(0.1)
        self.seconds_to_boot = time.monotonic() - began

    def reboot(self) -> None:
        """As by an admin: everything is asked to stop, the network goes away, and all starts from the disk."""
        assert self._process is not None
        self.run("systemctl reboot", check=False)
        try:
            code = self._process.wait(BOOT_SECONDS)
        except subprocess.TimeoutExpired:
            raise MachineError(f"It did not go down.\n{self.console()}") from None
        if code != REBOOTED:
            raise MachineError(f"It went down with exit code {code} instead of rebooting.\n{self.console()}")
        self._running.close()
        self.start()

    def cut_power(self) -> None:
        """Everything ends in the middle of what it does; `start` brings it back. The disk keeps what it was given."""
        if self._process is not None and self._process.poll() is None:
            # Its process 1 takes all others along, and then nspawn ends. Killed itself, nspawn would leave them.
            first = self._leader or self._process.pid
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(first).kill()
            self._process.wait(COMMAND_SECONDS)
        self._running.close()

    def destroy(self) -> None:
        """Nothing is left of it but the packages that it fetched."""
        self._end_of_life.cancel()
        self.cut_power()
        self.internet.__exit__()
        if not self._in_use.closed:
            parts.keep_packages(self._directory / "upper", self._suite)
            shutil.rmtree(self._directory)
            self._in_use.close()

    def run(
        self,
        command: str,
        *,
        user: str = "root",
        timeout: float = COMMAND_SECONDS,
        check: bool = True,
        stdin: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """What bash makes of `command` in it, started as after a fresh login. Raises MachineError."""
        login = (
            f"cd ~; {command}"
            if user == "root"
            else f"exec setpriv --reuid={user} --regid={user} --init-groups "
        )
        login += "" if user == "root" else f"env HOME=/ bash -c {shlex.quote(command)}"
        entered = [
            *(
                "nsenter",
                f"--target={self._leader}",
                "--mount",
                "--uts",
                "--ipc",
                "--net",
                "--pid",
                "--cgroup",
            ),
            *("env", "-i", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb"),
            *("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "bash", "-c", login),
        ]
        process = subprocess.Popen(
            entered,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            output, errors = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, errors = process.communicate()
            raise MachineError(f"{command}: not done after {timeout:.0f} s.\n{output}{errors}") from None
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        if check and process.returncode != 0:
            raise MachineError(f"{command}: exit code {process.returncode}.\n{output}{errors}")
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

    def says(self, command: str, **options: object) -> str:
        """What `command` prints, without the line's end. Raises MachineError where it fails."""
        return self.run(command, **options).stdout.strip()  # type: ignore[arg-type]

    def path(self, inside: str) -> Path:
        """The same file, seen from this computer. Symbolic links that are absolute lead elsewhere."""
        return Path(f"/proc/{self._leader}/root{inside}")

    def copy_checkout(self, target: str, *, commit: str | None = None) -> None:
        """The project's files as they are now, or as they were in a commit."""
        self.path(target).mkdir(parents=True, exist_ok=True)
        listed = "git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=-"
        packing = f"git archive {shlex.quote(commit)}" if commit else listed
        unpacking = f"tar --extract --no-same-owner --directory={shlex.quote(str(self.path(target)))}"
        command = ["bash", "-o", "pipefail", "-c", f"{packing} | {unpacking}"]
        subprocess.run(command, cwd=parts.PROJECT, check=True)

    def console(self) -> str:
        """The last lines that it wrote to its screen."""
        return "\n".join((self._directory / "console.log").read_text(errors="replace").splitlines()[-60:])

    def _wait_for_leader(self, deadline: float) -> int:
        assert self._process is not None
        while time.monotonic() < deadline and self._process.poll() is None:
            for child in psutil.Process(self._process.pid).children(recursive=True):
                with contextlib.suppress(OSError):
                    status = Path(f"/proc/{child.pid}/status").read_text()
                    if (
                        status.partition("NSpid:")[2].split("\n")[0].split()[1:] == ["1"]
                        and "\tsystemd\n" in status
                    ):
                        return child.pid
            time.sleep(0.05)
        raise MachineError(f"It did not start.\n{self.console()}")

    def _state(self, deadline: float) -> str:
        assert self._process is not None
        if self._process.poll() is not None:
            raise MachineError(f"It went down while it started.\n{self.console()}")
        patience = max(1.0, deadline - time.monotonic())
        return self.run("systemctl is-system-running --wait", check=False, timeout=patience).stdout.strip()


@contextlib.contextmanager
def booted(kind: Kind = KIND) -> Iterator[Machine]:
    """A machine for a test, which is skipped where there can be none."""
    try:
        machine = Machine.boot(kind=kind)
    except parts.NoMachine as reason:
        pytest.skip(str(reason))
    with machine:
        yield machine


@contextlib.contextmanager
def _control_groups(name: str) -> Iterator[list[str]]:
    """Groups of the machine's own, beside those of this computer; gives the files that take its first process."""
    groups = _groups(name)
    for group in groups:
        group.mkdir(exist_ok=True)
    try:
        yield [str(group / "cgroup.procs") for group in groups]
    finally:
        _remove_groups(name)


def _groups(name: str) -> list[Path]:
    roots = [Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup/unified")]
    return [root / name for root in roots if (root / "cgroup.procs").exists()]


def _remove_groups(name: str) -> None:
    for group in _groups(name):
        for directory, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):  # its last process may take a moment to be gone
                Path(directory).rmdir()


def _remove_leftovers() -> None:
    """Those of a run that was killed: nobody holds their lock."""
    for directory in (parts.CACHE / "machines").glob("drill-*"):
        with contextlib.suppress(OSError), (directory / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove_groups(directory.name)
            shutil.rmtree(directory)
