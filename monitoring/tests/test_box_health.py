"""Health, in words, for each part that may be broken."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ, Task
from pytest_django import Settings

from accounts.tests.factories import AdminFactory
from monitoring import health
from monitoring.host.readings import machine_id
from monitoring.models import Host
from torrents import engine_records
from torrents.models import Engine, SftpServer
from torrents.tests.factories import finished

pytestmark = pytest.mark.django_db
REASON = "qBittorrent at http://10.0.0.5:8090 refused the password."


def ready() -> tuple[int, dict[str, Any]]:
    """The status, and what is told of each part that is not well."""
    response = Client().get("/health/ready")
    body = response.json()
    assert body["ok"] == all(check["ok"] for check in body["checks"]) == (response.status_code == 200)
    assert all(bool(check["message"]) != check["ok"] for check in body["checks"])
    return response.status_code, {
        check["name"]: check["message"] for check in body["checks"] if not check["ok"]
    }


def doctor(*arguments: str) -> tuple[int, str]:
    output = StringIO()
    try:
        call_command("doctor", *arguments, stdout=output)
    except SystemExit as end:
        return int(str(end.code)), output.getvalue()
    return 0, output.getvalue()


def test_a_box_on_which_all_is_well_is_ready(engine: Engine, worked: Task) -> None:
    assert ready() == (200, {})


def test_a_process_that_answers_is_alive_whatever_else_is_broken() -> None:
    with patch.object(health, "readiness", side_effect=AssertionError):
        response = Client().get("/health/live")
    assert (response.status_code, response.json()) == (200, {"ok": True, "checks": []})


def test_an_engine_that_is_away_is_told_without_reasons(engine: Engine, worked: Task) -> None:
    engine_records.record_engine_away(engine=engine, message=REASON)
    assert ready() == (503, {"engine": "The download engine does not answer."})
    assert REASON in doctor()[1]


def test_a_reconciler_that_fell_silent_is_told(engine: Engine, worked: Task) -> None:
    Engine.objects.update(checked_at=timezone.now() - timedelta(minutes=5))
    code, broken = ready()
    assert code == 503
    assert set(broken) == {"reconciler", "engine"}
    assert broken["reconciler"] == "Nothing looks after the download engine."


def test_looking_writes_nothing(worked: Task) -> None:
    ready()
    assert not Engine.objects.exists()


def test_a_full_disk_is_told(engine: Engine, worked: Task, settings: Settings) -> None:
    settings.DISK_FLOOR = 2**50
    assert ready() == (503, {"disk": "The box's disk is full: no download goes on."})


@pytest.mark.parametrize("row", ["died", "was never there"])
def test_an_sftp_server_that_ought_to_run_and_does_not_is_told(
    engine: Engine, worked: Task, settings: Settings, row: str
) -> None:
    if row == "died":
        SftpServer.objects.update(seen_at=timezone.now() - timedelta(minutes=2))
    else:
        SftpServer.objects.all().delete()
    assert ready() == (503, {"sftp": "Nothing hands files over by SFTP."})
    assert "manage.py run_sftp" in doctor()[1]
    settings.SFTP_ADDRESS = ""
    assert ready() == (200, {})


def test_a_worker_that_ended_nothing_lately_is_told(engine: Engine, worked: Task) -> None:
    Task.objects.update(stopped=timezone.now() - timedelta(minutes=6))
    assert ready() == (503, {"worker": "No background task has ended in the last 5 minutes."})


def test_a_worker_that_is_stuck_is_told(engine: Engine, worked: Task) -> None:
    Task.objects.update(stopped=timezone.now() - timedelta(minutes=4, seconds=30))
    OrmQ.objects.create(key="test", payload="", lock=timezone.now() - timedelta(minutes=5))
    assert ready() == (503, {"worker": "Background tasks are ready, and nobody takes them."})


def test_a_database_that_is_older_than_the_code_is_told(engine: Engine, worked: Task) -> None:
    MigrationRecorder(connection).record_unapplied("torrents", "0001_initial")
    assert ready() == (503, {"migrations": "The database is older than the code: 1 migrations are missing."})
    assert "manage.py migrate" in doctor()[1]


def test_a_database_that_does_not_answer_is_told_and_asked_once(engine: Engine, worked: Task) -> None:
    with patch.object(connection, "ensure_connection", side_effect=OperationalError("at 10.0.0.5")) as asked:
        code, broken = ready()
    assert code == 503
    assert broken["database"] == "The database does not answer."
    assert set(broken) == {"database", "migrations", "reconciler", "engine", "worker", "disk", "sftp"}
    assert "10.0.0.5" not in str(broken)
    assert asked.call_count == 1


def test_a_check_that_fails_itself_does_not_hide_the_others(engine: Engine, worked: Task) -> None:
    with patch.object(health, "is_stuck", side_effect=RuntimeError("secret")):
        assert ready() == (503, {"worker": "Not known: the check itself failed."})


def test_the_doctor_says_that_all_is_well(engine: Engine, worked: Task, settings: Settings) -> None:
    AdminFactory.create()
    settings.ENGINE = "fake"
    code, text = doctor()
    assert (code, "WRONG" in text) == (0, False)
    assert "Everything is well." in text


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("METRICS_TOKEN", "short", "metrics token"),
        ("QBITTORRENT_BINARY", "no-such-program", "engine program"),
        ("CADDY_LOG", "", "hand-over log"),
        ("CADDY_LOG", "/nonexistent/access.log", "hand-over log"),
    ],
)
def test_the_doctor_says_what_to_do_about_a_setting(
    engine: Engine, worked: Task, settings: Settings, setting: str, value: str, name: str
) -> None:
    AdminFactory.create()
    settings.HANDOVER_BY_CADDY = setting == "CADDY_LOG"
    settings.ENGINE = "qbittorrent" if setting == "QBITTORRENT_BINARY" else "fake"
    setattr(settings, setting, value)
    code, text = doctor("--json")
    told = json.loads(text)
    assert (code, told["ok"]) == (1, False)
    (found,) = [check for check in told["checks"] if not check["ok"]]
    assert found["name"] == name
    assert found["message"]
    assert found["remedy"]


def test_the_doctor_misses_the_files_unless_this_host_is_to_have_none(
    engine: Engine, worked: Task, settings: Settings, tmp_path: Path
) -> None:
    settings.ENGINE = "fake"
    settings.DOWNLOADS_DIR = tmp_path
    finished(AdminFactory.create(), {"film.mkv": b"film"})
    assert doctor()[0] == 0
    (tmp_path / "t").rename(tmp_path / "elsewhere")
    code, text = doctor()
    assert (code, "SERVES_FILES=false" in text) == (1, True)
    settings.SERVES_FILES = False
    assert doctor()[0] == 0


def test_the_doctor_misses_an_admin(engine: Engine, worked: Task, settings: Settings) -> None:
    settings.ENGINE = "fake"
    assert "create_user" in doctor()[1]


def test_the_doctor_notices_a_schedule_that_runs_no_more(
    engine: Engine, worked: Task, settings: Settings
) -> None:
    settings.ENGINE = "fake"
    AdminFactory.create()
    Task.objects.update(stopped=timezone.now() - timedelta(minutes=4))
    code, text = doctor()
    assert code == 1
    assert "check the feeds that are due" in text


def test_the_doctor_tells_no_secret(engine: Engine) -> None:
    text = doctor()[1] + doctor("--json")[1]
    assert configured.SECRET_KEY not in text
    assert configured.QBITTORRENT_PASSWORD not in text


def test_the_doctor_tells_of_an_idle_machine_and_of_one_whose_traffic_nobody_counts(engine: Engine) -> None:
    at = timezone.now()
    id = machine_id(Path("/etc"))
    Host.objects.create(id=id, since=at, read_at=at, cpu_p95=0.1, network_p95=0.1, memory_p95=0.1)
    told = doctor()[1]
    assert "take it back as idle" in told
    assert "EGRESS_INTERFACES" in told
