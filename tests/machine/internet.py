"""All that a machine of a drill can reach: a network of the test's own, as the internet looks from a cloud.

Nothing leaves it but what apt fetches, which is relayed to the mirrors that this computer's apt uses. Nothing of this
computer's own network is changed.
"""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import cast

from proxy_site.tests.namespaces import inside, new_namespace, run

ROUTER, BOX = "10.0.0.1", "10.0.0.2"
ROUTER_V6, BOX_V6 = "fd00::1", "fd00::2"
RESOLVER = "169.254.169.254"  # which is the metadata service too, as at Oracle
SOMEBODY, SOMEBODY_V6 = "9.9.9.9", "2620:fe::fe"  # public addresses: people and peers
PRIVATE = "192.168.7.1"  # another machine of a private network
DOMAIN = "example.org"  # every name in it is the machine's
INTERFACE = "ens3"
BLOCK = 256 * 1024


class Internet:
    """Use as a context manager. `mirrors` are hosts and ports that the machine may fetch from."""

    def __init__(self, mirrors: set[tuple[str, int]]) -> None:
        self._stack = contextlib.ExitStack()
        self._mirrors = sorted(mirrors)
        self.metadata_requests = 0

    def __enter__(self) -> "Internet":
        with contextlib.ExitStack() as stack:
            self._namespace = new_namespace()
            stack.callback(os.close, self._namespace)
            hosts = sorted({host for host, _ in self._mirrors})
            self._addresses = {host: f"151.101.0.{number}" for number, host in enumerate(hosts, start=1)}
            with self.inside():
                run("ip", "link", "set", "lo", "up")
                for address in (RESOLVER, SOMEBODY, SOMEBODY_V6, PRIVATE, *self._addresses.values()):
                    run("ip", "address", "add", address, "dev", "lo", *(["nodad"] if ":" in address else []))
                resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                resolver.bind((RESOLVER, 53))
                metadata = socket.create_server((RESOLVER, 80))
                relays = {
                    mirror: socket.create_server((self._addresses[mirror[0]], mirror[1]))
                    for mirror in self._mirrors
                }
            started = threading.Event()
            # In this computer's own network: there it connects to the mirrors.
            thread = threading.Thread(
                target=asyncio.run, args=[self._serve(resolver, metadata, relays, started)]
            )
            thread.start()
            started.wait()
            stack.callback(thread.join)
            stack.callback(self._leave)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def inside(self) -> contextlib.AbstractContextManager[None]:
        """What the calling thread opens and starts meanwhile is somewhere on this internet."""
        return inside(self._namespace)

    @contextlib.contextmanager
    def cable(self, machine: int) -> Iterator[None]:
        """Connects the machine whose process 1 this is; it sees a new interface."""
        with self.inside():
            run("ip", "link", "add", "out", "type", "veth", "peer", "name", INTERFACE, "netns", str(machine))
            run("ip", "address", "add", f"{ROUTER}/24", "dev", "out")
            run("ip", "address", "add", f"{ROUTER_V6}/64", "dev", "out", "nodad")
            run("ip", "link", "set", "out", "up")
        try:
            yield
        finally:
            with self.inside(), contextlib.suppress(RuntimeError):  # it goes with the machine, in a moment
                run("ip", "link", "delete", "out")

    async def _serve(
        self,
        resolver: socket.socket,
        metadata: socket.socket,
        relays: dict[tuple[str, int], socket.socket],
        started: threading.Event,
    ) -> None:
        loop = asyncio.get_running_loop()
        leave = asyncio.Event()
        self._leave = lambda: loop.call_soon_threadsafe(leave.set)
        names, _ = await loop.create_datagram_endpoint(lambda: _Resolver(self._addresses), sock=resolver)
        servers = [await asyncio.start_server(self._tell_metadata, sock=metadata)]
        for (host, port), listener in relays.items():
            servers.append(await asyncio.start_server(_relay_to(host, port), sock=listener))
        started.set()
        await leave.wait()
        names.close()
        for server in servers:
            server.close()

    async def _tell_metadata(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.metadata_requests += 1
        await reader.read(BLOCK)
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\ninstance\n")
        await writer.drain()
        writer.close()


class _Resolver(asyncio.DatagramProtocol):
    """Knows the mirrors and the machine's own names; answers for everything else that there is no such name."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self._addresses = addresses

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        labels, position = [], 12
        while data[position]:
            labels.append(data[position + 1 : position + 1 + data[position]].decode())
            position += 1 + data[position]
        question = data[12 : position + 5]
        wanted = int.from_bytes(question[-4:-2])
        name = ".".join(labels).lower()
        found = BOX if name == DOMAIN or name.endswith(f".{DOMAIN}") else self._addresses.get(name)
        answer = b""
        if found and wanted == 1:  # A
            answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + socket.inet_aton(found)
        flags = b"\x81\x80" if found else b"\x81\x83"  # no such name
        counts = b"\x00\x01" + (b"\x00\x01" if answer else b"\x00\x00") + b"\x00\x00\x00\x00"
        self._transport.sendto(data[:2] + flags + counts + question + answer, address)


def _relay_to(
    host: str, port: int
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there = await asyncio.open_connection(host, port)
        except OSError:
            writer.transport.abort()
            return
        ways = {asyncio.create_task(_copy(reader, there)), asyncio.create_task(_copy(there_reader, writer))}
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            there.transport.abort()
            writer.close()

    return relay


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while block := await source.read(BLOCK):
            target.write(block)
            await target.drain()
