"""The client's calls about shows and the server's answers: one box, a pretended AniList, a real worker and peer."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.urls import URLPattern, resolve

from deploy.box import PEER_ADDRESS, Box
from deploy.swarm import Peer, make_torrent
from feeds.tests.feed_server import FeedServer, run_feed_server
from tests.journeys.conftest import random_file
from tests.journeys.followed_feeds import MIB, FollowedFeed, feed_box, seeded
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.errors import Refused
from torrent_proxy_client.watchlist import Entry
from torrent_proxy_client.watchlist_calls import WatchlistCalls
from watchlist.api.urls import urlpatterns
from watchlist.tests.anilist_server import AniListServer, anilist_server
from watchlist.tests.anilist_world import Listed

pytestmark = pytest.mark.journey
T = TypeVar("T")
METHODS = ("get", "post", "patch", "delete")


@pytest.fixture(scope="module")
def anilist() -> Iterator[AniListServer]:
    with anilist_server() as server:
        yield server


@pytest.fixture(scope="module")
def box_with_anilist(tmp_path_factory: pytest.TempPathFactory, anilist: AniListServer) -> Iterator[Box]:
    settings = {"ANILIST_URL": anilist.url, "ANILIST_CLIENT_ID": "1", "ANILIST_REQUESTS_PER_MINUTE": "30"}
    with feed_box(tmp_path_factory.mktemp("linked"), **settings) as box:
        yield box


@pytest.fixture
def server() -> Iterator[FeedServer]:
    yield from run_feed_server()


@pytest.fixture
def seed(box_with_anilist: Box) -> Iterator[Peer]:
    with Peer(PEER_ADDRESS) as peer:
        peer.knock_at(box_with_anilist.torrent_port)
        yield peer


@dataclass
class Shows:
    """That AniList knows, of one test: `title` and `other` each of one, `common` of two."""

    title: str
    other: str
    common: str
    first: int


@pytest.fixture
def shows(anilist: AniListServer) -> Shows:
    world, mark = anilist.world, secrets.token_hex(4)
    shows = Shows(f"Lighthouse {mark}", f"Harbour {mark}", f"Meadow {mark}", len(world.media) + 1)
    world.add_show(shows.first, shows.title, episodes=3, seasonYear=2026)
    world.add_show(shows.first + 1, shows.other, episodes=3)
    world.add_show(shows.first + 2, shows.common, episodes=3)
    world.add_show(shows.first + 3, shows.common, episodes=3, format="OVA")
    now = datetime.now(UTC)
    world.add_airing(shows.first, 1, now - timedelta(hours=3))
    world.add_airing(shows.first, 2, now + timedelta(days=3))
    return shows


class _Answer(dict[str, Any]):
    """One object of the server, which notes what the client looks for in vain."""

    def __init__(self, content: dict[str, Any], missed: set[str]) -> None:
        super().__init__({name: _noting(value, missed) for name, value in content.items()})
        self._missed = missed

    def get(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self._missed.add(f"{key} of {sorted(self)}")
        return super().get(key, default)


def _noting(value: Any, missed: set[str]) -> Any:
    if isinstance(value, dict):
        return _Answer(value, missed)
    return [_noting(one, missed) for one in value] if isinstance(value, list) else value


class Client:
    """The client's calls, with a note of what they asked, and of which fields they did not find."""

    def __init__(self, api: ApiClient) -> None:
        self.api = api
        self.asked: set[tuple[str, str]] = set()
        self.missed: set[str] = set()
        self.watchlist = WatchlistCalls(self._json)

    async def _json(self, method: str, path: str, **options: Any) -> Any:
        self.asked.add((method.lower(), resolve(f"/api/v1/{path}").url_name or ""))
        return _noting(await self.api._json(method, path, **options), self.missed)


@pytest.fixture
async def client(box_with_anilist: Box) -> AsyncIterator[Client]:
    name = f"person-{secrets.token_hex(4)}"
    password = await asyncio.to_thread(box_with_anilist.create_user, name)
    async with ApiClient(box_with_anilist.url) as api:
        await api.log_in(name, password)
        yield Client(api)


@pytest.fixture
async def feed(box_with_anilist: Box, client: Client, server: FeedServer) -> FollowedFeed:
    feed = FollowedFeed(box_with_anilist, client.api, server)
    await feed.follow()
    return feed


