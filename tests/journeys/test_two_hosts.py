"""What docs/growing.md promises of a second host for the web and the worker, with one PostgreSQL and one engine."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from feeds.checker import LEASE
from monitoring.metrics.catalogue import METRICS
from proxy_site.tests import processes
from proxy_site.tests.namespaces import require
from tests.journeys.hosts import FIRST, PATIENCE, SECOND, TwoHosts, two_hosts
from tests.journeys.postgres_cluster import binaries
from watchlist.tests.anilist_world import Listed

pytestmark = [pytest.mark.journey, pytest.mark.engine]
BOTH = (FIRST, SECOND)
TORRENTS = "/api/v1/torrents/"
NOTICED = 30.0  # seconds, in which a machine that vanished is known to be gone
SLACK = 15.0  # of a busy machine; without anything of ours it would be a quarter of an hour


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoHosts]:
    require("nft", "ip", "setpriv", "openssl", "caddy")
    found = binaries()
    if found is None:
        pytest.skip("no PostgreSQL is installed as a package; deploy/test.sh does that")
    folder = tmp_path_factory.mktemp("hosts")
    with two_hosts(found, folder) as made:
        yield made


@pytest.fixture(scope="module")
def alice(hosts: TwoHosts) -> tuple[str, str]:
    """Name and password."""
    return "alice", hosts.create_user("alice")


@pytest.fixture(scope="module")
def token(hosts: TwoHosts, alice: tuple[str, str]) -> str:
    """Of a session that began at the first host."""
    return str(hosts.log_in(*alice)["access"])


def test_a_session_that_began_at_one_host_goes_on_and_ends_at_the_other(
    hosts: TwoHosts, alice: tuple[str, str]
) -> None:
    begun = hosts.log_in(*alice)
    assert hosts.ask(SECOND, "GET", "/api/v1/me/", token=begun["access"]).json["username"] == "alice"
    renewed = hosts.ask(SECOND, "POST", "/api/v1/session/refresh/", refresh=begun["refresh"]).json
    assert hosts.ask(FIRST, "GET", "/api/v1/me/", token=renewed["access"]).status == 200
    assert hosts.ask(SECOND, "POST", "/api/v1/session/logout/", refresh=renewed["refresh"]).status == 204
    assert [hosts.ask(host, "GET", "/api/v1/me/", token=renewed["access"]).status for host in BOTH] == [
        401,
        401,
    ]


def test_what_is_added_at_the_second_host_is_downloaded_by_the_first_and_handed_over_there(
    hosts: TwoHosts, token: str, tmp_path: Path
) -> None:
    added, content = hosts.downloaded(SECOND, token, tmp_path)
    own = f"{TORRENTS}{added}/"
    for host in BOTH:
        news = hosts.ask(host, "GET", f"{TORRENTS}changes/?since=0", token=token).json["torrents"]
        assert {one["id"]: one["state"] for one in news}[added] == "finished"
    assert hosts.ask(FIRST, "GET", f"{own}files/0/content/", token=token).body == content
    for path in ("files/0/content/", "archive/"):
        refused = hosts.ask(SECOND, "GET", own + path, token=token)
        assert (refused.status, refused.json["errors"][0]["code"]) == (421, "files_elsewhere")
    link = urlsplit(hosts.ask(SECOND, "POST", f"{own}links/", token=token, index=0).json["url"]).path
    assert [hosts.ask(host, "GET", link).status for host in BOTH] == [200, 421]
    told = [hosts.ask(host, "GET", "/api/v1/server/", token=token).json["sftp"] for host in BOTH]
    assert told[0] == told[1]


def test_who_fails_too_often_at_one_host_is_locked_out_of_the_other(hosts: TwoHosts) -> None:
    def guess(host: str) -> int:
        return hosts.ask(host, "POST", "/api/v1/session/", username="nobody", password="wrong").status

    assert [guess(host) for host in BOTH * 3] == [401] * 5 + [429]


def test_both_hosts_tell_the_same_figures_of_rows_and_each_its_own_of_requests(
    hosts: TwoHosts, token: str
) -> None:
    for _ in range(3):
        hosts.ask(SECOND, "GET", "/api/v1/me/limits/", token=token)
    scrapes = [hosts.scrape(host) for host in BOTH]
    # Of what grows old or changes by itself the names are the same.
    passing = ("_seconds", "_per_second", "_share", "_ratio", "queue_tasks", "free_bytes", "alltime")
    still = {metric.full_name for metric in METRICS if not any(word in metric.name for word in passing)}
    told = [
        {
            (sample.name, frozenset(sample.labels.items())): sample.value if sample.name in still else None
            for family in scrape.families
            for sample in family.samples
            if sample.name.startswith("torrentproxy_")
        }
        for scrape in scrapes
    ]
    assert told[0] == told[1]
    name, labels = (
        "django_http_responses_total_by_status_view_method_total",
        {"status": "200", "method": "GET"},
    )
    counts = [scrape.value(name, view="api:me-limits", **labels) for scrape in scrapes]
    assert counts == [None, 3]


def test_caddy_asks_both_hosts_and_leaves_files_to_the_first(
    hosts: TwoHosts, token: str, tmp_path: Path
) -> None:
    added, content = hosts.downloaded(FIRST, token, tmp_path)
    before = [hosts.requests(host, "api:server") for host in BOTH]
    with hosts.caddy(tmp_path) as port:
        for _ in range(8):
            assert hosts.ask(FIRST, "GET", "/api/v1/server/", port=port, token=token).status == 200
            path = f"{TORRENTS}{added}/files/0/content/"
            assert hosts.ask(FIRST, "GET", path, port=port, token=token).body == content
    counts = [
        hosts.requests(host, "api:server") - earlier for host, earlier in zip(BOTH, before, strict=True)
    ]
    assert min(counts) > 0
    assert sum(counts) == 8


def test_a_second_reconciler_waits_and_says_so(hosts: TwoHosts) -> None:
    with hosts.at_second("engine", *processes.manage("run_engine")) as engine:
        log = engine.log
        waiting = "Another run_engine is at work; waiting to take over."
        processes.wait_until(lambda: waiting in log.read_text(), f"the second one waits: {log}", PATIENCE)
    assert "Looking after the engine" not in log.read_text()
    assert hosts.scrape(SECOND).own("engine_up", engine="default") == 1


def test_each_feed_is_checked_once_though_both_workers_check(hosts: TwoHosts, token: str) -> None:
    with hosts.at_second("worker", *processes.manage("run_worker")):
        paths = hosts.follow_until(token, lambda: hosts.feeds.askers() == set(BOTH))
        hosts.feeds.answer.set()
        stored = "SELECT count(*) FROM feeds_feedsource WHERE checked_at IS NOT NULL"
        processes.wait_until(lambda: hosts.query(stored) == [(len(paths),)], "all are stored", PATIENCE)
    assert hosts.feeds.times() == dict.fromkeys(paths, 1)


def test_a_list_is_read_by_one_worker_while_the_others_look_for_lists_to_read(
    hosts: TwoHosts, token: str
) -> None:
    hosts.anilist.world.add_show(1, "Lighthouse")
    hosts.anilist.world.add_person("Keeper", Listed(1))
    answer = threading.Event()

    def reads() -> int:
        return sum("MediaListCollection" in asked.query for asked in hosts.anilist.asked)

    def hold() -> None:
        if "MediaListCollection" in hosts.anilist.asked[-1].query:
            answer.wait(PATIENCE)

    hosts.anilist.fault = hold
    with hosts.at_second("lists", *processes.manage("run_worker")):
        told = hosts.ask(
            SECOND, "POST", "/api/v1/watchlist/links/", token=token, provider="anilist", name="Keeper"
        )
        assert told.status == 201, told
        processes.wait_until(lambda: reads() == 1, "somebody reads it", PATIENCE)
        hosts.enqueue("watchlist.tasks.sync_lists", 6)
        ended = "SELECT count(*) >= 3 FROM django_q_task WHERE func = 'watchlist.tasks.sync_lists'"
        processes.wait_until(lambda: hosts.query(ended) == [(True,)], "others have looked", PATIENCE)
        assert reads() == 1
        answer.set()


def test_a_host_that_vanishes_is_noticed_and_what_it_was_at_goes_on(hosts: TwoHosts, token: str) -> None:
    """All at once, for it takes half a minute: a worker in the middle of a check, a lock that it holds, a query under
    way, and people who ask the host that lost its database."""
    hosts.feeds.answer = threading.Event()
    hosts.feeds.asked.clear()
    lock = "SELECT FROM accounts_user WHERE username = 'alice' FOR UPDATE"
    with (
        ThreadPoolExecutor(4) as pool,
        closing(hosts.connect(SECOND)) as holding,
        closing(hosts.connect(SECOND)) as waiting,
        hosts.at_second("vanishing", *processes.manage("run_worker")) as worker,
    ):
        hosts.follow_until(token, lambda: SECOND in hosts.feeds.askers())
        holding.execute(lock)
        assert hosts.ask(SECOND, "GET", "/api/v1/me/", token=token).status == 200  # its connection is there
        query = pool.submit(took, lambda: waiting.execute("SELECT pg_sleep(300)"))
        state = "SELECT state FROM pg_stat_activity WHERE pid = %s"
        pid = waiting.info.backend_pid
        processes.wait_until(lambda: hosts.query(state, pid) == [("active",)], "it is under way", PATIENCE)
        with hosts.network.cut():
            worker.vanish()
            left = {path for path, address in hosts.feeds.asked if address == SECOND}
            asking = pool.submit(
                took, lambda: hosts.ask(SECOND, "GET", "/api/v1/me/", token=token, beside=SECOND)
            )
            locking = pool.submit(took, lambda: hosts.query(lock))
            assert hosts.ask(FIRST, "GET", TORRENTS, token=token).status == 200
            seconds, told = asking.result(PATIENCE)
            assert (told.status, told.json["errors"][0]["code"]) == (503, "database_away")
            assert seconds < NOTICED + SLACK
            seconds, failure = query.result(PATIENCE)
            assert isinstance(failure, psycopg.OperationalError)
            assert seconds < NOTICED + SLACK
            seconds, found = locking.result(PATIENCE)
            assert found == [()]
            assert seconds < NOTICED + SLACK
    assert hosts.ask(SECOND, "GET", "/api/v1/me/", token=token).status == 200

    leased = "SELECT coalesce(extract(epoch FROM max(leased_until) - now()), 0) FROM feeds_feedsource"
    ((seconds,),) = hosts.query(leased)
    assert seconds < LEASE.total_seconds()  # and a run of the first host's comes within a minute of that
    hosts.feeds.answer.set()
    hosts.query(
        "UPDATE feeds_feedsource SET next_check_at = now(), leased_until = now()"
    )  # as if it were over
    hosts.follow_until(token, lambda: all((path, FIRST) in hosts.feeds.asked for path in left))


def took(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came of it: an error of the database, too."""
    began = time.monotonic()
    try:
        found = call()
    except psycopg.Error as error:
        found = error
    return time.monotonic() - began, found
