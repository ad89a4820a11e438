"""The configuration of Prometheus and its companions for one machine."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.prometheus import render

E_MAIL = {
    "ALERT_EMAIL_TO": "keeper@example.org",
    "ALERT_EMAIL_FROM": "box@example.org",
    "ALERT_SMTP_SERVER": "mail.example.org:587",
    "ALERT_SMTP_USERNAME": "box",
    "ALERT_SMTP_PASSWORD": 'with "quotes", \\ and #: in it',
}
SITE = {"SITE_ADDRESS": "torrents.example.org"}


def receiver(variables: dict[str, str], name: str) -> dict[str, object]:
    files = dict(render.files(variables))
    told = yaml.safe_load(files["etc/prometheus/alertmanager.yml"])["receivers"]
    (found,) = [one for one in told if one["name"] == name]
    return dict(found)


def targets(**variables: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(
        dict(render.files(variables))["etc/prometheus/targets/site.yml"]
    )
    return found


@pytest.mark.parametrize(
    "variables",
    [
        {},
        SITE,
        SITE | E_MAIL,
        {"ALERT_WEBHOOK_URL": "https://example.org/a?b='c'"},
        E_MAIL | {"ALERT_HEARTBEAT_URL": "https://example.org/x"},
    ],
    ids=["nothing", "site", "e-mail", "webhook", "heartbeat"],
)
@pytest.mark.skipif(
    None in map(shutil.which, ("promtool", "amtool", "prometheus-blackbox-exporter")),
    reason="needs Prometheus and its companions: deploy/test.sh installs them",
)
def test_whatever_is_set_gives_files_that_their_programs_take(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    render.write(tmp_path, variables)

    folder = tmp_path / "etc" / "prometheus"
    for command in (
        ["promtool", "check", "config", folder / "prometheus.yml"],
        ["amtool", "check-config", folder / "alertmanager.yml"],
        ["prometheus-blackbox-exporter", "--config.check", f"--config.file={folder / 'blackbox.yml'}"],
    ):
        told = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, timeout=60, check=False
        )
        assert told.returncode == 0, told.stdout + told.stderr


def test_without_receivers_nobody_is_told() -> None:
    assert receiver({}, "operator") == {"name": "operator"}
    assert receiver({}, "heartbeat") == {"name": "heartbeat"}


def test_e_mail_goes_where_it_is_to_go_whatever_is_in_the_password() -> None:
    assert receiver(E_MAIL, "operator")["email_configs"] == [
        {
            "to": E_MAIL["ALERT_EMAIL_TO"],
            "from": E_MAIL["ALERT_EMAIL_FROM"],
            "smarthost": E_MAIL["ALERT_SMTP_SERVER"],
            "auth_username": E_MAIL["ALERT_SMTP_USERNAME"],
            "auth_password": E_MAIL["ALERT_SMTP_PASSWORD"],
            "send_resolved": True,
        }
    ]


@pytest.mark.parametrize("name", ["ALERT_EMAIL_FROM", "ALERT_SMTP_SERVER"])
def test_e_mail_that_nobody_could_send_is_refused(name: str) -> None:
    with pytest.raises(render.WrongVariable, match=name):
        list(render.files(E_MAIL | {name: ""}))


def test_a_webhook_may_be_told_besides() -> None:
    told = receiver(E_MAIL | {"ALERT_WEBHOOK_URL": "https://example.org/hook"}, "operator")

    assert told["webhook_configs"] == [{"url": "https://example.org/hook"}]
    assert told["email_configs"]


def test_the_site_is_asked_for_by_its_name_on_this_machine() -> None:
    assert targets(**SITE) == [
        {
            "targets": ["https://127.0.0.1"],
            "labels": {"site": "torrents.example.org", "certificate": "public"},
        }
    ]


def test_of_several_names_the_first_is_asked_for_at_its_port() -> None:
    (told,) = targets(SITE_ADDRESS="https://localhost:8443, https://0.0.0.0:8443", SITE_CERTIFICATE="own")

    assert told["targets"] == ["https://127.0.0.1:8443"]
    assert told["labels"] == {"site": "localhost", "certificate": "own"}


def test_a_site_without_https_has_no_certificate() -> None:
    (told,) = targets(SITE_ADDRESS="http://127.0.0.1:8080")

    assert told["labels"]["certificate"] == "none"


def test_no_site_is_looked_at_where_none_is_named() -> None:
    assert targets() == []


def test_an_unknown_kind_of_certificate_is_refused() -> None:
    with pytest.raises(render.WrongVariable, match="SITE_CERTIFICATE"):
        targets(SITE_ADDRESS="example.org", SITE_CERTIFICATE="self-signed")


def test_what_is_written_again_changes_nothing(tmp_path: Path) -> None:
    assert render.write(tmp_path, SITE | E_MAIL)
    assert render.write(tmp_path, SITE | E_MAIL) == []


def test_only_what_changed_is_named(tmp_path: Path) -> None:
    render.write(tmp_path, SITE)

    assert render.write(tmp_path, SITE | E_MAIL) == [tmp_path / "etc/prometheus/alertmanager.yml"]


def test_rules_that_are_no_longer_ours_are_taken_away(tmp_path: Path) -> None:
    old = tmp_path / "etc/prometheus/rules/old.yml"
    old.parent.mkdir(parents=True)
    old.write_text("groups: []\n")

    assert old in render.write(tmp_path, {})
    assert not old.exists()


def test_passwords_are_nobody_elses_to_read(tmp_path: Path) -> None:
    render.write(tmp_path, E_MAIL)

    assert (tmp_path / "etc/prometheus/alertmanager.yml").stat().st_mode & 0o777 == 0o640
