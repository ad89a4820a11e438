"""Alerts fire where something is wrong, stay silent where nothing is, and say what to do. No server is needed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from proxy_site.environment import PROJECT_DIR
from tests.observability.rules import FOLDER, RULE_TESTS, RULES, alerts, all_rules, cases, metrics_of

RUNBOOK = PROJECT_DIR / "docs" / "runbook.md"
SEVERITIES = {"page", "warning", "info"}
PARTS = {"web", "reconciler", "worker"}  # which others may follow from

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="needs promtool: deploy/test.sh installs it"
)


def promtool(*arguments: object, cwd: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


@needs_promtool
def test_prometheus_takes_every_rule() -> None:
    told = promtool("check", "rules", *RULES)

    assert told.returncode == 0, told.stdout + told.stderr


@needs_promtool
@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_alerts_fire_and_stay_silent_as_their_tests_say(path: Path) -> None:
    told = promtool("test", "rules", path)

    assert told.returncode == 0, told.stdout + told.stderr


def test_every_alert_is_shown_to_fire_and_to_stay_silent() -> None:
    shown = {case for path in RULE_TESTS for case in cases(path)}

    assert shown == {(alert.name, fires) for alert in alerts() for fires in (True, False)}


@needs_promtool
@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_what_an_alert_says_can_be_filled_in(path: Path, tmp_path: Path) -> None:
    """promtool shows the words of an alert that was expected to be silent."""
    asked = yaml.safe_load(path.read_text())
    asked["rule_files"] = [str((path.parent / name).resolve()) for name in asked["rule_files"]]
    firing = set()
    for group in asked["tests"]:
        wanted = [question for question in group.pop("promql_expr_test") if question["exp_samples"]]
        names = [re.findall(r'alertname="(\w+)"', question["expr"])[0] for question in wanted]
        firing |= set(names)
        group["alert_rule_test"] = [
            {"alertname": name, "eval_time": question["eval_time"], "exp_alerts": []}
            for name, question in zip(names, wanted, strict=True)
        ]
    file = tmp_path / "said.yml"
    file.write_text(yaml.safe_dump(asked))

    told = promtool("test", "rules", file)

    said = told.stdout + told.stderr
    assert firing == set(re.findall(r'Labels:{alertname="(\w+)"', said)), said
    assert "error expanding" not in said
    assert "<no value>" not in said


def test_every_alert_has_a_severity_a_sentence_and_what_to_do() -> None:
    for alert in alerts():
        assert alert.labels["severity"] in SEVERITIES, alert.name
        assert alert.labels.get("follows", "web") in PARTS, alert.name
        assert alert.annotations["summary"].endswith("."), alert.name
        assert alert.annotations["action"], alert.name


def test_every_alert_leads_to_its_own_section_of_the_runbook() -> None:
    headings = re.findall(r"^### (\w+)$", RUNBOOK.read_text(), re.MULTILINE)

    assert headings == list(dict.fromkeys(headings))
    assert {f"docs/runbook.md#{alert.name.lower()}" for alert in alerts()} == {
        alert.annotations["runbook"] for alert in alerts()
    }
    assert {alert.name for alert in alerts()} == set(headings)


def test_recorded_names_tell_level_metric_and_operation() -> None:
    names = [rule["record"] for rule in all_rules() if "record" in rule]

    assert [name for name in names if not re.fullmatch(r"[a-z_]+:[a-z_]+:[a-z0-9_]+", name)] == []
    asked = set().union(*(metrics_of(alert.expr) for alert in alerts()))
    assert [name for name in asked if ":" in name and name not in names] == []
