"""Dashboards hang together, by their committed files. Whether panels show something: tests/observability/."""

import configparser
import itertools
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from monitoring.dashboards import __main__ as command
from monitoring.dashboards.files import DIRECTORY, files, stale
from monitoring.dashboards.runbook import chapters
from proxy_site.environment import PROJECT_DIR
from tests.observability.grafana import light, panels_of, questions_of
from tests.observability.rules import alerts

GRAFANA = PROJECT_DIR / "deploy" / "grafana"
RELEASE = "/opt/oci-torrent-proxy/current/"  # where a release is on a server
FILES = sorted(DIRECTORY.glob("*.json"))
UIDS = {"overview", "box", "qbittorrent", "people", "automation", "database", "runbook"}
# Grafana's grid, in pixels.
LINE, GAP, COLUMNS = 30, 8, 24
WINDOW = (1440, 900)
ABOVE = 100  # Grafana's two bars
LETTER, ICONS = 7.5, 64  # of a panel's title, and beside it

each = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
Json = dict[str, Any]


def read(path: Path) -> Json:
    found: Json = json.loads(path.read_text())
    return found


def targets_of(dashboard: Json) -> Iterator[tuple[Any, Json]]:
    for panel in panels_of(dashboard):
        for target in panel["targets"]:
            yield panel, target


def test_the_committed_files_are_what_the_code_makes() -> None:
    assert stale(DIRECTORY) == [], "run: python -m monitoring.dashboards"
    assert files() == files()


def test_the_command_writes_what_is_missing_or_stale_and_takes_away_what_is_no_dashboard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "box.json").write_text("{}")
    (tmp_path / "former.json").write_text("{}")
    monkeypatch.setattr("sys.argv", ["dashboards", "--directory", str(tmp_path), "--check"])
    assert command.main() == 1
    assert "former.json" in capsys.readouterr().err
    assert (tmp_path / "former.json").exists()

    monkeypatch.setattr("sys.argv", ["dashboards", "--directory", str(tmp_path)])
    assert command.main() == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == files()

    monkeypatch.setattr("sys.argv", ["dashboards", "--directory", str(tmp_path), "--check"])
    assert command.main() == 0


def test_each_dashboard_has_the_address_that_others_link_to() -> None:
    assert {path.stem for path in FILES} == UIDS
    assert [path.stem for path in FILES if read(path)["uid"] != path.stem] == []


@each
def test_the_file_is_what_grafanas_own_models_read(path: Path) -> None:
    read_back = Dashboard.from_json(read(path))
    assert json.loads(json.dumps(read_back, cls=JSONEncoder)) == read(path)


@each
def test_every_panel_has_an_id_of_its_own(path: Path) -> None:
    ids = [panel["id"] for panel in read(path)["panels"]]
    assert len(set(ids)) == len(ids)


@each
def test_no_panel_covers_another_or_leaves_the_page(path: Path) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in read(path)["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= COLUMNS, panel["title"]
        for cell in itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])):
            assert cell not in taken, f"{panel['title']} covers {taken[cell]}"
            taken[cell] = panel["title"]
    widest = {y: sum(1 for _, row in taken if row == y) for _, y in taken}
    assert {y for y, cells in widest.items() if cells != COLUMNS} == set(), "lines with holes"


@each
def test_every_panel_says_what_it_shows_and_in_what_unit(path: Path) -> None:
    for panel in panels_of(read(path)):
        assert panel["title"]
        assert re.match(r"[A-Za-z].+[.]$", panel["description"]), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


@each
def test_a_panel_with_words_has_one_for_every_value(path: Path) -> None:
    for panel in panels_of(read(path)):
        mappings = panel["fieldConfig"]["defaults"].get("mappings", [])
        ranges = [mapping["options"]["to"] for mapping in mappings if mapping["type"] == "range"]
        if ranges:
            assert ranges == [*sorted(ranges[:-1]), None], panel["title"]
            assert light(panel, math.inf)


@each
def test_everything_is_asked_of_the_data_source_that_is_provisioned(path: Path) -> None:
    dashboard = read(path)
    asked = [dashboard["annotations"]["list"], dashboard["templating"]["list"], panels_of(dashboard)]
    sources = [one["datasource"] for one in itertools.chain(*asked)]
    sources += [target["datasource"] for _, target in targets_of(dashboard)]
    ours = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "torrent-proxy.yaml").read_text())
    (prometheus,) = [one for one in ours["datasources"] if one.get("isDefault")]
    assert {(source["type"], source["uid"]) for source in sources} == {
        (prometheus["type"], prometheus["uid"])
    }


