"""The first of the admin's pages: how the box is, in words and numbers."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import Schedule, Task
from pytest_django import Settings

from accounts.models import User
from accounts.tests.factories import AdminFactory, UserFactory
from monitoring import admin as pages
from monitoring.configuration import examined
from monitoring.health import Check
from monitoring.home import machine, people, torrents
from monitoring.home.figures import ago, duration, interval
from monitoring.home.page import read_home
from monitoring.metrics import catalogue
from monitoring.metrics.catalogue import Metric, Samples
from monitoring.tests.rows import everything, many_torrents
from torrents import engine_records
from torrents.models import Claim, Engine, LiveState, SwarmTraffic, Traffic
from torrents.tests.factories import add
from watchlist.models import Provider

pytestmark = pytest.mark.django_db
MOST_QUERIES = 60


@pytest.fixture
def keeper(client: Client) -> User:
    """An admin, logged in."""
    keeper = AdminFactory.create(username="keeper")
    client.force_login(keeper)
    return keeper


def page(client: Client) -> str:
    response = client.get("/admin/")
    assert response.status_code == 200
    return response.content.decode()


def words(client: Client) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page(client))))


def figures(section: str) -> dict[str, str]:
    """Of that section, by their names."""
    (found,) = [one for one in read_home().sections if one.title == section]
    return {figure.name: figure.value for figure in found.figures}


def wrong(section: str) -> set[str]:
    (found,) = [one for one in read_home().sections if one.title == section]
    return {figure.name for figure in found.figures if figure.wrong}


def test_only_admins_see_it(client: Client) -> None:
    assert client.get("/admin/").status_code == 302
    client.force_login(UserFactory.create())
    assert client.get("/admin/").status_code == 302


def test_an_empty_box_whose_engine_is_not_there_has_a_page(client: Client, keeper: User) -> None:
    told = words(client)
    assert "Not everything is well." in told
    assert "There is no torrent yet." in told
    assert "Nothing looks after the download engine." in told


def test_it_says_what_to_do_in_the_words_of_the_doctor(client: Client, keeper: User, engine: Engine) -> None:
    engine_records.record_engine_away(engine=engine, message="qBittorrent refused the password.")
    told = words(client)
    for check in examined():
        assert check.message in told
        assert check.remedy in told
    assert "qBittorrent refused the password." in told


def test_it_says_that_all_is_well(
    client: Client, keeper: User, engine: Engine, worked: Task, settings: Settings
) -> None:
    settings.ENGINE = "fake"
    assert "Everything is well." in words(client)


def test_the_engine_and_its_torrents_are_told(engine: Engine, keeper: User) -> None:
    one, two, three = (add(keeper).torrent for _ in range(3))
    LiveState.objects.filter(torrent=one).update(
        state="downloading", download_speed=3 * 2**20, upload_speed=2048, seeds=4, peers=2
    )
    LiveState.objects.filter(torrent=two).update(state="error")
    Claim.objects.filter(torrent=three).update(waits_for="box_disk")
    told = figures("Engine")
    assert (told["Answers"], told["Receives"], told["Sends to peers"]) == ("yes", "3 MiB/s", "2 KiB/s")
    assert figures("Torrents") == {"Waiting": "1", "Downloading": "1", "Error": "1"}
    assert wrong("Torrents") == {"Error"}
    assert figures("Waiting for") == {"Space on the box": "1"}


def test_what_is_below_the_floor_or_beyond_a_limit_is_marked(
    engine: Engine, keeper: User, settings: Settings
) -> None:
    assert wrong("Disk") == wrong("Egress this month") == set()
    settings.DISK_FLOOR = 2**50
    settings.MONTHLY_EGRESS_LIMIT = 1000
    SwarmTraffic.objects.create(engine=engine, day=timezone.now().date(), sent=1000)
    assert wrong("Disk") == {"Free"}
    assert wrong("Egress this month") == {"To people and peers"}


def test_those_who_take_most_are_named_and_lead_to_their_pages(
    client: Client, keeper: User, engine: Engine, settings: Settings
) -> None:
    settings.METRICS_USERNAMES = False  # that is about what leaves the box
    today = timezone.now().date()
    persons = [UserFactory.create(username=f"person{number}") for number in range(7)]
    for number, person in enumerate(persons):
        Traffic.objects.create(user=person, day=today, channel="https", sent=number * 2**30)
        Traffic.objects.create(user=person, day=today - timedelta(days=40), channel="https", sent=2**45)
    assert list(figures("Most fetched this month")) == ["person6", "person5", "person4", "person3", "person2"]
    assert figures("Most disk") == {}
    assert f'href="/admin/accounts/user/{persons[6].pk}/change/">person6<' in page(client)


def test_a_provider_that_is_left_alone_and_tasks_that_run_no_more_are_marked(worked: Task) -> None:
    everything()
    Provider.objects.update(blocked_until=timezone.now() + timedelta(minutes=3, seconds=30), failures=2)
    Task.objects.update(stopped=timezone.now() - timedelta(hours=3))
    Task.objects.create(
        id="3" * 32, name="c", func="x", started=timezone.now(), stopped=timezone.now(), success=False
    )
    assert figures("Shows: anilist")["Service"] == "left alone for 3 minutes"
    assert wrong("Shows: anilist") == {"Service"}
    assert wrong("Background tasks") == {"Failed"}
    assert figures("Ran well")["Check the feeds that are due"] == "3 hours ago"
    assert wrong("Ran well") == {"Check the feeds that are due"}


@pytest.fixture
def told_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has figures of such names and labels, whether or not anything here measures them."""

    def known(**labels: str) -> None:
        for name, label in labels.items():
            metric = Metric(name, "Text.", (label,) if label else ())
            monkeypatch.setitem(catalogue.BY_NAME, name, metric)

    return known


