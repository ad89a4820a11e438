"""What leaves the box in a support bundle, and what must not."""

import errno
import json
import os
import stat
import tarfile
import time
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone
from django_q.models import Task
from pytest_django import Settings

from accounts import audit
from accounts.models import AuditEvent, User
from accounts.tests.factories import UserFactory
from monitoring.support import parts
from monitoring.support.bundle import make_bundle
from monitoring.support.redaction import Redactor
from torrents.models import Engine

INFOHASH = "c12fe1c06bba254a9dc9f519b335aa7c1367a88a"
# What would open something or say who somebody is, and a line of a log as it might stand there.
PLANTED = {
    "Zq8-secret-key-of-the-site-Zq8-secret-key": "BadSignature with Zq8-secret-key-of-the-site-Zq8-secret-key",
    "an older secret key of this site": "fallback an older secret key of this site",
    "hunter2 of qBittorrent": "login failed with hunter2 of qBittorrent",
    "metrics-token-0123456789": "scrape with metrics-token-0123456789",
    "p@ss word/of=postgres": "FATAL for p@ss word/of=postgres",
    "p%40ss%20word%2Fof%3Dpostgres": "cannot connect to postgresql://box:p%40ss%20word%2Fof%3Dpostgres@db/box",
    "secretfromtheenvironment": "uses secretfromtheenvironment",
    "b3BlbnNzaC1rZXktdjEAAAA": "b3BlbnNzaC1rZXktdjEAAAA",
    "MIIEowIBAAKCAQEA": "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
    "AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L": "key AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
    "1f2e3d4c5b6a79880123456789abcdef": "https://tracker.example/1f2e3d4c5b6a79880123456789abcdef/announce failed",
    "shortpasskey7": "feed https://indexer.example/rss/shortpasskey7/all answered 403",
    "querykey8": "GET /api/v1/feeds/?apikey=querykey8&cat=5000 500",
    "userinfopassword": "http://bob:userinfopassword@10.0.0.5:8090 refused",
    "signedLinkToken_abcDEF": "GET /api/v1/links/signedLinkToken_abcDEF/content/ 200",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl": "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "opaquebearer99": "Authorization: Bearer opaquebearer99",
    "cookievalue55": "Cookie: csrftoken=x; sessionid=cookievalue55",
    "correct horse battery": 'body {"password": "correct horse battery", "username": "x"}',
    "two unquoted words": "password: two unquoted words",
    "k7mp-x2qd-9rvw-hj4t": "made k7mp-x2qd-9rvw-hj4t for somebody",
    "carol.surname@mail.example": "from carol.surname@mail.example",
    INFOHASH: f"magnet:?xt=urn:btih:{INFOHASH}&dn=Some+Lighthouse",
    "Some+Lighthouse": "added",
    "C12FE1C06BBA254A9DC9F519B335AA7C1367A88B": "torrent C12FE1C06BBA254A9DC9F519B335AA7C1367A88B",
    "transferCredential_0aB1cD2eF3gH4iJ5kL6m": "sftp password transferCredential_0aB1cD2eF3gH4iJ5kL6m",
    "q8Zx/Lm3Vt+R5nYd/Kc0PwHsBg7JfUeA2oXiTrWl9DY": "key q8Zx/Lm3Vt+R5nYd/Kc0PwHsBg7JfUeA2oXiTrWl9DY=",
    "93.184.216.34": "refused 93.184.216.34:51413",
    "2606:2800:220:1::34": "refused [2606:2800:220:1::34]",
    "escapedjson1": r'INSERT payload "{\"password\": \"escapedjson1\"}"',
    "afterthequote2": r'"passkey": "a\"afterthequote2"',
    "abbreviated3": "SMTP_PASS=abbreviated3",
    "bytesvalue4": "{b'token': b'bytesvalue4'}",
    "arrowvalue5": "User-Password => 'arrowvalue5'",
    "cutoffvalue6": 'body {"secret": "cutoffvalue6',
    "withcomma,value7": "host=db password=withcomma,value7",
    "pairvalue8": "[('x-api-key', 'pairvalue8'), ('accept', '*/*')]",
    "flagvalue9": "ran: psql --password flagvalue9",
    "elementvalue10": "<apikey>elementvalue10</apikey>",
    "rowvalue11": "DETAIL:  Failing row contains (7, rowvalue11, null).",
    "uniquevalue12": "DETAIL:  Key (lower(username::text))=(uniquevalue12) already exists.",
    "boundvalue13": "CONTEXT:  unnamed portal with parameter $2 = 'boundvalue13'",
    "c2FsdHNhbHQ": "hash argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHQ$aGFzaGhhc2g",
    "p@atsign14": "http://bob:p@atsign14@10.0.0.5:8090 refused",
    "with/slash15": "proxy http://bob:with/slash15@10.0.0.5:8090/ refused",
    "schemeless16": "rsync bob:schemeless16@10.0.0.5:x failed",
    "encodedpasskey17": "asked for http%3A%2F%2Ftracker.example%2Fencodedpasskey17%2Fannounce",
    "phppasskey18": r'{"link":"http:\/\/indexer.example\/phppasskey18\/get"}',
    "pathpasskey19": "HTTPConnectionPool(host='indexer.example'): Max retries exceeded with url: /pathpasskey19/rss",
    "Encoded+Lighthouse": "magnet%3A%3Fxt%3Durn%3Abtih%3Ax%26dn%3DEncoded+Lighthouse",
    "d8e8fca2dc0f896fd7cb4cb0031ba249d8e8fca2": "torrent_d8e8fca2dc0f896fd7cb4cb0031ba249d8e8fca2.fastresume",
    "93.184.216.35": "refused [::ffff:93.184.216.35]:51413",
    "216.36": "refused ::ffff:93.184.216.36",
    "aHVudGVyMiBvZiBxQml0dG9ycmVudA": "sent aHVudGVyMiBvZiBxQml0dG9ycmVudA==",  # base64 of the engine's password
    "inanaddressoftheenvironment": "login with inanaddressoftheenvironment",
    "abbreviatedintheenvironment": "login with abbreviatedintheenvironment",
    "Bob.Builder": "quota of bob.builder is used up",
}