@each
def test_series_of_one_panel_can_be_told_apart(path: Path) -> None:
    for panel in panels_of(read(path)):
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs)
        if panel["type"] == "table" or len(refs) == 1:
            continue
        legends = [target.get("legendFormat") for target in panel["targets"]]
        assert all(legends), panel["title"]
        assert len(set(legends)) == len(legends), panel["title"]


@each
def test_titles_fit_a_window_of_1440_pixels(path: Path) -> None:
    column = (WINDOW[0] - 2 * GAP) / COLUMNS
    for panel in panels_of(read(path)):
        room = panel["gridPos"]["w"] * column - GAP
        assert len(panel["title"]) * LETTER + ICONS <= room, panel["title"]


def test_the_overview_fits_one_screen() -> None:
    lines = max(
        panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in read(DIRECTORY / "overview.json")["panels"]
    )
    assert lines * (LINE + GAP) + ABOVE <= WINDOW[1]


@each
def test_links_lead_to_dashboards_that_are_there(path: Path) -> None:
    text = path.read_text()
    assert set(re.findall(r'"/d/([^"/?]+)', text)) <= UIDS
    (menu,) = read(path)["links"]
    assert (menu["type"], menu["tags"]) == ("dashboards", read(path)["tags"])


def test_every_alert_has_its_card_in_the_runbook() -> None:
    cards = {panel["title"] for panel in read(DIRECTORY / "runbook.json")["panels"]}
    assert {alert.name for alert in alerts()} - cards == set()


def test_the_runbook_is_cut_at_its_headings_but_not_at_comments_in_commands() -> None:
    found = chapters("# First\nText, see [Two](#two).\n\n## Second\n\n### Two\n```bash\n# not this\n```\n")
    assert [(one.title, [(card.title, card.content) for card in one.cards]) for one in found] == [
        ("First", [("First", "Text, see **Two**.")]),
        ("Second", [("Two", "```bash\n# not this\n```")]),
    ]


@each
def test_our_own_metrics_are_asked_for_by_the_names_that_are_documented(path: Path) -> None:
    documented = set(
        re.findall(r"^\| `(\w+)`", (PROJECT_DIR / "docs" / "metrics.md").read_text(), re.MULTILINE)
    )
    used = {
        re.sub(r"(_seconds(_by_view_method)?)_bucket$", r"\1", name)
        for question in questions_of(path)
        for name in re.findall(r"\b(?:torrentproxy|django)_\w+", question.promql)
    }
    assert used - documented == set()


def test_rates_are_made_of_the_interval_at_which_prometheus_asks() -> None:
    ours = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "torrent-proxy.yaml").read_text())
    theirs = yaml.safe_load((PROJECT_DIR / "deploy" / "prometheus" / "prometheus.yml").read_text())
    assert ours["datasources"][0]["jsonData"]["timeInterval"] == theirs["global"]["scrape_interval"]


def test_grafana_finds_what_it_is_told_of_in_a_release() -> None:
    told = "\n".join(
        path.read_text() for path in GRAFANA.rglob("*") if path.suffix in (".ini", ".yaml", ".env")
    )
    places = re.findall(rf"{RELEASE}(\S+)", told)
    assert len(places) > 3
    assert [place for place in places if not (PROJECT_DIR / place).exists()] == []


def test_grafana_is_behind_caddy_and_calls_nobody() -> None:
    told = configparser.ConfigParser(interpolation=None)
    told.read(GRAFANA / "grafana.ini")
    assert told["server"]["http_addr"] == told["auth.proxy"]["whitelist"] == "127.0.0.1"
    assert told["server"]["root_url"].endswith("/grafana/")
    assert told.getboolean("server", "serve_from_sub_path")
    assert told.getboolean("auth", "disable_login_form")
    assert not told.getboolean("auth.basic", "enabled")
    assert not told.getboolean("auth.anonymous", "enabled")
    assert not any(told.getboolean("analytics", name) for name in told["analytics"])
