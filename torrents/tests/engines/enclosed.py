"""Two network namespaces for one test: a box as in a cloud, and all that it could reach there."""

import contextlib
import os
import selectors
import shutil
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy_site.tests.namespaces import inside, new_namespace, run

RULES = Path(__file__).resolve().parents[3] / "deploy/nftables/contain-torrents.nft"
TORRENT_UID, OTHER_UID = 61234, 61235
BOX = "10.0.0.2"
RESOLVER = "169.254.169.254"  # which is the metadata service too, as at Oracle
NEIGHBOURS = ("10.0.0.1", "172.16.0.9", "192.168.7.1", "100.64.0.1", RESOLVER, "fd00::1")
OWN = ("127.0.0.1", BOX, "::1")
INTERNET = ("9.9.9.9", "2620:fe::fe")
DNS_PORT = 53


class Surroundings:
    """The box's own network and that of everybody else."""

    def __init__(self, box: int, others: int) -> None:
        self._box, self._others = box, others  # descriptors of network namespaces

    def box(self) -> contextlib.AbstractContextManager[None]:
        return inside(self._box)

    def others(self) -> contextlib.AbstractContextManager[None]:
        return inside(self._others)

    def load_rules(self) -> None:
        definitions = [f"torrent_user={TORRENT_UID}", f"resolvers={{ {RESOLVER} }}"]
        with self.box():
            run("nft", *(f"-D{definition}" for definition in definitions), "-f", str(RULES))


class Listening:
    """Listens with TCP and UDP on one port of each of these addresses and counts who comes there."""

    def __init__(self, addresses: tuple[str, ...], port: int) -> None:
        self.contacts: Counter[str] = Counter()
        self._leaving = threading.Event()
        self._sockets = selectors.DefaultSelector()
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                listener = socket.socket(family, kind)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((address, port))
                if kind == socket.SOCK_STREAM:
                    listener.listen(50)
                self._sockets.register(listener, selectors.EVENT_READ, address)
        self._thread = threading.Thread(target=self._count)

    def __enter__(self) -> "Listening":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._leaving.set()
        self._thread.join()
        for key in list(self._sockets.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._sockets.close()

    def _count(self) -> None:
        while not self._leaving.is_set():
            for key, _ in self._sockets.select(0.05):
                listener = key.fileobj
                assert isinstance(listener, socket.socket)
                if listener.type == socket.SOCK_STREAM:
                    listener.accept()[0].close()
                else:
                    listener.recv(2048)
                self.contacts[key.data] += 1


@contextlib.contextmanager
def surroundings() -> Iterator[Surroundings]:
    """Skips the test where they cannot be made."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a network namespace")
    if missing := [program for program in ("nft", "ip", "setpriv") if shutil.which(program) is None]:
        pytest.skip(f"not installed: {', '.join(missing)}; deploy/test.sh does that")
    with contextlib.ExitStack() as stack:
        box, others = new_namespace(), new_namespace()
        stack.callback(os.close, box)
        stack.callback(os.close, others)
        made = Surroundings(box, others)
        with made.others():
            run("ip", "link", "set", "lo", "up")
            run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
            run("ip", "link", "set", "eth1", "netns", f"/proc/self/fd/{box}", descriptors=(box,))
            for address in (f"{NEIGHBOURS[0]}/24", "fd00::1/64"):
                run("ip", "address", "add", address, "dev", "eth0", *_no_waiting(address))
            for address in (*NEIGHBOURS[1:-1], *INTERNET):
                run("ip", "address", "add", address, "dev", "lo")
            run("ip", "link", "set", "eth0", "up")
        with made.box():
            run("ip", "link", "set", "lo", "up")
            for address in (f"{BOX}/24", "fd00::2/64"):
                run("ip", "address", "add", address, "dev", "eth1", *_no_waiting(address))
            run("ip", "link", "set", "eth1", "up")
            run("ip", "route", "add", "default", "via", NEIGHBOURS[0])
            run("ip", "-6", "route", "add", "default", "via", "fd00::1")
        yield made


def reaches(uid: int, address: str, port: int) -> bool:
    """Whether a process of this user gets a TCP connection; called inside the box."""
    command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    command += ["bash", "-c", 'exec 3<>"/dev/tcp/$0/$1"', address, str(port)]
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


def sends(uid: int, address: str, port: int) -> None:
    """A datagram from a process of this user, which may or may not arrive."""
    command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    command += ["bash", "-c", 'echo x >"/dev/udp/$0/$1"', address, str(port)]
    subprocess.run(command, capture_output=True, timeout=30, check=False)


def _no_waiting(address: str) -> list[str]:
    """An IPv6 address is otherwise of no use for its first second."""
    return ["nodad"] if ":" in address else []