@pytest.fixture
def planted(
    db: None, engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A box full of secrets. The folder in which bundles may be made."""
    secret, older, engine_password, token, database_password, _, environment, key, *_ = PLANTED
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = secret, [older]
    settings.QBITTORRENT_PASSWORD, settings.METRICS_TOKEN = engine_password, token
    settings.DATA_DIR, settings.DOWNLOADS_DIR = tmp_path / "data", tmp_path / "data"
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", database_password)
    monkeypatch.setenv("BACKUP_SECRET_KEY", environment)
    monkeypatch.setenv("HTTPS_PROXY", "http://box:inanaddressoftheenvironment@proxy.example:3128")
    monkeypatch.setenv("smtp_pass", "abbreviatedintheenvironment")
    (tmp_path / "data" / "secrets").mkdir(parents=True)
    (tmp_path / "data" / "secrets" / "sftp_host_key").write_text(f"header\n{key}\n")

    lines = tmp_path / "lines"
    lines.write_text("".join(f"2026-01-02T03:04:05 box web: {line}\n" for line in PLANTED.values()))
    journalctl = tmp_path / "bin" / "journalctl"
    journalctl.parent.mkdir()
    journalctl.write_text(f"#!/bin/sh\ncat {lines}\n")
    journalctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{journalctl.parent}:{os.environ['PATH']}")

    UserFactory.create(username="Bob.Builder")
    Engine.objects.update(message="\n".join(PLANTED.values()))
    now = timezone.now()
    Task.objects.create(
        id="2" * 32, name="b", func="feeds.tasks.check_feeds", started=now, stopped=now, success=False,
        result="\n".join(PLANTED.values()),
    )  # fmt: skip
    return tmp_path


def made(folder: Path, *arguments: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What the command says, and the files of the bundle."""
    output = StringIO()
    path = folder / "support.tar.gz"
    arguments = ("--output", str(path), "--log", str(folder / "lines"), "--json", *arguments)
    call_command("support_bundle", *arguments, stdout=output)
    with tarfile.open(path) as archive:
        files = {
            member.name.removeprefix("support/"): opened.read().decode()
            for member in archive
            if (opened := archive.extractfile(member)) is not None
        }
    return json.loads(output.getvalue()), files


def test_no_secret_of_any_kind_is_in_it(planted: Path) -> None:
    said, files = made(planted)
    everything = "\n".join([*files, *files.values(), json.dumps(said)]).lower()

    assert [secret for secret in PLANTED if secret.lower() in everything] == []
    # Nor is that so because nothing was collected.
    assert said["unread"] == {}
    assert files["logs/web.txt"].count("2026-01-02T03:04:05 box web:") == len(PLANTED)
    assert "quota of user-" in files["logs/web.txt"]
    assert "quota of user-" in files["logs/1-lines"]
    assert "quota of user-" in files["failed-tasks.json"]
    assert "quota of user-" in files["database.json"]


def test_it_tells_how_the_box_is(planted: Path) -> None:
    files = made(planted)[1]
    doctor, settings, machine = (
        json.loads(files[f"{name}.json"]) for name in ("doctor", "settings", "machine")
    )

    assert {check["name"] for check in doctor["checks"]} >= {"database", "engine", "worker", "admin"}
    assert settings["WEB_WORKERS"] == 2
    assert settings["SECRET_KEY"] == settings["METRICS_TOKEN"] == "[set]"
    assert settings["REFRESH_TOKEN_DAYS"] == 30
    assert machine["volumes"]["DATA_DIR"]["free"] > 0
    assert json.loads(files["migrations.json"])["missing"] == []
    assert json.loads(files["database.json"])["tables"]["accounts_user"]["size"] > 0
    assert "django" in {name.lower() for name in json.loads(files["versions.json"])["packages"]}
    assert "torrentproxy_database_up 1" in files["metrics.txt"]


def test_it_says_itself_what_is_in_it_and_what_was_taken_out(planted: Path) -> None:
    said, files = made(planted)
    assert set(said["files"]) == set(files)
    assert all(name in files["README.txt"] for name in files if name != "README.txt")
    for kind in ("known secrets", "magnets", "headers", "e-mail addresses", "user names", "signed links"):
        assert said["removed"][kind] > 0
        assert f"{kind}: " in files["README.txt"]


def test_only_its_owner_may_read_it_and_it_replaces_nothing(planted: Path) -> None:
    made(planted)
    path = planted / "support.tar.gz"
    before = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="is there already"):
        made(planted)
    assert path.read_bytes() == before


