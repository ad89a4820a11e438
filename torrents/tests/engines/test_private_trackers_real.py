"""Private torrents of bare magnets on a real qBittorrent: to whose trackers it announces once it knows."""

from pathlib import Path

import pytest

from accounts.models import User
from deploy.swarm import Peer, make_torrent
from torrents.metainfo import Source, build_magnet, parse_magnet, parse_torrent, with_trackers
from torrents.models import Claim, Torrent
from torrents.tests.engines.harness import write_content
from torrents.tests.engines.metadata_peer import MetadataPeer
from torrents.tests.engines.real import PEER_ADDRESS
from torrents.tests.engines.real_box import RealBox, complete
from torrents.tests.factories import add

pytestmark = [pytest.mark.engine, pytest.mark.django_db]

MINE = "http://tracker.invalid/alices-passkey/announce"
THEIRS = "http://tracker.invalid/bobs-passkey/announce"


@pytest.fixture
def content(tmp_path: Path) -> Path:
    return write_content(tmp_path / "Show", "a.mkv", "b.mkv")


@pytest.fixture
def metainfo(content: Path) -> bytes:
    return make_torrent(content, version="v1", private=True)


def naming(metainfo: bytes, tracker: str) -> Source:
    infohash = parse_torrent(metainfo).infohash_v1
    return parse_magnet(build_magnet(infohash_v1=infohash, infohash_v2=None, trackers=[tracker]))


def announced_to(box: RealBox, claim: Claim) -> set[str]:
    return set(parse_torrent(box.harness.engine.export_metainfo(box.held(claim).key)).trackers)


def test_metadata_that_shows_a_torrent_private_leaves_the_trackers_of_others(
    real_box: RealBox, alice: User, bob: User, content: Path, metainfo: bytes
) -> None:
    claim = add(alice, naming(metainfo, MINE))
    add(bob, naming(metainfo, THEIRS))
    port = real_box.qbittorrent.options.torrent_port
    with MetadataPeer(PEER_ADDRESS, port, metainfo), Peer(PEER_ADDRESS) as peer:
        real_box.until(lambda: Torrent.objects.get().private)
        real_box.until(lambda: real_box.held(claim).has_metadata)
        assert announced_to(real_box, claim) == {MINE}
        peer.seed(metainfo, content)
        peer.knock_at(port)
        real_box.until(lambda: complete(claim))
    assert announced_to(real_box, claim) == {MINE}
    assert (claim.torrent.data_dir / "Show" / "a.mkv").read_bytes() == (content / "a.mkv").read_bytes()


def test_a_private_torrent_file_after_its_magnet_needs_nobody_who_tells_its_metadata(
    real_box: RealBox, alice: User, content: Path, metainfo: bytes
) -> None:
    claim = add(alice, naming(metainfo, THEIRS))
    real_box.until(lambda: real_box.harness.engine.poll().torrents)
    real_box.harness.offer(metainfo, content)
    add(alice, parse_torrent(with_trackers(metainfo, [MINE])))
    real_box.until(lambda: complete(claim))
    assert announced_to(real_box, claim) == {MINE}
