"""What the figures say, and that they are those of the list."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task
from pytest_django import Settings

from accounts import lockout
from accounts.models import AuditEvent, User
from accounts.tests.factories import UserFactory
from feeds.models import Grab
from feeds.services import subscribe
from monitoring.host.readings import machine_id
from monitoring.metrics import people
from monitoring.metrics.catalogue import METRICS, Kind, Samples
from monitoring.metrics.describing import described
from monitoring.metrics.exposition import own_figures
from monitoring.models import EgressDay, Host
from monitoring.tests.reading import Scrape
from monitoring.tests.rows import everything, many_torrents
from proxy_site.backups.status import Status
from proxy_site.environment import PROJECT_DIR
from torrents import engine_records, sftp_servers
from torrents.allowances import limits_of, use_of_everybody, utc_today
from torrents.engines.fake import FakeEngine
from torrents.models import Claim, Engine, LiveState, Removal, SftpServer, SwarmTraffic, Torrent, Traffic
from torrents.rechecks import request_recheck
from torrents.reconciler_lock import ReconcilerLock
from torrents.services import default_engine
from torrents.sftp.authentication import login_by_key, login_by_secret, record_refused_keys
from torrents.tests.factories import add, finish
from torrents.tests.reconciler_box import Box
from watchlist.models import Provider
from watchlist.tests.factories import LinkFactory

pytestmark = pytest.mark.django_db
MOST_SERIES = 2000
MOST_QUERIES = 37


def scrape() -> Scrape:
    return Scrape(Client().get("/metrics").content.decode())


def measured(**fields: object) -> None:
    """A minute ago."""
    at = timezone.now() - timedelta(minutes=1)
    Host.objects.create(id=machine_id(Path("/etc")), since=at, read_at=at, **fields)


@pytest.fixture
def alice(db: None) -> User:
    return UserFactory.create(username="alice")


def test_the_committed_list_is_the_one_that_the_code_makes() -> None:
    assert described() == (PROJECT_DIR / "docs" / "metrics.md").read_text(), (
        "run: python manage.py describe_metrics > docs/metrics.md"
    )


def test_exactly_what_stands_in_the_list_is_exported_with_its_labels(
    engine: Engine, worked: Task, saved: Status
) -> None:
    everything()
    measured(cpu_p95=0.1, network_p95=0.1, memory_p95=0.1)
    told = {name: labels for name, labels in scrape().labels().items() if name.startswith("torrentproxy_")}
    assert told == {metric.full_name: {frozenset(metric.labels)} for metric in METRICS}


def test_names_keep_to_prometheus_conventions() -> None:
    for metric in METRICS:
        assert metric.name.endswith("_total") == (metric.kind == Kind.COUNTER), metric.name
        assert metric.help.endswith("."), metric.name
        assert not metric.name.endswith(("_ms", "_mb", "_kb", "_minutes", "_hours")), metric.name


def test_a_label_may_hold_anything() -> None:
    samples = Samples()
    samples.add("engine_up", 1, 'a "b" \\ c\nd')
    assert Scrape(samples.text()).own("engine_up", engine='a "b" \\ c\nd') == 1


def test_the_engine_and_what_is_in_it_are_told(engine: Engine, alice: User) -> None:
    torrents = [add(alice).torrent for _ in range(3)]
    LiveState.objects.filter(torrent=torrents[0]).update(
        state="downloading", download_speed=1000, upload_speed=10, seeds=4, peers=2
    )
    told = scrape()
    assert told.own("engine_up", engine="default") == 1
    assert told.own("engine_free_bytes", engine="default") == engine.free_space
    assert told.own("torrents", state="downloading") == 1
    assert told.own("torrents", state="waiting") == 2
    assert told.own("download_bytes_per_second") == 1000
    assert told.own("upload_bytes_per_second") == 10
    assert told.own("connected_seeds") == 4
    age = told.own("reconciler_last_look_age_seconds", engine="default")
    assert age is not None
    assert 0 <= age < 60


def test_an_engine_that_is_away_is_down(engine: Engine) -> None:
    Engine.objects.update(reachable=False)
    assert scrape().own("engine_up", engine="default") == 0


def test_claims_are_told_by_what_they_want_and_wait_for(alice: User) -> None:
    add(alice, paused=True)
    waiting, done = add(alice), add(alice)
    finish([done.torrent])
    Claim.objects.filter(pk=waiting.pk).update(waits_for="box_disk")
    told = scrape()
    assert [told.own("claims", state=state) for state in ("finished", "running", "paused")] == [1, 1, 1]
    assert told.own("claims_waiting", reason="box_disk") == 1
    assert told.own("claims_waiting", reason="user_disk") == 0


def test_bytes_that_were_sent_outlive_the_month(alice: User) -> None:
    today = utc_today()
    before = today.replace(day=1) - timedelta(days=1)
    for day, sent in ((today, 5), (before, 100)):
        Traffic.objects.create(user=alice, day=day, channel="sftp", sent=sent)
        SwarmTraffic.objects.create(engine=default_engine(), day=day, sent=sent * 1000)
    told = scrape()
    assert told.own("user_handed_over_bytes_total", user="alice", channel="sftp") == 105
    assert told.own("user_handed_over_month_bytes", user="alice", channel="sftp") == 5
    assert told.own("user_handed_over_month_bytes", user="alice", channel="https") == 0
    assert told.own("peers_sent_bytes_total") == 105_000
    assert told.own("egress_month_bytes") == 5_005


def test_what_people_use_is_what_their_limits_count(engine: Engine) -> None:
    many_torrents(people=4, torrents=60)
    use = use_of_everybody()
    assert {disk > 0 for disk, _ in use.values()} == {True}
    for user in User.objects.all():
        limits = limits_of(user.pk)
        assert use.get(user.pk, (0, 0)) == (limits.disk.used, limits.active.used)


def test_people_may_be_told_by_number(settings: Settings, alice: User) -> None:
    settings.METRICS_USERNAMES = False
    told = scrape()
    assert told.own("user_active_torrents", user=str(alice.pk)) == 0
    assert told.own("user_active_torrents", user="alice") is None


def test_beyond_a_number_of_people_the_rest_is_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "MOST_PEOPLE", 2)
    for user in UserFactory.create_batch(5):
        Traffic.objects.create(user=user, day=utc_today(), channel="https", sent=7)
    told = scrape()
    assert told.own("user_handed_over_bytes_total", user="(others)", channel="https") == 21
    assert told.own("users", state="active") == 5


def test_the_machine_is_told_against_the_limits_of_the_free_tier(settings: Settings) -> None:
    settings.EGRESS_LIMIT = 1000
    EgressDay.objects.create(day=utc_today(), sent=850)
    measured(cpu_p95=0.5, network_p95=0.1, memory_p95=0.1)
    told = scrape()
    assert told.own("host_egress_month_bytes") == 850
    assert told.own("host_egress_limit_bytes") == 1000
    assert told.own("host_use_p95_ratio", resource="cpu") == 0.5
    assert told.own("host_idle_risk") == 0


def test_of_a_machine_that_nobody_measured_only_what_is_known_is_told() -> None:
    names = scrape().labels()
    assert "torrentproxy_host_idle_risk" not in names
    assert "torrentproxy_host_egress_month_bytes" in names


def test_feeds_are_told_by_how_they_are(alice: User) -> None:
    source = subscribe(user=alice, url="https://feeds.example/rss").source
    source.failing_since = timezone.now()
    source.next_check_at = timezone.now() - timedelta(minutes=10)
    source.save()
    Grab.objects.create(user=alice, title="x", download="y", state="failed", due_at=timezone.now())
    told = scrape()
    assert (told.own("feed_sources"), told.own("feed_sources_failing")) == (1, 1)
    overdue = told.own("feed_most_overdue_seconds")
    assert overdue is not None
    assert 600 <= overdue < 660
    assert told.own("feed_grabs", origin="feed", state="failed") == 1


def test_a_provider_is_told_by_its_budget_and_breaker() -> None:
    now = timezone.now()
    LinkFactory.create(synced_at=now - timedelta(minutes=30))
    Provider.objects.create(
        name="anilist",
        asked_at=[now - timedelta(seconds=62), now - timedelta(seconds=5)],
        asked_for=["lists", "lists"],
        blocked_until=now + timedelta(minutes=5),
        airing_at=now - timedelta(minutes=20),
    )
    told = scrape()
    assert told.own("watchlist_requests_last_minute", provider="anilist") == 1
    blocked = told.own("watchlist_blocked_seconds", provider="anilist")
    assert blocked is not None
    assert 240 < blocked <= 300
    age = told.own("watchlist_list_age_seconds", provider="anilist")
    assert age is not None
    assert 1800 <= age < 1860
    assert told.own("watchlist_requests_allowed", provider="manual") is None


def test_tasks_are_told_by_how_long_they_wait_and_when_they_last_ran_well(worked: Task) -> None:
    now = timezone.now()
    OrmQ.objects.create(key="a", payload="", lock=now - timedelta(seconds=90))
    OrmQ.objects.create(key="a", payload="", lock=now + timedelta(seconds=90))
    Task.objects.create(
        id=uuid.uuid4().hex, name="b", func="feeds.tasks.check_feeds", started=now, stopped=now, success=False
    )
    Schedule.objects.get_or_create(func="feeds.tasks.check_feeds", defaults={"minutes": 1})
    told = scrape()
    oldest = told.own("queue_oldest_ready_seconds")
    assert oldest is not None
    assert 90 <= oldest < 150
    assert (told.own("queue_tasks"), told.own("queue_failures_last_day")) == (2, 1)
    ran = told.own("schedule_last_success_timestamp_seconds", schedule="feeds.tasks.check_feeds")
    assert ran == pytest.approx(worked.stopped.timestamp())


def test_refused_logins_are_told_by_where_they_were_refused(alice: User) -> None:
    wrong = {"username": "alice", "password": "wrong"}
    assert Client().post("/api/v1/session/", wrong, content_type="application/json").status_code == 401
    assert Client().post("/admin/login/", wrong).status_code == 200
    for _ in range(3):
        assert login_by_secret(username="alice", secret="wrong", address="127.0.0.1") is None
    record_refused_keys(username="nobody", address="192.0.2.1")
    told = scrape()
    for reason, *numbers in (("login_failed", 1, 1, 4), ("locked_out", 0, 0, 1)):
        for channel, number in zip(("app", "admin", "sftp"), numbers, strict=True):
            assert told.own("logins_refused_last_day", reason=reason, channel=channel) == number


def test_a_flood_of_refused_logins_by_sftp_is_told_by_a_bounded_number_of_rows(alice: User) -> None:
    for number in range(300):
        assert login_by_secret(username=f"p{number}", secret="wrong", address="192.0.2.1") is None
        assert login_by_key(username=f"p{number}", public_key="ssh-ed25519 AAAA", address="192.0.2.1") is None
        record_refused_keys(username=f"p{number}", address="192.0.2.1")
    assert AuditEvent.objects.count() == lockout.ADDRESS.failures + 2  # the lock itself, and the keys once
    assert scrape().own("logins_refused_last_day", reason="locked_out", channel="sftp") == 1


def test_sftp_sessions_are_told_while_a_server_runs_and_its_death_when_it_died() -> None:
    assert "torrentproxy_sftp_sessions" not in scrape().labels()
    sftp_servers.tell(name="a:8022", connections=3)
    sftp_servers.tell(name="b:8022", connections=4)
    told = scrape()
    assert told.own("sftp_sessions") == 7
    SftpServer.objects.filter(name="a:8022").update(seen_at=timezone.now() - timedelta(minutes=2))
    told = scrape()
    assert told.own("sftp_sessions") == 4
    assert (told.own("sftp_up", server="a:8022"), told.own("sftp_up", server="b:8022")) == (0, 1)
    sftp_servers.leave(name="b:8022")
    assert scrape().own("sftp_sessions") == 0
    SftpServer.objects.update(seen_at=timezone.now() - timedelta(days=2))
    assert sftp_servers.prune() == 1
    assert "torrentproxy_sftp_up" not in scrape().labels()


def test_what_the_engine_says_of_itself_is_told_while_it_is_there(engine: Engine) -> None:
    status = replace(
        FakeEngine().poll().status, dht_nodes=311, queued_io_jobs=4, received_ever=2**40, sent_ever=2**41
    )
    engine_records.record_engine(engine=engine, status=status, free_space=1)
    told = scrape()
    names = (
        "engine_dht_nodes",
        "engine_queued_io_jobs",
        "engine_alltime_received_bytes",
        "engine_alltime_sent_bytes",
    )
    assert [told.own(name, engine="default") for name in names] == [311, 4, 2**40, 2**41]
    engine_records.record_engine_away(engine=engine, message="Away.")
    told = scrape()
    assert {told.own(name, engine="default") for name in names} == {None}


def test_intents_wait_until_the_reconciler_has_taken_them_up(
    alice: User, settings: Settings, tmp_path: Path
) -> None:
    settings.DOWNLOADS_DIR = tmp_path
    claim = add(alice)
    Torrent.objects.update(added_at=timezone.now() - timedelta(minutes=3))
    told = scrape()
    assert told.own("intents_waiting") == 1
    oldest = told.own("intents_oldest_seconds")
    assert oldest is not None
    assert 180 <= oldest < 240
    with ReconcilerLock(default_engine().pk) as lock:
        box = Box(lock)
        box.rounds()
        assert scrape().own("intents_waiting") == 0
        request_recheck([claim.torrent_id])
        Removal.objects.create(pk=uuid.uuid4(), engine=default_engine())
        assert scrape().own("intents_waiting") == 2
        box.rounds(1)
    told = scrape()
    assert (told.own("intents_waiting"), told.own("intents_oldest_seconds")) == (0, 0)


def test_without_the_database_that_is_what_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object) -> Iterator[None]:
        raise OperationalError

    monkeypatch.setattr(people, "read", away)
    told = Scrape(own_figures())
    assert told.own("database_up") == 0
    assert told.own("build_info", version="0.1.0") == 1


def test_a_scrape_of_a_busy_box_is_bounded(engine: Engine, worked: Task) -> None:
    """Twice as many torrents and people: as many queries, and only people's time series are more."""
    everything()
    many_torrents(people=5, torrents=20)
    own_figures()  # what is looked up once
    with CaptureQueriesContext(connection) as few:
        small = len(Scrape(own_figures()))
    many_torrents(people=45, torrents=200)
    with CaptureQueriesContext(connection) as many:
        large = len(Scrape(own_figures()))
    assert len(few) == len(many) <= MOST_QUERIES
    assert large - small == 45 * 7
    assert large < MOST_SERIES / 2
    assert Torrent.objects.count() > 200


def test_methods_that_somebody_makes_up_make_no_time_series() -> None:
    client = Client()
    client.get("/health/live")
    before = len(scrape())
    for number in range(20):
        client.generic(f"MADEUP{number}", "/health/live")
    client.generic("MADEUP", "/nowhere")
    assert len(scrape()) - before <= 2 * 12  # one method, of two views
    assert not [
        labels for labels in scrape().families if any("MADEUP" in str(one.labels) for one in labels.samples)
    ]