def test_that_it_was_made_is_noted(planted: Path) -> None:
    made(planted)
    event = AuditEvent.objects.get(action=AuditEvent.Action.SUPPORT_BUNDLE)
    assert (event.actor, event.user, event.detail) == (None, None, "support.tar.gz")


def test_user_names_stay_for_whoever_asks_for_them(planted: Path) -> None:
    assert "quota of bob.builder" in made(planted, "--user-names")[1]["logs/web.txt"]


def test_what_cannot_be_read_is_told_and_the_rest_is_there(
    planted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(planted / "empty"))
    with patch.object(parts, "migrations", side_effect=OperationalError("password=letmein is wrong")):
        said, files = made(planted)
    assert said["unread"]["migrations.json"] == "OperationalError: password=[REDACTED]"
    assert "logs/web.txt" in said["unread"]
    assert {"doctor.json", "settings.json", "machine.json"} <= set(files)


def test_where_systemd_keeps_no_log_the_bundle_says_so(planted: Path) -> None:
    (planted / "bin" / "journalctl").write_text("#!/bin/sh\n")
    said, files = made(planted)
    assert "systemd keeps nothing of it" in said["unread"]["logs/web.txt"]
    assert "logs/web.txt" not in files


def test_without_a_database_there_is_a_bundle_all_the_same(planted: Path) -> None:
    away = OperationalError("away")
    with (
        patch.object(User.objects, "listed", side_effect=away),
        patch.object(audit, "record", side_effect=away),
    ):
        assert "doctor.json" in made(planted)[1]


