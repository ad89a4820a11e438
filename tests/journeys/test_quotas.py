"""What does not fit waits with words, and downloads by itself when there is room: on a real qBittorrent."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.box import PROJECT, Box
from deploy.swarm import Peer, infohashes, magnet_for, make_torrent
from tests.journeys.conftest import NewPerson, random_file, until, until_finished
from tests.journeys.test_journeys import engine_of
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.download import Download
from torrents.engines.base import EngineState, EngineTorrent

pytestmark = pytest.mark.journey
MIB = 2**20


def set_quota(box: Box, username: str, size: int) -> None:
    """What an admin does in the form, without the form."""
    code = f"from accounts.models import User; User.objects.filter(username={username!r}).update(disk_quota={size})"
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", code], cwd=PROJECT, env=box.environment, check=True
    )


def in_engine(box: Box, infohash: str | None) -> EngineTorrent:
    engine = engine_of(box)
    try:
        (found,) = [seen for seen in engine.poll().torrents.values() if seen.infohash_v1 == infohash]
        return found
    finally:
        engine.close()


async def test_a_torrent_over_the_quota_waits_with_words_and_downloads_once_the_quota_is_raised(
    box: Box, new_person: NewPerson, slow_peer: Peer, tmp_path: Path
) -> None:
    # Both at once: it may take half a minute until a quota that was raised is seen.
    people = [(form, await new_person()) for form in ("file", "magnet")]
    await asyncio.gather(
        *(_waits_and_then_downloads(form, box, person, slow_peer, tmp_path) for form, person in people)
    )


async def _waits_and_then_downloads(
    form: str, box: Box, person: ApiClient, slow_peer: Peer, folder: Path
) -> None:
    content = random_file(folder, 12 * MIB)
    metainfo = make_torrent(content, version="v1")
    slow_peer.seed(metainfo, content)
    name = (await person.me()).username
    await asyncio.to_thread(set_quota, box, name, 8 * MIB)

    if form == "file":
        added = await person.add_metainfo("large.torrent", metainfo)
        assert added.state == "waiting"
    else:
        added = await person.add_source(magnet_for(metainfo))
    waiting = await until(person, added.id, lambda torrent: "never fit" in torrent.message)
    assert waiting.state == "waiting"
    assert waiting.message == (
        "This can never fit: it needs 12 MiB, and all your torrents together may take 8 MiB. "
        "Choose fewer of its files, or ask your admin for more space."
    )
    await asyncio.sleep(3)  # the engine has had its turn
    held = await asyncio.to_thread(in_engine, box, infohashes(metainfo)[0])
    assert held.state == EngineState.STOPPED
    if form == "file":
        assert held.downloaded == 0

    await asyncio.to_thread(set_quota, box, name, 16 * MIB)
    torrent = await until_finished(person, added.id)
    assert torrent.message == ""
    (fetched,) = await Download(person, torrent, folder / f"fetched-{form}").run()
    assert fetched.path.read_bytes() == content.read_bytes()
