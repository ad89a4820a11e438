"""Counting Caddy's access log: every line once, whatever happens to the file or to us."""

import json
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from proxy_site.tests import processes
from torrents import access_log
from torrents.access_log import count_new_lines
from torrents.models import Claim, Traffic
from torrents.tests.caddy_box import database_url
from torrents.tests.factories import add


@pytest.fixture
def claim(alice: User) -> Claim:
    return add(alice)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def line(claim: Claim, sent: int) -> str:
    return (
        json.dumps({"ts": time.time(), "user_id": str(claim.pk), "size": sent, "n": time.monotonic_ns()})
        + "\n"
    )


def write(log: Path, *lines: str) -> None:
    with log.open("a") as stream:
        stream.writelines(lines)


def counted() -> int:
    return sum(Traffic.objects.values_list("sent", flat=True))


def test_each_line_counts_once(log: Path, claim: Claim) -> None:
    write(log, line(claim, 10), line(claim, 5))
    count_new_lines(log)
    count_new_lines(log)
    assert counted() == 15
    write(log, line(claim, 1))
    count_new_lines(log)
    assert counted() == 16


def test_a_half_written_line_waits_for_its_end(log: Path, claim: Claim) -> None:
    whole = line(claim, 10)
    for part in (whole[:20], whole[20:]):
        assert counted() == 0
        write(log, part)
        count_new_lines(log)
    assert counted() == 10


def test_a_log_that_is_not_there_yet_is_no_trouble(log: Path, db: None) -> None:
    assert count_new_lines(log) == 0


def test_a_renamed_log_is_counted_to_its_end_and_the_new_one_from_its_beginning(
    log: Path, claim: Claim
) -> None:
    write(log, line(claim, 1))
    count_new_lines(log)
    for number, sent in enumerate((10, 100)):
        write(log, line(claim, sent))
        log.rename(log.with_name(f"access-2026-01-0{number}.log"))
        write(log, line(claim, sent * 5))
    count_new_lines(log)
    assert counted() == 1 + 10 + 50 + 100 + 500


def test_an_empty_new_log_does_not_hide_the_end_of_the_old_one(log: Path, claim: Claim) -> None:
    write(log, line(claim, 1))
    count_new_lines(log)
    write(log, line(claim, 10))
    log.rename(log.with_name("access-old.log"))
    log.touch()
    count_new_lines(log)
    assert counted() == 11


def test_a_truncated_log_is_counted_from_its_beginning(log: Path, claim: Claim) -> None:
    write(log, line(claim, 1), line(claim, 1))
    count_new_lines(log)
    log.write_text(line(claim, 10))
    count_new_lines(log)
    assert counted() == 12


def test_lines_about_something_else_and_nonsense_count_nothing(log: Path, claim: Claim) -> None:
    strange = [
        "garbage\n", "\n", "[]\n", "7\n", "{}\n", '{"user_id": "", "size": 5, "ts": 1}\n',
        "\x00\xff\n", "[" * 5000 + "\n",
        json.dumps({"ts": 1e300, "user_id": str(claim.pk), "size": 5}) + "\n",
        json.dumps({"ts": 1, "user_id": str(claim.pk), "size": 1e999}) + "\n",
        json.dumps({"ts": 1, "user_id": str(claim.pk), "size": 10**30}) + "\n",
        json.dumps({"ts": 1, "user_id": str(claim.pk), "size": -5}) + "\n",
    ]  # fmt: skip
    write(log, *strange, line(claim, 10))
    count_new_lines(log)
    assert counted() == 10


def test_a_line_longer_than_a_batch_does_not_stop_the_counting(
    log: Path, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_log, "BATCH", 5000)
    write(log, "x" * 12_345 + "\n", line(claim, 10))
    count_new_lines(log)
    assert counted() == 10


def test_counts_and_position_move_together(log: Path, claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    write(log, line(claim, 10))

    def dies(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("torrents.models.AccessLogPosition.save", dies)
        with pytest.raises(KeyboardInterrupt):
            count_new_lines(log)
    assert counted() == 0
    count_new_lines(log)
    assert counted() == 10


def test_the_day_is_the_lines_own(log: Path, claim: Claim) -> None:
    write(log, json.dumps({"ts": 86400.5, "user_id": str(claim.pk), "size": 5}) + "\n")
    count_new_lines(log)
    assert Traffic.objects.get().day.isoformat() == "1970-01-02"


def test_the_command_says_which_file_is_missing(log: Path, db: None) -> None:
    with pytest.raises(CommandError, match=r"There is no file .*access\.log"):
        call_command("count_handover", str(log))


@pytest.mark.django_db(transaction=True)
def test_killed_again_and_again_it_counts_every_line_once(log: Path, claim: Claim) -> None:
    connection.close()
    for round_ in range(3):
        process = processes.start(
            processes.manage("count_handover", str(log), "--follow"),
            DATABASE_URL=database_url(),
            DATA_DIR=str(log.parent / "data"),
        )
        try:
            write(log, *(line(claim, 1) for _ in range(100)))
            processes.wait_until(lambda seen=round_: counted() > seen * 100, "it counts")  # type: ignore[misc]
        finally:
            process.kill()
            process.communicate()
    call_command("count_handover", str(log))
    assert counted() == 300
