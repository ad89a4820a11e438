"""Everybody does everything at once to the same few torrents, on the real database: what holds afterwards."""

import random
import threading
import time
import uuid
from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import User
from torrents import engine_records, services
from torrents.engines.base import EngineFile
from torrents.metainfo import Source, parse_torrent
from torrents.models import Claim, ClaimAlias, LiveState, Removal, Torrent
from torrents.services import TorrentRefused, changes_since
from torrents.tests.factories import State, at_once, live, magnet, person, v1_torrent
from torrents.tests.metainfo_samples import real_torrent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("downloads", "counted_once")]

GRACE = 0.05  # seconds: some take it back in time, others do not
STEPS = 40  # of each person

# Transactions that are undone leave no trace here, so a number that comes twice was handed out twice.
COUNT_ONCE = """
CREATE TABLE counted_once (user_id bigint, value bigint, PRIMARY KEY (user_id, value));
CREATE FUNCTION count_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO counted_once VALUES (NEW.user_id, NEW.value);
    RETURN NEW;
END $$;
CREATE TRIGGER count_once AFTER UPDATE ON torrents_changecounter
    FOR EACH ROW WHEN (NEW.value IS DISTINCT FROM OLD.value) EXECUTE FUNCTION count_once();
"""
COUNT_NO_MORE = """
DROP TRIGGER count_once ON torrents_changecounter; DROP FUNCTION count_once; DROP TABLE counted_once;
"""


