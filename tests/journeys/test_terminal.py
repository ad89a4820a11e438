"""The app in a real terminal."""

import asyncio
import secrets
from pathlib import Path

import pytest

from deploy.box import Box
from deploy.swarm import Peer, infohashes, make_torrent
from deploy.walk import app_of, walk
from tests.journeys.conftest import random_file
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


async def test_what_a_person_sets_in_the_app_holds_and_what_became_of_it_is_told(
    box: Box, peer: Peer, tmp_path: Path
) -> None:
    name = f"person-{secrets.token_hex(4)}"
    password = await asyncio.to_thread(box.create_user, name)
    content = random_file(tmp_path, 2 * MIB)
    metainfo = make_torrent(content, version="v1")
    person = tmp_path / "person"

    async with ApiClient(box.url, store=FileSessionStore(person / "client")) as api:
        await api.log_in(name, password)
        added = await api.add_metainfo("film.torrent", metainfo)
        await asyncio.to_thread(set_and_look, person, peer, metainfo, content)
        torrent = await api.torrent(added.id)

    assert (torrent.label, torrent.download_limit, torrent.upload_limit) == ("linux", 1_500_000, None)
    assert (torrent.seed_ratio, torrent.seed_seconds, torrent.sequential) == (None, None, True)


def set_and_look(person: Path, peer: Peer, metainfo: bytes, content: Path) -> None:
    with app_of(person, show=False) as app:
        app.see(r"random-\w+")
        app.press("l", "l label")
        app.type("linux")
        app.press("Enter", "Enter save")
        app.see("#linux")
        app.press("Enter", "Enter details")
        app.press("e", "e edit limits")
        app.type("1.5 MB")
        for _ in range(4):
            app.press("Tab", "Tab next")
        app.press("Space", "Space tick")
        app.press("Enter", "Enter save")
        app.see("download 1.5 MB/s, upload none, from the first piece")
        app.press("3", "3 Swarm")
        app.see("0 seeds, 0 peers", "As of")
        peer.seed(metainfo, content)
        app.press("4", "4 History")
        app.see(r"Added +By you", "Complete")
        app.press("Escape", "esc back")
        app.press("o", "o only")
        app.see(r"Finished +1", "#linux +1")
        app.press("Escape", "Esc cancel")
        app.press("m", "m my limits")
        app.see(r"2\.1 MB of", "0 of", "Nothing waits for room")
        app.press("Escape", "Esc close")
        app.press("q", r"\bq quit")
