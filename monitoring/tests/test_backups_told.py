"""Backups, as metrics and the doctor tell of them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from django.conf import settings as configured
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from monitoring.configuration import backups
from monitoring.health import Check
from monitoring.metrics.exposition import own_figures
from monitoring.tests.reading import Scrape
from proxy_site.backups.status import Status

Change = Callable[[Status], object]


def checks() -> list[Check]:
    return [check for check in backups() if check.name == "backups"]


def changed(status: Status, change: Change) -> Check:
    change(status)
    status.write(configured.BACKUP_DIR)
    (check,) = checks()
    return check


def test_figures_are_those_of_the_last_runs(saved: Status, settings: Settings) -> None:
    with patch(
        "monitoring.metrics.torrents.read", side_effect=OperationalError
    ):  # none of it is in the database
        told = Scrape(own_figures())
    at = saved.places["bucket"].last_success.timestamp()
    assert told.own("backup_last_success_timestamp_seconds", destination="bucket") == at
    assert told.own("backup_last_verified_timestamp_seconds") == at
    assert told.own("backup_size_bytes", destination="directory") == 1000
    assert told.own("backup_stored_bytes", destination="directory") == 5000
    assert told.own("backup_count", destination="directory") == 5
    assert told.own("backup_failures_in_a_row", task="verify") == 0
    assert told.own("bucket_requests_month") == 1
    assert told.own("bucket_requests_limit") == 50_000
    assert told.own("bucket_bytes_limit") == 20_000_000_000


@pytest.mark.django_db
def test_what_never_happened_has_no_figure(settings: Settings, tmp_path: Path) -> None:
    settings.BACKUP_DIR = tmp_path
    told = Scrape(own_figures())
    assert told.own("backup_last_verified_timestamp_seconds") is None
    assert told.own("backup_failures_in_a_row", task="backup") == 0
    assert told.own("bucket_requests_month") is None


def test_a_box_that_is_saved_as_it_should_be_is_well(saved: Status) -> None:
    assert checks() == [Check("backups", True)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda status: status.places.clear(), "There is no backup yet"),
        (
            lambda status: setattr(
                status.places["bucket"], "last_success", timezone.now() - timedelta(hours=27)
            ),
            "The bucket got its last archive 27 hours ago",
        ),
        (
            lambda status: setattr(
                status.places["bucket"], "last_success", timezone.now() + timedelta(days=400)
            ),
            "The clock was wrong when the bucket got its last archive",
        ),
        (lambda status: status.verified.clear(), "No archive was restored on trial within 8 days"),
        (
            lambda status: status.verified.update(
                dict.fromkeys(status.verified, timezone.now() - timedelta(days=9))
            ),
            "No archive was restored on trial",
        ),
        (lambda status: status.left_out.append("/etc/secret"), "could not be read: /etc/secret"),
    ],
)
def test_what_lapsed_is_wrong(saved: Status, change: Change, words: str) -> None:
    check = changed(saved, change)
    assert (check.ok, words in check.message) == (False, True), check
    assert check.remedy


def test_the_first_trial_has_a_week_to_come(saved: Status) -> None:
    saved.verified.clear()
    saved.since = timezone.now() - timedelta(days=7)
    saved.write(configured.BACKUP_DIR)
    assert checks() == [Check("backups", True)]


def test_why_the_last_run_failed_is_told(saved: Status) -> None:
    saved.failures["backup"] = 2
    saved.last_failure["backup"] = "The disk is full."
    saved.places["directory"].last_success -= timedelta(days=2)
    saved.write(configured.BACKUP_DIR)
    assert "The disk is full." in checks()[0].message


def test_a_box_without_a_bucket_gets_a_hint(saved: Status, settings: Settings) -> None:
    settings.BACKUP_BUCKET = ""
    (check,) = checks()
    assert (check.ok, "on this machine only" in check.message) == (True, True)


def test_a_box_where_nobody_set_up_backups_gets_a_hint(settings: Settings) -> None:
    (check,) = checks()
    assert (check.ok, "not set up" in check.message) == (True, True)