def test_a_log_is_bounded_and_begins_with_a_whole_line(planted: Path) -> None:
    with (planted / "lines").open("w") as log:
        log.writelines(f"{number:07} nothing happened here\n" for number in range(1000))
    with patch.object(parts, "LOG_BYTES", 10_000):
        text = made(planted)[1]["logs/1-lines"]
    assert 9_900 < len(text) < 10_000
    assert text.endswith("0000999 nothing happened here\n")
    assert len(text.partition("\n")[0]) == len("0000000 nothing happened here")


@pytest.mark.parametrize(
    "line",
    [
        "torrent 8c0a4c2e-1111-4222-8333-123456789abc: no checksum for file 3",
        "refused a connection from 192.168.1.7 at 12:34:56",
        "GET /health/ready 200, 127.0.0.1:8000",
        'File "/opt/oci-torrent-proxy/releases/20260102T030405Z/venv/lib/python3/site-packages/django/db/utils.py"',
        "accounts.0002_sessions_lockout_keys_audit is missing",
        "Took 12 items in 0.5 s. Where? In torrentproxy-verify-backup.service",
    ],
)
def test_what_helps_and_opens_nothing_stays(line: str) -> None:
    redactor = Redactor(secrets=["secret-value"], people={"alice": "user-1"})
    assert redactor.text(line) == line
    assert not redactor.removed


@pytest.mark.parametrize(
    "piece",
    [
        "a?b",
        "://",
        "Key (",
        "a-",
        "pass",
        "argon2",
        "9",
        "a:",
        "--pass ",
        "<pass",
        "a.b+c-",
        "magnet:",
        "\\",
        "'",
        " ",
    ],
)
def test_the_time_that_a_line_takes_grows_as_its_length(piece: str) -> None:
    """A log may be one line of a MiB. Sixteen times the length is sixteen times the CPU time, not its square."""

    def seconds(length: int) -> float:
        text, began = piece * (length // len(piece)), time.process_time()
        Redactor(secrets=["secret-value"], people={"alice": "user-1"}).text(text)
        return time.process_time() - began

    assert seconds(128_000) < 100 * max(seconds(8_000) for _ in range(3))


def test_nothing_is_left_of_a_bundle_for_which_there_is_no_room(planted: Path) -> None:
    with (
        patch("monitoring.support.bundle._add", side_effect=OSError(errno.ENOSPC, "No space left on device")),
        pytest.raises(CommandError, match="No space left on device"),
    ):
        made(planted)
    assert not (planted / "support.tar.gz").exists()


def test_a_name_that_is_no_text_is_a_name_for_a_bundle_too(planted: Path) -> None:
    bundle = make_bundle(planted / os.fsdecode(b"\xff.tar.gz"))
    assert bundle.path.exists()
    assert AuditEvent.objects.get(action=AuditEvent.Action.SUPPORT_BUNDLE).detail == "?.tar.gz"


def test_a_log_that_never_ends_or_begins_is_told_instead_of_waited_for(planted: Path) -> None:
    os.mkfifo(planted / "pipe")
    said = made(planted, "--log", str(planted / "pipe"), "--log", "/dev/zero")[0]
    for name in ("logs/2-pipe", "logs/3-zero"):
        assert said["unread"][name] == "NothingLogged: It is no file."


def test_where_one_stands_is_no_secret(planted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PWD", "OLDPWD"):
        monkeypatch.setenv(name, str(planted))
    assert json.loads(made(planted)[1]["settings.json"])["DATA_DIR"] == str(planted / "data")


def test_of_a_long_journal_only_the_end_is_asked_for(planted: Path) -> None:
    asked = planted / "asked"
    (planted / "bin" / "journalctl").write_text(f'#!/bin/sh\necho "$@" > {asked}\necho line\n')
    made(planted)
    assert f"--lines={parts.LOG_LINES}" in asked.read_text().split()
