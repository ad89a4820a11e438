"""The main job on real parts, without a terminal: `bash deploy/quickstart.sh --check`.

A private copy of the box, a real qBittorrent, and one real BitTorrent peer on loopback that seeds a file made just
now. The client's own code does what a person would do. Prints a table of steps; exit code 0 only if all held.
"""

import argparse
import asyncio
import hashlib
import secrets
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from deploy import sftp_fetch
from deploy.box import PEER_ADDRESS, Box, CheckFailed
from deploy.relay import Relay
from deploy.swarm import Peer, magnet_for, make_torrent
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.download import Download
from torrent_proxy_client.errors import ClientError, Refused
from torrent_proxy_client.models import Torrent

SIZE = 64 * 2**20
DOWNLOAD_SECONDS = 120.0


@dataclass
class Steps:
    """What was done, how long it took, and whether it held."""

    rows: list[tuple[str, float, str]] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        print(f"… {name}", flush=True)
        started = time.monotonic()
        outcome = "FAILED"
        try:
            yield
            outcome = "ok"
        finally:
            self.rows.append((name, time.monotonic() - started, outcome))

    def table(self) -> str:
        width = max(len(name) for name, _, _ in self.rows)
        lines = [f"{name:<{width}}  {seconds:7.1f} s  {outcome}" for name, seconds, outcome in self.rows]
        total = sum(seconds for _, seconds, _ in self.rows)
        return "\n".join([*lines, f"{'in all':<{width}}  {total:7.1f} s"])


async def prove(box: Box, steps: Steps) -> None:
    """Everything a person does, from logging in to a verified file on their own disk."""
    with steps.step("create two accounts"):
        passwords = {name: await asyncio.to_thread(box.create_user, name) for name in ("first", "second")}

    with steps.step(f"make and seed a random file of {SIZE // 2**20} MiB"):
        content = box.directory / "peer" / f"random {secrets.token_hex(4)}.bin"
        digest = await asyncio.to_thread(write_random_file, content)
        metainfo = await asyncio.to_thread(lambda: make_torrent(content, version="hybrid"))

    with Peer(PEER_ADDRESS) as peer:
        peer.seed(metainfo, content)
        peer.knock_at(box.torrent_port)
        async with ApiClient(box.url) as first, ApiClient(box.url) as second:
            with steps.step("log in"):
                await first.log_in("first", passwords["first"])
                await second.log_in("second", passwords["second"])
            with steps.step("add the magnet link"):
                added = await first.add_source(magnet_for(metainfo, v1=True, v2=False))
            with steps.step("download on the box"):
                torrent = await finished(first, added.id)
            fetched = box.directory / "fetched"
            with steps.step("fetch by HTTP, cut in the middle"):
                await fetch_until_cut(box, passwords["first"], torrent, fetched)
            with steps.step("resume by HTTP to the end"):
                path = await fetch_rest(box, passwords["first"], torrent, fetched)
            with steps.step("compare SHA-256"):
                if (seen := await asyncio.to_thread(sha256_of, path)) != digest:
                    raise CheckFailed(f"the fetched file is another one: {seen} instead of {digest}")
            with steps.step("fetch by SFTP, compare SHA-256"):
                path_there = (await first.links(torrent.id)).sftp_path
                seen = await fetch_by_sftp(first, path_there, box.directory / "by-sftp")
                if seen != digest:
                    raise CheckFailed(f"SFTP gave another file: {seen} instead of {digest}")
            with steps.step("a second person sees and fetches none of it"):
                await sees_nothing(second, torrent)
                await sees_nothing_by_sftp(second, path_there, box.directory / "stolen")
            with steps.step("remove it"):
                await first.delete(torrent.id)
                await refused(lambda: first.torrent(torrent.id), "the removed torrent")


async def finished(api: ApiClient, torrent_id: str) -> Torrent:
    deadline = time.monotonic() + DOWNLOAD_SECONDS
    shown = ""
    while time.monotonic() < deadline:
        torrent = await api.torrent(torrent_id)
        if (line := f"  {torrent.state} {torrent.progress:.0%}") != shown:
            print(shown := line, flush=True)
        if torrent.state == "finished":
            return torrent
        await asyncio.sleep(0.5)
    raise CheckFailed(f"not finished after {DOWNLOAD_SECONDS:.0f} s: {torrent.state}, {torrent.message}")


