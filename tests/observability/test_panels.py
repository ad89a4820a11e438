"""Every panel shows something where there is something to show: asked on a real Prometheus and a real box."""

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from feeds.tests.feed_server import FeedServer, run_feed_server
from monitoring.dashboards.files import DIRECTORY
from proxy_site.tests import processes
from tests.journeys.followed_feeds import FollowedFeed, in_box, seeded
from tests.observability.grafana import (
    Question,
    answer,
    escaped,
    light,
    panels_of,
    questions_of,
    what_is_wrong,
)
from tests.observability.missing_metrics import ELSEWHERE
from tests.observability.stack import ALICE, Stack
from torrent_proxy_client.api import ApiClient
from torrent_proxy_client.download import Download
from torrent_proxy_client.routes import Route

pytestmark = [pytest.mark.journey, pytest.mark.engine]
FILES = sorted(DIRECTORY.glob("*.json"))
OVERVIEW = DIRECTORY / "overview.json"
ALERT = "DashboardsAreTested"
FIRING = f"""
groups:
  - name: dashboards
    rules:
      - alert: {ALERT}
        expr: vector(1)
        labels: {{severity: info}}
"""
A_SHOW_THAT_IS_FOLLOWED = """
from accounts.models import User
from watchlist.models import Entry, Show
show = Show.objects.create(provider="anilist", external_id="dashboards", english="Harbour", romaji="Harbour",
    format="TV", status="RELEASING", episodes=12)
Entry.objects.create(user=User.objects.get(username="alice"), show=show, origin="list")
"""
SEEN_WITHIN = 180.0  # seconds


@pytest.fixture(scope="module")
def server() -> Iterator[FeedServer]:
    yield from run_feed_server()


@pytest.fixture(scope="module")
def eventful(stack: Stack, server: FeedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All that panels tell of has happened, and Prometheus has seen it."""
    rules = stack.programs.folder / "etc" / "prometheus" / "rules" / "tests-of-dashboards.yml"
    try:
        rules.write_text(FIRING)
        _read_rules_again(stack)
        asyncio.run(_what_people_do(stack, server, tmp_path_factory.mktemp("people")))
        in_box(stack.box, A_SHOW_THAT_IS_FOLLOWED)
        _until_scraped(stack)
        yield stack
    finally:
        rules.unlink()
        _read_rules_again(stack)
        processes.wait_until(lambda: ALERT not in stack.prometheus.firing(), "the alert is gone", SEEN_WITHIN)


async def _what_people_do(stack: Stack, server: FeedServer, folder: Path) -> None:
    """A torrent by a rule of a feed, and one fetched by SFTP."""
    finished, _ = await stack.finish_torrent()
    async with ApiClient(stack.box.url) as alice:
        await alice.log_in(ALICE, stack.password)
        by_sftp = Route(alice, finished, sftp_only=True, notice=print)
        await Download(alice, finished, folder / "fetched", route=by_sftp).run()
        feed = FollowedFeed(stack.box, alice, server)
        await alice.feeds.make_rule({"name": "Lighthouse", "must_contain": "lighthouse"})
        await feed.follow()
        feed.release("Lighthouse - 01", seeded(stack.peer, folder))
        await feed.work()


def _read_rules_again(stack: Stack) -> None:
    os.kill(stack.programs.pid("prometheus"), signal.SIGHUP)


def _until_scraped(stack: Stack) -> None:
    """What happened before now has been seen twice, and the alert fires."""
    began = time.time()
    looked = 'count_over_time(up{job="torrent-proxy"}[%ds])'
    processes.wait_until(
        lambda: (
            (stack.prometheus.value(looked % max(1, int(time.time() - began))) or 0) >= 2
            and ALERT in stack.prometheus.firing()
        ),
        "Prometheus has seen what happened",
        SEEN_WITHIN,
    )


def _cannot_be_told(question: Question) -> bool:
    return any(re.search(rf"\b{metric}\b", question.promql) for metric in ELSEWHERE)


def _questions(path: Path) -> list[Question]:
    return [question for question in questions_of(path) if not _cannot_be_told(question)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_panel_shows_something(eventful: Stack, path: Path) -> None:
    assert [
        wrong for question in _questions(path) if (wrong := what_is_wrong(eventful.prometheus, question))
    ] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_metric_that_has_another_name_leaves_a_panel_empty(eventful: Stack, path: Path) -> None:
    """So the test above notices it: whatever else a panel asks, none shows something without one of its metrics."""
    names = eventful.prometheus.metric_names() | {"ALERTS"}
    unnoticed = []
    for question in _questions(path):
        used = names & set(re.findall(r"\w+", question.promql))
        assert used, f"no metric in {question.promql}"
        unnoticed += [
            (metric, question.where)
            for metric in used
            if answer(eventful.prometheus, question.renamed(metric))
        ]
    assert unnoticed == []


def test_a_person_who_is_chosen_is_shown_alone(eventful: Stack) -> None:
    (path,) = [path for path in FILES if path.stem == "people"]
    asked = [
        question
        for question in questions_of(path, user=escaped(ALICE))
        if f'user=~"{ALICE}"' in question.promql and not _cannot_be_told(question)
    ]
    assert len(asked) > 10
    assert [wrong for question in asked if (wrong := what_is_wrong(eventful.prometheus, question))] == []
    nobody = escaped("nobody (here)")
    assert [
        question
        for question in questions_of(path, user=nobody)
        if nobody in question.promql and answer(eventful.prometheus, question)
    ] == []


@pytest.mark.parametrize(
    ("title", "word"),
    [
        ("Website", "Answers"),
        ("Database", "Answers"),
        ("qBittorrent", "Answers"),
        ("Disk", "Room"),
        ("Month's egress", "Within limit"),
        ("Idle machine", "In use"),
        ("Metrics", "Complete"),
    ],
)
def test_a_light_of_a_box_that_is_well_is_green(eventful: Stack, title: str, word: str) -> None:
    (panel,) = [panel for panel in panels_of(json.loads(OVERVIEW.read_text())) if panel["title"] == title]
    value = eventful.prometheus.value(panel["targets"][0]["expr"])
    assert value is not None
    assert light(panel, value) == (word, "green")


@pytest.mark.parametrize(
    ("dashboard", "panel"),
    [
        ("automation", "New items, last day (A)"),
        ("automation", "Shows followed (A)"),
        ("automation", "Rules decided, last day (A)"),
        ("automation", "Taken of feeds (A)"),
        ("overview", "Speeds (A)"),
        ("overview", "Speeds (C)"),
        ("people", "Refused logins, last day (A)"),
        ("people", "What each person uses (E)"),
        ("people", "What each person uses (F)"),
    ],
)
def test_what_happened_is_more_than_nothing(eventful: Stack, dashboard: str, panel: str) -> None:
    (asked,) = [
        question
        for question in questions_of(DIRECTORY / f"{dashboard}.json")
        if question.where == f"{dashboard}: {panel}"
    ]
    assert max(answer(eventful.prometheus, asked)) > 0
