"""How fast finished files are handed over: `python -m benchmarks.transfers [--quick] [--json]`.

HTTPS through Caddy, authorised by the API, against a plain file of the very same Caddy; SFTP against OpenSSH's
sftp-server. Each time the same file, client and cipher, in pairs: ours, theirs, ours, theirs. All on this machine.

Needs, beyond the requirements, a qBittorrent, Caddy, curl, and OpenSSH's client and server (openssh-server).
"""

import argparse
import os
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import Figures, Promise, report
from benchmarks.populated import access_token, add, finished_claim, person, running_box
from benchmarks.references import Caddy, Sshd, caddy, make_key, missing_programs, sshd
from benchmarks.usage import PeakMemory, cpu_seconds, parts_of, tree
from deploy.box import PEER_ADDRESS, PROJECT, Box
from deploy.swarm import Peer, make_torrent

MIB = 2**20
NAME = "film.mkv"
USER = "reader"
CIPHER = "aes128-gcm@openssh.com"
TLS_CIPHER = "TLS_AES_128_GCM_SHA256"
ALONE_SECONDS = 30.0
WAYS = ("https", "sftp", "own_client")
BARS = {  # ours / theirs by way and number of streams, medians of pairs
    ("https", 1): 0.85,
    ("https", 10): 0.85,
    ("sftp", 1): 0.75,
    ("sftp", 10): 0.9,
}


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: `command` fetches the file and throws it away, `pids` serve it.

    A client that takes long to start prints the seconds that count.
    """

    command: Sequence[str]
    pids: Sequence[int]
    typed: str = ""
    prints_seconds: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    say = _say if not options.json else _nothing
    if missing := missing_programs():
        print(f"This benchmark needs, beyond the requirements: {', '.join(missing)}.", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # whatever ends us, the box ends too
    size = options.size * MIB
    figures: Figures = {"file_mib": options.size, "rounds": options.rounds}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        directory = Path(folder)
        log = directory / "access.log"
        behind = {"BEHIND_HTTPS_PROXY": "true", "HANDOVER_BY_CADDY": "true", "CADDY_LOG": str(log)}
        box = stack.enter_context(running_box(**behind))
        say(f"downloading a file of {options.size} MiB")
        path, claim_id = finished_file(box, directory, size)
        front = stack.enter_context(caddy(box, directory / "caddy", log))
        other = stack.enter_context(sshd(directory / "sshd", directory / "key.pub"))
        ways: dict[str, Callable[[], tuple[Side, Side]]] = {
            "https": lambda: https_sides(box, front, path, claim_id),
            "sftp": lambda: sftp_sides(box, other, path, directory / "key"),
            "own_client": lambda: own_client_sides(box, other, path, directory / "key"),
        }
        for way in options.ways:
            sides = ways[way]()
            for streams in options.streams if way != "own_client" else [1]:
                say(f"{way}, streams: {streams}")
                figures[f"{way}_{streams}"] = compare(*sides, streams, size, options.rounds, say)
    print(report(name="transfers", figures=figures, promises=_promises(figures), as_json=options.json))
    return 0


def finished_file(box: Box, directory: Path, size: int) -> tuple[Path, str]:
    """Downloaded by the box from a real peer. Returns where it lies, and the claim's id; `directory` gets a `key`
    that opens SFTP."""
    from accounts import audit, ssh_keys

    user = person(USER)
    original = directory / NAME
    with original.open("wb") as file:
        for _ in range(size // MIB):
            file.write(secrets.token_bytes(MIB))
    with Peer(PEER_ADDRESS) as peer:
        torrent = make_torrent(original, piece_size=MIB)
        peer.seed(torrent, original)
        peer.knock_at(box.torrent_port)
        add(user, torrent, paused=False)
        claim = finished_claim(user)
    original.unlink()
    make_key(directory / "key")
    ssh_keys.add_key(user=user, public_key=(directory / "key.pub").read_text(), by=audit.COMMAND_LINE)
    return claim.torrent.data_dir / NAME, str(claim.pk)


def https_sides(box: Box, front: Caddy, path: Path, claim_id: str) -> tuple[Side, Side]:
    from accounts.models import User

    token = access_token(User.objects.get(username=USER))
    client = ["curl", "--silent", "--show-error", "--fail", "--output", "/dev/null", "--ipv4", "--http1.1"]
    client += ["--tlsv1.3", "--tls13-ciphers", TLS_CIPHER, "--cacert", str(front.authority)]
    client += ["--header", f"Authorization: Bearer {token}"]
    web = [process.pid for process in parts_of(box)["web"]]
    ours = f"{front.box}/api/v1/torrents/{claim_id}/files/0/content/"
    static = f"{front.static}/{path.parent.name}/{path.name}"
    return Side([*client, ours], [front.pid, *web]), Side([*client, static], [front.pid])


def sftp_sides(box: Box, other: Sshd, path: Path, key: Path) -> tuple[Side, Side]:
    client = ["sftp", "-q", "-F", "/dev/null", "-b", "-", "-i", str(key)]
    options = {
        "Ciphers": CIPHER,
        "StrictHostKeyChecking": "no",
        "UserKnownHostsFile": "/dev/null",
        "GlobalKnownHostsFile": "/dev/null",
        "LogLevel": "ERROR",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
    }
    client += [f"-o{name}={value}" for name, value in options.items()]
    ours = [*client, "-P", str(box.sftp_port), f"{USER}@127.0.0.1"]
    theirs = [*client, "-P", str(other.port), f"{other.user}@127.0.0.1"]
    return (
        Side(ours, _sftp_pids(box), f"get /{NAME} /dev/null\n"),
        Side(theirs, [other.pid], f"get {path} /dev/null\n"),
    )


def own_client_sides(box: Box, other: Sshd, path: Path, key: Path) -> tuple[Side, Side]:
    client = [sys.executable, "-m", "benchmarks.own_client", str(key)]
    return (
        Side([*client, str(box.sftp_port), USER, f"/{NAME}"], _sftp_pids(box), prints_seconds=True),
        Side([*client, str(other.port), other.user, str(path)], [other.pid], prints_seconds=True),
    )


def _sftp_pids(box: Box) -> list[int]:
    return [process.pid for process in parts_of(box)["sftp"]]


def compare(
    ours: Side, theirs: Side, streams: int, size: int, rounds: int, say: Callable[[str], None]
) -> Figures:
    """Both sides in turns. The first turn warms up, and shows how much memory they take."""
    sides = {"ours": ours, "theirs": theirs}
    peaks: dict[str, int] = {}
    for name, side in sides.items():
        with PeakMemory(side.pids) as memory:
            fetch(side, streams)
        peaks[name] = memory.most
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    spent: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            before = cpu_seconds(side.pids)
            seconds[name].append(fetch(side, streams))
            _wait_until_alone(side.pids)
            spent[name].append(cpu_seconds(side.pids) - before)
            say(f"  {name}: {seconds[name][-1]:.2f} s, {spent[name][-1]:.2f} CPU-s")
    total = size * streams
    figures: Figures = {
        name: {
            "mb_per_s": round(total / statistics.median(seconds[name]) / 1e6, 1),
            "cpu_s_per_gb": round(statistics.median(spent[name]) / total * 1e9, 3),
            "peak_mb": round(peaks[name] / 1e6, 1),
        }
        for name in sides
    }
    ratios = [other / own for own, other in zip(seconds["ours"], seconds["theirs"], strict=True)]
    return {**figures, "ratio": round(statistics.median(ratios), 3)}


def fetch(side: Side, streams: int) -> float:
    """Seconds until so many clients, started together, have the file."""
    started = time.monotonic()
    clients = [_started(side) for _ in range(streams)]
    said = [client.communicate(timeout=600) for client in clients]
    took = time.monotonic() - started
    for client, (_, errors) in zip(clients, said, strict=True):
        if client.returncode != 0:
            raise RuntimeError(f"{side.command[0]} ended with {client.returncode}: {errors}")
    return max(float(output) for output, _ in said) if side.prints_seconds else took


def _started(side: Side) -> "subprocess.Popen[str]":
    client = subprocess.Popen(
        side.command,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "tui_client" / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert client.stdin is not None
    client.stdin.write(side.typed)
    client.stdin.flush()
    return client


def _wait_until_alone(pids: Sequence[int]) -> None:
    """OpenSSH has a process for each client; what it has used counts when it has ended."""
    known, deadline = set(pids), time.monotonic() + ALONE_SECONDS
    while {process.pid for pid in pids for process in tree(pid)} - known:
        if time.monotonic() > deadline:
            raise TimeoutError("A server is still busy with clients that have gone.")
        time.sleep(0.01)


def _promises(figures: Figures) -> list[Promise]:
    return [
        Promise(
            f"{way} with {streams} stream{'s' * (streams > 1)}, in times of {against}",
            figures[f"{way}_{streams}"]["ratio"],
            bar,
            at_least=True,
        )
        for (way, streams), bar in BARS.items()
        if f"{way}_{streams}" in figures
        for against in ["a plain file of Caddy's" if way == "https" else "OpenSSH's sftp-server"]
    ]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.transfers", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--json", action="store_true", help="one object for programs instead of a table")
    parser.add_argument("--quick", action="store_true", help="16 MiB, one pair: does it work at all?")
    parser.add_argument("--size", type=int, help="of the file, in MiB (512)")
    parser.add_argument("--rounds", type=int, help="pairs of each kind (5)")
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 10], help="at a time (1 10)")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="which of them (all)")
    options = parser.parse_args(arguments)
    for name, value in ({"size": 16, "rounds": 1} if options.quick else {"size": 512, "rounds": 5}).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def _say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)


def _nothing(line: str) -> None:
    return None


if __name__ == "__main__":
    sys.exit(main())
