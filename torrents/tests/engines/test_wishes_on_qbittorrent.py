"""People's wishes for one torrent, granted by a real qBittorrent: what is on the disk, and whose claim is complete."""

from pathlib import Path

import pytest

from accounts.models import User
from deploy.swarm import make_torrent
from torrents import services
from torrents.claim_wishes import change_wishes
from torrents.metainfo import Source, parse_torrent
from torrents.models import Claim, Torrent
from torrents.states import state_of
from torrents.tests.engines.harness import write_content
from torrents.tests.engines.real_box import RealBox, complete
from torrents.tests.factories import State, add, magnet
from torrents.tests.reconciler_box import seen

pytestmark = [pytest.mark.engine, pytest.mark.django_db]


@pytest.fixture
def content(tmp_path: Path) -> Path:
    return write_content(tmp_path / "Show", "a.mkv", "b.mkv", "c.mkv", size=400_000)


@pytest.fixture(params=["v1", "hybrid"])
def source(request: pytest.FixtureRequest, content: Path) -> Source:
    return parse_torrent(make_torrent(content, version=request.param))


def choose(claim: Claim, *names: str) -> None:
    """By name: the order of a torrent's files is not ours to choose."""
    torrent = Torrent.objects.get(pk=claim.torrent_id)
    paths = list(torrent.files.order_by("index").values_list("path", flat=True))
    if not paths:
        paths = [path for path, _ in parse_torrent(bytes(torrent.metainfo or b"")).files or ()]
    indexes = [index for index, path in enumerate(paths) if Path(path).stem in names]
    change_wishes(claim=claim, wishes={"files": indexes or None})


def on_disk(claim: Claim) -> set[str]:
    return {path.name for path in claim.torrent.data_dir.rglob("*.mkv")}


def test_a_magnet_downloads_nothing_before_its_files_are_chosen(
    real_box: RealBox, alice: User, content: Path, source: Source
) -> None:
    assert source.metainfo is not None
    real_box.harness.offer(source.metainfo, content)
    claim = add(alice, magnet(v1=source.infohash_v1), paused=True)
    real_box.until(lambda: claim.torrent.files.count() == 3)
    assert real_box.held(claim).downloaded == 0

    choose(claim, "b")
    services.resume_torrent(claim=claim)
    real_box.until(lambda: complete(claim))

    assert on_disk(claim) == {"b.mkv"}
    downloaded = claim.torrent.data_dir / "Show" / "b.mkv"
    assert downloaded.read_bytes() == (content / "b.mkv").read_bytes()


def test_three_people_get_the_files_that_each_of_them_chose(
    real_box: RealBox, alice: User, bob: User, charlie: User, content: Path, source: Source
) -> None:
    assert source.metainfo is not None
    mine, theirs, third = (add(user, source) for user in (alice, bob, charlie))
    choose(mine, "a")
    choose(theirs, "c")
    services.pause_torrent(claim=third)
    real_box.harness.offer(source.metainfo, content)
    real_box.until(lambda: complete(mine) and complete(theirs))
    assert on_disk(mine) == {"a.mkv", "c.mkv"}
    assert not complete(third)
    assert Torrent.objects.get().completed_at is None

    services.resume_torrent(claim=third)
    real_box.harness.offer(source.metainfo, content)
    assert state_of(seen(third)) == State.WAITING
    real_box.until(lambda: complete(third))

    assert on_disk(mine) == {"a.mkv", "b.mkv", "c.mkv"}
    assert complete(mine)
    assert complete(theirs)
    for path in content.iterdir():
        assert (claim_file(third, path.name)).read_bytes() == path.read_bytes()


def claim_file(claim: Claim, name: str) -> Path:
    return claim.torrent.data_dir / "Show" / name


def test_choosing_more_is_never_complete_before_it_is_there(
    real_box: RealBox, alice: User, content: Path, source: Source
) -> None:
    assert source.metainfo is not None
    real_box.harness.offer(source.metainfo, content)
    claim = add(alice, source)
    choose(claim, "a")
    real_box.until(lambda: complete(claim))

    choose(claim, "a", "c")
    assert not complete(claim)
    # Somebody else: a seed does not call again on who had all that they wanted.
    real_box.harness.offer(source.metainfo, content)
    real_box.until(lambda: complete(claim))

    assert claim_file(claim, "c.mkv").read_bytes() == (content / "c.mkv").read_bytes()
    choose(claim)
    assert not complete(claim)
    real_box.harness.offer(source.metainfo, content)
    real_box.until(lambda: complete(claim))
    assert on_disk(claim) == {"a.mkv", "b.mkv", "c.mkv"}


def test_an_engine_that_was_killed_gets_the_wishes_again(
    real_box: RealBox, alice: User, bob: User, content: Path, source: Source
) -> None:
    mine, theirs = add(alice, source), add(bob, source)
    for claim in (mine, theirs):
        choose(claim, "b")
        change_wishes(
            claim=claim, wishes={"download_limit": 5_000_000, "upload_limit": 2048, "sequential": True}
        )

    def granted() -> bool:
        held = real_box.held(mine)
        files = real_box.harness.engine.files(held.key)
        return (held.download_limit, held.upload_limit, held.sequential) == (5_000_000, 2048, True) and [
            file.path for file in files if file.wanted
        ] == ["Show/b.mkv"]

    real_box.until(lambda: real_box.harness.engine.poll().torrents)
    real_box.until(granted)
    real_box.qbittorrent.kill()
    real_box.qbittorrent.start()
    real_box.until(granted)