async def until(
    look: Callable[[], Awaitable[T]], holds: Callable[[T], object], *, work: FollowedFeed | None = None
) -> T:
    """What is seen once it holds. `work`: done meanwhile; without, the box gets there alone."""
    deadline = time.monotonic() + 400  # five rounds of the worker, each at most a minute, on a busy machine
    while not holds(seen := await look()):
        assert time.monotonic() < deadline, f"still {seen}"
        await (work.work() if work else asyncio.sleep(0.5))
    return seen


async def test_an_episode_of_a_linked_list_arrives_and_the_client_sees_it(
    client: Client, feed: FollowedFeed, shows: Shows, anilist: AniListServer, seed: Peer, tmp_path: Path
) -> None:
    calls = client.watchlist
    anilist.world.add_person(f"reader-{shows.first}", Listed(shows.first, progress=0))
    account = await calls.link_by_name("anilist", f"reader-{shows.first}")
    assert (account.name, account.private, account.message) == (f"reader-{shows.first}", False, "")
    (entry,) = await until(calls.all, bool)
    assert (entry.show.title, entry.show.year, entry.origin, entry.state, entry.list_status) == (
        *(shows.title, 2026, "list", "followed", "CURRENT"),
    )
    await until(lambda: calls.entry(entry.id), lambda entry: entry.summary.aired == 1)

    feed.release(f"[Group] {shows.title} - 01 [1080p].mkv", seeded(seed, tmp_path))
    first, *others = await until(
        lambda: calls.episodes(entry.id), lambda episodes: episodes[0].state == "have"
    )
    assert (first.number, first.group, first.version) == (1, "Group", 1)
    assert [episode.state for episode in others] == ["not_aired", "not_aired"]

    (torrent,) = [torrent async for torrent in client.api.torrents()]
    assert (torrent.id, torrent.origin, torrent.state) == (first.claim, "watchlist", "finished")
    (candidate,) = await calls.candidates(entry.id)
    assert (candidate.id, candidate.state, candidate.numbers) == (first.candidate, "have", (1,))
    summary = (await calls.entry(entry.id)).summary
    assert (summary.have, summary.missing, summary.next_episode) == (1, 0, 2)
    now = datetime.now(UTC)
    airings = await calls.calendar(now - timedelta(days=1), now + timedelta(days=7))
    assert [(one.entry, one.title, one.number, one.state) for one in airings] == [
        (entry.id, shows.title, 1, "have"),
        (entry.id, shows.title, 2, "not_aired"),
    ]
    (decision,) = (await calls.decisions(entry=entry.id)).items
    assert (decision.outcome, decision.show, decision.feed) == ("taken", shows.title, "My feed")
    (known,) = [provider for provider in await calls.providers() if provider.name == "anilist"]
    assert known.data_at
    assert not known.message
    assert client.missed == set()


async def test_every_call_of_the_client_is_one_of_the_server_and_finds_its_fields(
    client: Client, feed: FollowedFeed, shows: Shows, anilist: AniListServer, seed: Peer, tmp_path: Path
) -> None:
    await link_and_unlink(client.watchlist, shows, anilist)
    entry = await follow_and_wish(client.watchlist, shows)
    await take_another_release(client.watchlist, feed, shows, entry, seed, tmp_path)
    await answer_a_question(client.watchlist, feed, shows, tmp_path)
    assert client.missed == set()
    assert client.asked == {
        (method, pattern.name) for pattern in urlpatterns for method in METHODS if answers(pattern, method)
    }


def answers(pattern: URLPattern, method: str) -> bool:
    return hasattr(pattern.callback.view_class, method)  # type: ignore[attr-defined]  # of Django's as_view


async def link_and_unlink(calls: WatchlistCalls, shows: Shows, anilist: AniListServer) -> None:
    name, code = f"hidden-{shows.first}", f"a-code.of.{shows.first}"
    anilist.world.add_person(name, Listed(shows.first), private=True, token=code)
    assert [(one.name, one.by_name, one.by_code) for one in await calls.providers() if one.by_name] == [
        ("anilist", True, True)
    ]
    with pytest.raises(Refused, match="private") as refused:
        await calls.link_by_name("anilist", name)
    assert refused.value.attr == "name"
    with pytest.raises(Refused, match="does not accept") as refused:
        await calls.link_by_token("anilist", "some.other.code")
    assert refused.value.attr == "token"
    linked = await calls.link_by_token("anilist", code)
    assert (linked.name, linked.private, await calls.accounts()) == (name, True, (linked,))
    changed = await calls.change_account("anilist", statuses=["PLANNING"], include_adult=True)
    assert (changed.statuses, changed.include_adult) == (("PLANNING",), True)
    assert isinstance(await calls.sync("anilist"), bool)
    await calls.unlink("anilist", keep=False)
    assert await calls.accounts() == ()


