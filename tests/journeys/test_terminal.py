"""The app in a real terminal."""

import asyncio
import secrets
from pathlib import Path

import pytest

from deploy.box import Box
from deploy.swarm import Peer, infohashes, make_torrent
from deploy.walk import app_of, walk
from tests.journeys.test_journeys import engine_of
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.errors import Refused
from torrent_proxy_client.session import FileSessionStore
from torrents.engines.base import EngineFile

pytestmark = pytest.mark.journey
MIB = 2**20


def test_a_newcomer_gets_through_the_app_by_the_keys_that_stand_on_the_screen(
    box: Box, tmp_path: Path
) -> None:
    walk(box, tmp_path / "person", show=False)


def files_in_engine(box: Box, infohash: str | None) -> dict[str, EngineFile]:
    engine = engine_of(box)
    try:
        (key,) = [key for key, seen in engine.poll().torrents.items() if seen.infohash_v1 == infohash]
        return {Path(file.path).name: file for file in engine.files(key)}
    finally:
        engine.close()


async def test_of_a_torrent_of_two_files_only_the_one_chosen_in_the_app_arrives_and_is_handed_over(
    box: Box, peer: Peer, tmp_path: Path
) -> None:
    name = f"person-{secrets.token_hex(4)}"
    password = await asyncio.to_thread(box.create_user, name)
    season = tmp_path / "season"
    season.mkdir()
    # Whole pieces, so that neither file brings a part of the other.
    content = {"one.bin": secrets.token_bytes(2 * MIB), "two.bin": secrets.token_bytes(3 * MIB)}
    for file, data in content.items():
        (season / file).write_bytes(data)
    metainfo = make_torrent(season, version="v1", piece_size=64 * 1024)
    torrent_file = tmp_path / "season.torrent"
    torrent_file.write_bytes(metainfo)
    person = tmp_path / "person"

    async with ApiClient(box.url, store=FileSessionStore(person / "client")) as api:
        await api.log_in(name, password)
        await asyncio.to_thread(choose_one_and_fetch, person, torrent_file, peer, metainfo, season)

        (torrent,) = [torrent async for torrent in api.torrents()]
        files = {Path(file.path).name: file for file in await api.files(torrent.id)}
        with pytest.raises(Refused):
            async with api.content(torrent.id, files["two.bin"].index):
                pass

    fetched = {path.name: path.read_bytes() for path in (person / "fetched").rglob("*") if path.is_file()}
    assert fetched == {"one.bin": content["one.bin"]}
    assert torrent.size == 2 * MIB
    engine_files = await asyncio.to_thread(files_in_engine, box, infohashes(metainfo)[0])
    assert (engine_files["one.bin"].wanted, engine_files["one.bin"].progress) == (True, 1.0)
    assert (engine_files["two.bin"].wanted, engine_files["two.bin"].progress) == (False, 0.0)


def choose_one_and_fetch(person: Path, torrent_file: Path, peer: Peer, metainfo: bytes, season: Path) -> None:
    with app_of(person, show=False) as app:
        app.press("a", r"Press a to add")
        app.type(str(torrent_file))
        app.see("This is a ")
        app.press("Enter", "Enter add")
        app.see("season")
        app.press("Enter", "Enter details")
        app.press("2", "2 Files")
        app.see(r"2 of 2 files chosen", r"\[x\] one\.bin", r"\[x\] two\.bin")
        app.press("Down", r"season/")
        app.press("Down", r"one\.bin")
        app.press("Space", "space choose")
        app.see(r"\[x\] one\.bin", r"\[ \] two\.bin", "Not saved yet")
        app.press("s", "s save")
        app.see("Saved: 1 of 2 files chosen")
        peer.seed(metainfo, season)  # only now is there somebody to download from
        app.see("Finished", r"\[x\] one\.bin +2\.1 MB +100 %")
        app.press("Escape", "esc back")
        app.press("f", r"\bf fetch")
        app.see("✓ season")
        app.press("q", r"\bq quit")
