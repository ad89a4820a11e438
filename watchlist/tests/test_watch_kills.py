"""A real process that decides on a real PostgreSQL, killed again and again while items go on appearing."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from accounts.models import User
from accounts.tests.factories import UserFactory
from proxy_site.environment import PROJECT_DIR
from watchlist import consumer
from watchlist.models import Candidate, Decision, Entry, Reading
from watchlist.tests.deciding_world import Chosen, Feed, follow, show

pytestmark = pytest.mark.django_db(transaction=True)

KILLS = 6
PATIENCE = 60.0  # seconds for a process to begin
DECIDES = """
import time
import django
django.setup()
import pytest
from watchlist import choosing, consumer
from watchlist.tests import stand_in
stand_in.install(pytest.MonkeyPatch())
consumer.AT_ONCE = 3
choosing.choose = lambda **named: time.sleep(0.01)
while True:
    consumer.catch_up()
"""


@contextmanager
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """On the test's own database, and dead afterwards."""
    found = connection.settings_dict
    url = f"postgresql://{found['USER']}@/{found['NAME']}?host={found['HOST']}"
    url += f"&port={found['PORT']}" if found["PORT"] else ""
    process = subprocess.Popen(
        [sys.executable, "-c", DECIDES],
        cwd=PROJECT_DIR,
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "proxy_site.settings"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for_more_than(count: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while Candidate.objects.count() <= count:
        assert process.poll() is None, "it ended by itself"
        assert time.monotonic() < deadline, "it decides nothing"
        time.sleep(0.01)


def test_no_item_is_lost_or_decided_twice_however_often_it_is_killed(
    transactional_db: None, chosen: Chosen
) -> None:
    chance = random.Random(11)
    people: list[User] = [UserFactory.create(), UserFactory.create()]
    lighthouse = show("Lighthouse")
    for person in people:
        follow(person, lighthouse)
    feeds = [Feed(people[0]), Feed(people[0])]
    Feed(people[1], feeds[0].source)
    late = follow(people[1], show("Windmill"))
    for turn in range(KILLS):
        before = Candidate.objects.count()
        for feed in feeds:
            feed.store(
                *(f"Lighthouse - {turn * 10 + number}" for number in range(1, 11)), f"Windmill - {turn + 1}"
            )
        Entry.objects.filter(pk=late.pk).update(look_back=True)
        with worker() as process:
            wait_for_more_than(before, process)
            time.sleep(chance.uniform(0.0, 0.05))
    consumer.catch_up()
    stored = KILLS * 10
    titles = sorted(f"Lighthouse - {number}" for number in range(1, stored + 1))
    found = Candidate.objects.filter(entry__show=lighthouse)
    assert sorted(found.filter(entry__user=people[0]).values_list("title", flat=True)) == sorted(titles * 2)
    assert sorted(found.filter(entry__user=people[1]).values_list("title", flat=True)) == titles
    assert late.candidates.count() == KILLS
    assert Decision.objects.count() == Candidate.objects.count()
    assert set(Reading.objects.values_list("position", flat=True)) == {KILLS * 11}
