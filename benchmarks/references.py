"""What handing over is compared with: Caddy's plain file server, and OpenSSH's sftp-server."""

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.box import PROJECT, Box, free_ports

SFTP_SERVERS = (
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
)
START_SECONDS = 30.0


@dataclass(frozen=True)
class Caddy:
    """`box` and `static` are URLs without a slash at the end; `authority` is who signed their certificate."""

    pid: int
    box: str
    static: str
    authority: Path


@dataclass(frozen=True)
class Sshd:
    pid: int
    port: int
    user: str


def missing_programs() -> list[str]:
    """Debian packages that this benchmark needs and that are not here."""
    wanted = {"caddy": "caddy", "curl": "curl", "sftp": "openssh-client", "sshd": "openssh-server"}
    return sorted(package for program, package in wanted.items() if _program(program) is None)


@contextmanager
def caddy(box: Box, directory: Path, log: Path) -> Iterator[Caddy]:
    """One Caddy with the committed Caddyfile in front of `box`, and its plain file server beside it."""
    ours, static = free_ports(2)
    committed = (PROJECT / "deploy" / "Caddyfile").read_text()
    # A certificate of its own authority, which the machine shall not learn to trust; port 80 is not ours.
    private = committed.replace(
        "admin off", "skip_install_trust\n\tauto_https disable_redirects\n\tadmin off", 1
    )
    downloads = Path(box.environment["DATA_DIR"], "downloads")
    plain = f"https://localhost:{static} {{\n\troot * {downloads}/t\n\tfile_server\n}}\n"
    directory.mkdir()
    file = directory / "Caddyfile"
    file.write_text(f"{private}\n{plain}")
    environment = {
        "SITE_ADDRESS": f"https://localhost:{ours}",
        "UPSTREAM": f"127.0.0.1:{box.web_port}",
        "DOWNLOADS_DIR": str(downloads),
        "CADDY_LOG": str(log),
        "XDG_CONFIG_HOME": str(directory),
        "XDG_DATA_HOME": str(directory),
    }
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(file)]
    authority = directory / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    with _running(command, directory / "caddy.log", box.environment | environment) as process:
        _wait(
            lambda: authority.exists() and _listens(ours) and _listens(static),
            process,
            directory / "caddy.log",
        )
        yield Caddy(process.pid, f"https://localhost:{ours}", f"https://localhost:{static}", authority)


@contextmanager
def sshd(directory: Path, public_key: Path) -> Iterator[Sshd]:
    """OpenSSH's server on loopback for whoever runs this, with its sftp-server and that one key."""
    directory.mkdir()
    host_key = directory / "host_key"
    make_key(host_key)
    (port,) = free_ports(1)
    server = next(path for path in SFTP_SERVERS if Path(path).exists())
    lines = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": host_key,
        "AuthorizedKeysFile": public_key,
        "StrictModes": "no",  # our directory is below one that everybody may write to
        "PermitRootLogin": "prohibit-password",
        "PidFile": "none",
        "UsePAM": "no",
        "MaxStartups": "100",
        "Subsystem": f"sftp {server}",
    }
    file = directory / "sshd_config"
    file.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    if getpass.getuser() == "root":
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd refuses to start as root without it
    command = [_program("sshd") or "sshd", "-D", "-e", "-f", str(file)]
    with _running(command, directory / "sshd.log", {"PATH": "/usr/bin:/bin"}) as process:
        _wait(lambda: _listens(port), process, directory / "sshd.log")
        yield Sshd(process.pid, port, getpass.getuser())


def make_key(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


@contextmanager
def _running(
    command: list[str], log: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"It did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