@pytest.fixture
def counted_once(transactional_db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(COUNT_ONCE)
    yield
    with connection.cursor() as cursor:
        cursor.execute(COUNT_NO_MORE)


@pytest.fixture(scope="module")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> list[Source]:
    """A v1 torrent, a hybrid and a private hybrid."""
    folders = [tmp_path_factory.mktemp(name) for name in ("v1", "hybrid", "private")]
    torrents = [
        v1_torrent(folders[0]),
        real_torrent(folders[1], 0),
        real_torrent(folders[2], 0, private=True),
    ]
    return [parse_torrent(metainfo) for metainfo in torrents]


def ways(source: Source) -> list[Source]:
    v1, v2 = source.infohash_v1, source.infohash_v2
    return (
        [source, magnet(v1=v1)]
        if v2 is None
        else [source, magnet(v1=v1), magnet(v2=v2), magnet(v1=v1, v2=v2)]
    )


def source_of(torrent: Torrent, swarm: list[Source]) -> Source:
    hashes = {torrent.infohash_v1, torrent.infohash_v2} - {None}
    return next(source for source in swarm if hashes & {source.infohash_v1, source.infohash_v2})


class Person:
    """Does as they like, remembers what they must hold by now, and follows the changes as a client does."""

    def __init__(self, user: User, swarm: list[Source], seed: str) -> None:
        self.user = user
        self.held: set[uuid.UUID] = set()  # of public torrents: nobody else can end these
        self.shown: set[uuid.UUID] = set()
        self._change = 0
        self._swarm = swarm
        self._random = random.Random(seed)

    def live(self) -> None:
        for _ in range(STEPS):
            try:
                self._random.choice((self.add, self.add, self.remove, self.restore, self.pause))()
            except (TorrentRefused, Claim.DoesNotExist):
                continue
            finally:
                self.look()

    def add(self) -> None:
        source = self._random.choice(self._swarm)
        wanted = self._random.choice(Claim.Wanted.values)
        claim, _ = services.add_torrent(
            user=self.user, source=self._random.choice(ways(source)), wanted=wanted
        )
        if not source.private:
            self.held.add(claim.pk)

    def remove(self) -> None:
        claim = self._one_of(Claim.objects.of(self.user).in_bulk())
        services.remove_torrent(claim=claim)
        self.held -= {claim.pk, *ClaimAlias.objects.filter(claim=claim).values_list("pk", flat=True)}

    def restore(self) -> None:
        claim = self._one_of(Claim.with_removed.of(self.user).exclude(removed_at=None).in_bulk())
        torrent = services.restore_torrent(claim=claim).torrent
        if not source_of(torrent, self._swarm).private:
            self.held.add(claim.pk)

    def pause(self) -> None:
        services.pause_torrent(claim=self._one_of(Claim.objects.of(self.user).in_bulk()))

    def look(self) -> None:
        """What a client makes of one poll."""
        news = changes_since(user=self.user, change=self._change, limit=3)
        assert news.change >= self._change
        assert not news.reset
        self.shown -= set(news.removed)
        self.shown |= {claim.pk for claim in news.claims}
        self._change = news.change

    def look_at_everything(self) -> None:
        before = -1
        while before != self._change:
            before = self._change
            self.look()

    def _one_of(self, claims: dict[uuid.UUID, Claim]) -> Claim:
        if not claims:
            raise Claim.DoesNotExist
        return self._random.choice(list(claims.values()))


class Box:
    """What the engine's news and the clock do to the rows meanwhile."""

    def __init__(self, swarm: list[Source], seed: str) -> None:
        self.stop = threading.Event()
        self._swarm = swarm
        self._random = random.Random(seed)

    def learn(self) -> None:
        while not self.stop.is_set():
            for torrent in Torrent.objects.order_by("pk"):
                self._random.choice((self.infohashes, self.metadata, self.progress))(torrent)
            time.sleep(0.002)

    def retire(self) -> None:
        while not self.stop.is_set():
            services.retire_unclaimed_torrents()
            time.sleep(0.005)

    def infohashes(self, torrent: Torrent) -> None:
        source = source_of(torrent, self._swarm)
        engine_records.record_infohashes(torrent_id=torrent.pk, v1=source.infohash_v1, v2=source.infohash_v2)

    def metadata(self, torrent: Torrent) -> None:
        source = source_of(torrent, self._swarm)
        files = [EngineFile(index, path, size, 0) for index, (path, size) in enumerate(source.files or ())]
        engine_records.record_metadata(torrent_id=torrent.pk, source=source, name=source.name, files=files)

    def progress(self, torrent: Torrent) -> None:
        states = [live(torrent, self._random.choice((State.FINISHED, State.DOWNLOADING)))]
        # With every other torrent at once, as the reconciler writes them.
        states += [live(other, State.STALLED) for other in Torrent.objects.exclude(pk=torrent.pk)]
        engine_records.record_live_states(states)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_people_and_the_engine_do_at_once_nothing_is_lost(
    settings: Settings, swarm: list[Source], seed: int
) -> None:
    settings.REMOVAL_GRACE_SECONDS = GRACE
    people = [Person(person(name), swarm, f"{name}{seed}") for name in ("alice", "bob", "charlie")]
    box = Box(swarm, f"box{seed}")
    running = threading.Semaphore(0)

    def live_on(someone: Person) -> None:
        try:
            someone.live()
        finally:
            running.release()

    def wait() -> None:
        for _ in people:
            running.acquire()
        box.stop.set()

    at_once(*(lambda one=one: live_on(one) for one in people), box.learn, box.retire, wait)
    settle(box)
    for one in people:
        check_person(one)
    check_rows()


def settle(box: Box) -> None:
    """All metadata arrives, and every grace period ends."""
    for torrent in Torrent.objects.all():
        box.infohashes(torrent)
    for torrent in Torrent.objects.all():
        box.metadata(torrent)
    time.sleep(GRACE)
    services.retire_unclaimed_torrents()


def check_person(one: Person) -> None:
    claims = Claim.objects.of(one.user)
    for claim_id in one.held:
        assert claims.named(claim_id).exists(), "a claim was lost"
    public = {claim.pk for claim in claims if not claim.torrent.private}
    assert public == {claims.named(claim_id).get().pk for claim_id in one.held}, "a claim came from nowhere"
    one.look_at_everything()
    assert one.shown == set(claims.values_list("pk", flat=True)), "a client was told something else"


def check_rows() -> None:
    torrents = Torrent.objects.all()
    held = set(Claim.objects.values_list("torrent_id", flat=True))
    assert Claim.with_removed.count() == Claim.objects.count()
    assert {torrent.pk for torrent in torrents} == held, "an orphan"
    assert held == set(LiveState.objects.values_list("torrent_id", flat=True))
    assert not held & set(Removal.objects.values_list("pk", flat=True)), (
        "data of a living claim would be deleted"
    )
    assert all(torrent.unclaimed_at is None for torrent in torrents)
    for torrent in torrents.filter(private=True):
        assert Claim.with_removed.filter(torrent=torrent).count() == 1