async def follow_and_wish(calls: WatchlistCalls, shows: Shows) -> Entry:
    found = await calls.search(shows.title)
    assert ([show.title for show in found.shows], found.message) == ([shows.title], "")
    entry = await calls.follow(found.shows[0].id)
    assert (entry.origin, entry.wishes.groups, entry.effective.batches) == ("search", None, "none")
    preferences = await calls.change_preferences({"groups": ["Group"], "batches": "any"})
    assert (preferences, preferences.effective.groups) == (await calls.preferences(), ("Group",))
    changed = await calls.change(entry.id, {"state": "paused", "wishes": {"resolutions": ["1080p"]}})
    assert (changed.state, changed.wishes.resolutions, changed.effective.batches) == (
        *("paused", ("1080p",), "any"),
    )
    with pytest.raises(Refused) as refused:
        await calls.change(entry.id, {"wishes": {"stalled_hours": -1}})
    assert refused.value.attr == "wishes.stalled_hours"
    alias = await calls.add_alias(entry.id, "Lamp", season=2)
    assert (await calls.entry(entry.id)).aliases == (alias,)
    await calls.remove_alias(entry.id, alias.id)
    await calls.remove(entry.id)
    assert (await calls.all(), (await calls.entry(entry.id)).state) == ((), "removed")
    assert (await calls.restore(entry.id)).state == "paused"
    assert (await calls.change(entry.id, {"state": "followed"})).aliases == ()
    by_hand = await calls.follow_by_hand(f"My own {shows.first}", titles=["Mine"], episodes=2)
    assert (by_hand.origin, by_hand.show.provider, by_hand.show.synonyms) == ("hand", "manual", ("Mine",))
    return entry


async def take_another_release(
    calls: WatchlistCalls, feed: FollowedFeed, shows: Shows, entry: Entry, seed: Peer, folder: Path
) -> None:
    feed.release(f"[Slow] {shows.title} - 02 [1080p].mkv", make_torrent(random_file(folder, MIB)))
    await until(lambda: calls.candidates(entry.id), bool, work=feed)
    feed.release(f"[Other] {shows.title} - 02 [720p].mkv", seeded(seed, folder))
    feed.release(f"[Other] {shows.title} - 02 [1080p].mkv", seeded(seed, folder))
    found = await until(lambda: calls.candidates(entry.id), lambda all_of_it: len(all_of_it) == 2, work=feed)
    assert {(one.group, one.state) for one in found} == {("Slow", "taken"), ("Other", "found")}
    (other,) = [one for one in found if one.group == "Other"]
    assert (await calls.take(entry.id, other.id)).state == "taken"
    episodes = await until(
        lambda: calls.episodes(entry.id),
        lambda episodes: any(one.state == "have" for one in episodes),
        work=feed,
    )
    assert {one.number: one.candidate for one in episodes if one.state == "have"} == {2: other.id}
    refused = (await calls.decisions(search="720p", outcome="nearly")).items
    assert [[str(reason.what) for reason in one.reasons] for one in refused] == [["resolutions"]]


async def answer_a_question(calls: WatchlistCalls, feed: FollowedFeed, shows: Shows, folder: Path) -> None:
    common, _like_it = (await calls.search(shows.common)).shows
    entry = await calls.follow(common.id)
    name = f"[Group] {shows.common} - 01 [1080p].mkv"
    (tried,) = await calls.preview([name])
    assert (tried.outcome, tried.show, len(tried.shows)) == ("unsure", None, 2)
    feed.release(name, make_torrent(random_file(folder, MIB)))
    (question,) = await until(calls.questions, bool, work=feed)
    assert (question.title, question.feed, len(question.shows)) == (name, "My feed", 2)
    await calls.answer(question.id, common.id)
    assert await calls.questions() == ()
    (tried,) = await calls.preview([name])
    assert tried.show is not None
    assert (tried.outcome, tried.show.id, tried.followed, tried.episodes) == ("found", common.id, True, (1,))
    (candidate,) = await until(lambda: calls.candidates(entry.id), bool, work=feed)
    assert candidate.title == name
    now = datetime.now(UTC)
    await calls.calendar(now, now + timedelta(days=31))