async def fetch_until_cut(box: Box, password: str, torrent: Torrent, directory: Path) -> None:
    """The network goes away for good when half of the file has passed."""
    async with (
        Relay(box.web_port, at=box.relay_port, cut_after=SIZE // 2) as relay,
        ApiClient(relay.url) as api,
    ):
        await api.log_in("first", password)
        try:
            await Download(api, torrent, directory, patience=1).run()
        except ClientError:
            return
    raise CheckFailed("the download went on although the network was gone")


async def fetch_rest(box: Box, password: str, torrent: Torrent, directory: Path) -> Path:
    """A new client, as after a restart, goes on where the first one was cut. Returns where the file is."""
    async with Relay(box.web_port, at=box.relay_port) as relay, ApiClient(relay.url) as api:
        await api.log_in("first", password)
        (fetched,) = await Download(api, torrent, directory).run()
        if relay.sent > SIZE * 3 // 4:
            raise CheckFailed(f"it did not resume: {relay.sent} bytes were sent for the second half")
    if not fetched.verified:
        raise CheckFailed("the server knew no SHA-256 to verify the file with")
    return fetched.path


async def sees_nothing(stranger: ApiClient, torrent: Torrent) -> None:
    if listed := [other.name async for other in stranger.torrents()]:
        raise CheckFailed(f"the second person sees {listed}")
    await refused(lambda: stranger.torrent(torrent.id), "the torrent")
    await refused(lambda: stranger.files(torrent.id), "its files")
    await refused(lambda: stranger.delete(torrent.id), "removing it")

    async def fetch() -> None:
        async with stranger.content(torrent.id, 0) as stream:
            async for _ in stream.chunks():
                raise CheckFailed("the second person received bytes of the file")

    await refused(fetch, "its content")


async def fetch_by_sftp(api: ApiClient, path: str, target: Path) -> str:
    """As people's own SFTP programs do, with a transfer password; gives the file's SHA-256."""
    credentials = await api.transfer_credentials()
    if credentials.sftp is None:
        raise CheckFailed("the server offers no SFTP")
    return await sftp_fetch.fetch_by_sftp(
        host=credentials.sftp.host,
        port=credentials.sftp.port,
        host_key_fingerprint=credentials.sftp.host_key_fingerprint,
        username=credentials.username,
        secret=credentials.secret,
        name=path.removeprefix("/"),
        target=target,
    )


async def sees_nothing_by_sftp(stranger: ApiClient, path: str, target: Path) -> None:
    try:
        await fetch_by_sftp(stranger, path, target)
    except asyncssh.SFTPNoSuchFile:
        return
    raise CheckFailed("the second person fetched it by SFTP")


async def refused(ask: Callable[[], Awaitable[object]], what: str) -> None:
    try:
        await ask()
    except Refused as error:
        if error.status == 404:
            return
        raise CheckFailed(f"{what} answers {error.status} where there should be nothing") from error
    raise CheckFailed(f"{what} is there")


def write_random_file(path: Path) -> str:
    """Returns its SHA-256."""
    path.parent.mkdir(parents=True)
    digest = hashlib.sha256()
    with path.open("wb") as stream:
        for _ in range(SIZE // 2**20):
            block = secrets.token_bytes(2**20)
            digest.update(block)
            stream.write(block)
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def stop_on_sigterm(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy.check", description=__doc__)
    parser.add_argument(
        "--state-dir", type=Path, required=True, help="where to keep the private copy meanwhile"
    )
    parser.add_argument("--before", action="append", default=[], metavar="STEP=SECONDS", help="done already")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, stop_on_sigterm)
    signal.signal(signal.SIGHUP, stop_on_sigterm)
    steps = Steps()
    for done in arguments.before:
        name, _, seconds = done.rpartition("=")
        steps.rows.append((name, float(seconds), "ok"))
    arguments.state_dir.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="check-", dir=arguments.state_dir))
    box = Box(directory)
    held = False
    try:
        try:
            with steps.step("start every part of the box"):
                box.start()
            asyncio.run(prove(box, steps))
            held = True
        finally:
            with steps.step("stop everything; nothing is left running"):
                box.stop()
    except KeyboardInterrupt:
        held = False
        print("Interrupted.", file=sys.stderr)
    except (CheckFailed, ClientError) as error:
        held = False
        print(f"\nDid not hold: {error}", file=sys.stderr)
    except Exception:
        held = False
        traceback.print_exc()
    finally:
        if not held and box.log.exists():
            print(f"\nThe box's last lines:\n{box.tail()}", file=sys.stderr)
        shutil.rmtree(directory, ignore_errors=True)
    print("\n" + steps.table())
    print("All of it held." if held else "It did NOT hold.")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