def test_backups_are_told_where_there_are_any(engine: Engine, told_of: Callable[..., None]) -> None:
    told_of(
        backup_last_success_timestamp_seconds="destination",
        backup_count="destination",
        backup_size_bytes="destination",
        backup_failures_in_a_row="task",
    )
    samples, now = Samples(), timezone.now()
    titles = [section.title for section in machine.sections(samples, now)]
    assert "Backups" not in titles
    samples.add("backup_last_success_timestamp_seconds", now.timestamp() - 7300, "bucket")
    samples.add("backup_count", 7, "bucket")
    samples.add("backup_size_bytes", 2**20, "bucket")
    samples.add("backup_failures_in_a_row", 2, "verify")
    (section,) = [one for one in machine.sections(samples, now) if one.title == "Backups"]
    told = {figure.name: (figure.value, figure.note, figure.wrong) for figure in section.figures}
    assert told == {
        "To the bucket": ("2 hours ago", "1 MiB; 7 are kept", False),
        "Restored on trial": ("never", "", True),
        "Failures in a row: verify": ("2", "", True),
    }


def test_what_is_measured_on_some_boxes_only_is_told_there(
    engine: Engine, told_of: Callable[..., None]
) -> None:
    told_of(engine_dht_nodes="engine", engine_queued_io_jobs="engine", sftp_sessions="")
    samples, now = Samples(), timezone.now()
    names = [
        figure.name
        for part in (torrents, people)
        for one in part.sections(samples, now)
        for figure in one.figures
    ]
    assert "Nodes of the DHT" not in names
    assert "Connected by SFTP" not in names
    samples.add("engine_dht_nodes", 321, "default")
    samples.add("engine_queued_io_jobs", 4, "default")
    samples.add("sftp_sessions", 0)
    told = {
        figure.name: figure.value
        for part in (torrents, people)
        for section in part.sections(samples, now)
        for figure in section.figures
    }
    assert told["Nodes of the DHT"] == "321"
    assert told["Disk jobs that wait"] == "4"
    assert told["Connected by SFTP"] == "0"


def test_a_hint_about_what_is_in_order_is_told(client: Client, keeper: User) -> None:
    hint = Check("backups", True, "Hint: archives are on this machine only.", "Set BACKUP_BUCKET.")
    with patch("monitoring.home.page.examined", return_value=[hint]):
        told = words(client)
    assert "Everything is well. Hint: archives are on this machine only. Set BACKUP_BUCKET." in told


def test_it_asks_as_few_questions_whatever_the_box_holds(
    client: Client, keeper: User, engine: Engine, worked: Task
) -> None:
    everything()
    many_torrents(people=1, torrents=10)
    with CaptureQueriesContext(
        connection,
    ) as few:
        page(client)
    many_torrents(people=20, torrents=200)
    with CaptureQueriesContext(connection) as many:
        page(client)
    assert len(few) == len(many) <= MOST_QUERIES


def test_without_the_figures_it_still_says_what_is_wrong(client: Client, keeper: User) -> None:
    with patch("monitoring.metrics.torrents.read", side_effect=OperationalError):
        told = words(client)
    assert "Nothing looks after the download engine." in told
    assert "The figures cannot be read." in told


def test_every_link_leads_to_a_page(client: Client, keeper: User, engine: Engine, worked: Task) -> None:
    everything()
    many_torrents(people=6, torrents=20)
    (state,) = re.findall(r'<div id="box-state">(.*)<div id="content-main">', page(client), re.DOTALL)
    links = {unescape(url) for url in re.findall(r'href="([^"]+)"', state)} - {"/grafana/"}
    assert len(links) > 20
    assert {url: client.get(url).status_code for url in links} == dict.fromkeys(links, 200)


def test_nothing_of_it_needs_scripts_or_styles_within_the_page(client: Client, keeper: User) -> None:
    text = page(client)
    assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", text)
    assert not re.findall(r"<style|\sstyle=|\son\w+=", text)


def test_it_renews_itself_and_says_how_old_it_is(client: Client, keeper: User) -> None:
    assert '<meta http-equiv="refresh" content="60">' in page(client)
    assert re.search(r"As of \d\d:\d\d:\d\d UTC; renewed every minute\.", words(client))


def test_the_runbook_is_shown_to_admins_where_there_is_one(
    client: Client, keeper: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "RUNBOOK", tmp_path / "runbook.md")
    assert "runbook" not in page(client)
    assert client.get("/admin/runbook/").status_code == 404
    (tmp_path / "runbook.md").write_text("# When it rains\n")
    assert 'href="/admin/runbook/"' in page(client)
    assert client.get("/admin/runbook/").content == b"# When it rains\n"
    assert Client().get("/admin/runbook/").status_code == 302


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "less than a minute"),
        (60, "1 minute"),
        (5400, "90 minutes"),
        (7200, "2 hours"),
        (172800, "2 days"),
    ],
)
def test_a_duration_in_words(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_an_age_and_an_interval_in_words() -> None:
    assert [ago(None), ago(3), ago(61)] == ["never", "just now", "1 minute ago"]
    minutes = (1, 5, 60, 90, 120, 1440)
    assert [interval(timedelta(minutes=number)) for number in minutes] == [
        "every minute", "every 5 minutes", "every hour", "every 90 minutes", "every 2 hours", "every day",
    ]  # fmt: skip


def test_a_recurring_task_that_has_no_name_is_told_by_what_it_calls(db: None) -> None:
    Schedule.objects.create(func="kitchen.tasks.wash_up", schedule_type=Schedule.MINUTES, minutes=5)
    assert figures("Ran well")["Kitchen.tasks.wash_up"] == "never"
