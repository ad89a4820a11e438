"""What people are told of their limits: why a torrent waits, how much they have used, and when fetching ends."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from accounts.models import User
from torrents import admission, allowances
from torrents.api.serializers import TorrentSerializer
from torrents.budgets import PATIENCE
from torrents.links import make_link
from torrents.models import Claim, Engine, LiveState, SwarmTraffic, Torrent, Traffic
from torrents.services import default_engine
from torrents.states import message_of
from torrents.tests.factories import add, client_of, finished, fresh_magnet
from torrents.waiting import in_words

GIB = 2**30
WaitsFor = Claim.WaitsFor

pytestmark = pytest.mark.usefixtures("downloads")


@pytest.fixture(autouse=True)
def in_december(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowances, "utc_today", lambda: date(2026, 12, 5))


def holding(user: User, size: int | None, **fields: Any) -> Claim:
    """A claim on a torrent of this size, of one's own."""
    claim = add(user, fresh_magnet())
    Torrent.objects.filter(pk=claim.torrent_id).update(size=size)
    Claim.objects.filter(pk=claim.pk).update(**fields)
    return seen(claim)


def seen(claim: Claim) -> Claim:
    return Claim.objects.of(claim.user).get(pk=claim.pk)


def told(claim: Claim, *, free_space: int | None = None) -> str:
    """What its owner reads after it was decided on."""
    Engine.objects.update(free_space=free_space, reachable=True)
    admission.decide(engine=default_engine(), free_space=free_space)
    return message_of(seen(claim))


def limit(user: User, **limits: int | None) -> None:
    User.objects.filter(pk=user.pk).update(**limits)


def fetched(user: User, sent: int) -> None:
    Traffic.objects.create(user=user, day=date(2026, 12, 1), channel="https", sent=sent)


# --- why it waits


def test_disk_says_what_it_needs_what_is_left_and_what_to_do(alice: User) -> None:
    limit(alice, disk_quota=10 * GIB)
    holding(alice, 7 * GIB, admitted_size=7 * GIB)
    assert told(holding(alice, 4 * GIB)) == (
        "It needs 4 GiB, and 3 GiB of your 10 GiB are left. Remove what you no longer need, and it starts by itself."
    )


def test_what_is_larger_than_the_whole_quota_says_that_it_can_never_fit(alice: User) -> None:
    limit(alice, disk_quota=10 * GIB)
    assert told(holding(alice, 11 * GIB)) == (
        "This can never fit: it needs 11 GiB, and all your torrents together may take 10 GiB. "
        "Choose fewer of its files, or ask your admin for more space."
    )


def test_without_a_quota_of_their_own_people_have_the_servers_default(
    alice: User, settings: Settings
) -> None:
    settings.DEFAULT_DISK_QUOTA = GIB
    assert "may take 1 GiB" in told(holding(alice, 2 * GIB))


def test_room_that_is_kept_for_an_older_torrent_is_said_to_be(alice: User) -> None:
    limit(alice, disk_quota=10 * GIB)
    holding(alice, 7 * GIB, admitted_size=7 * GIB)
    long_ago = datetime.now(UTC) - 1.5 * PATIENCE
    holding(alice, 5 * GIB, waits_for="user_disk", added_at=long_ago)
    assert "an older torrent of yours" in told(holding(alice, GIB))


def test_active_torrents_say_how_many_there_are(alice: User) -> None:
    limit(alice, active_torrent_limit=1)
    holding(alice, GIB, admitted_size=GIB)
    assert told(holding(alice, GIB)) == (
        "1 of your torrents is downloading, and 1 may at the same time. "
        "It starts by itself when one finishes; pause one to let it start now."
    )


def test_traffic_says_what_is_left_and_when_it_starts(alice: User) -> None:
    limit(alice, monthly_traffic_limit=10 * GIB)
    fetched(alice, 5 * GIB)
    holding(alice, 3 * GIB, admitted_size=3 * GIB)
    assert told(holding(alice, 4 * GIB)) == (
        "It has 4 GiB, and of the 10 GiB that you may fetch this month 2 GiB are left besides your other torrents. "
        "It starts by itself on 1 January, or when your admin gives you more."
    )


def test_what_is_larger_than_a_whole_months_traffic_can_never_fit(alice: User) -> None:
    limit(alice, monthly_traffic_limit=10 * GIB)
    assert "can never fit: it has 11 GiB, and you may fetch 10 GiB in a month" in told(
        holding(alice, 11 * GIB)
    )


def test_the_boxs_disk_says_what_is_left_after_what_still_comes(
    alice: User, bob: User, settings: Settings
) -> None:
    settings.DISK_FLOOR = GIB
    holding(bob, 4 * GIB, admitted_size=4 * GIB)
    assert told(holding(alice, 6 * GIB), free_space=10 * GIB) == (
        "It needs 6 GiB, and the box's disk has 5 GiB left for new downloads. "
        "It starts by itself when somebody removes something."
    )


def test_what_is_larger_than_the_boxs_disk_can_never_fit(alice: User, settings: Settings) -> None:
    settings.DISK_FLOOR = GIB
    message = told(holding(alice, 12 * GIB), free_space=10 * GIB)
    assert message.startswith("This can never fit: it needs 12 GiB, and the box has space for 9 GiB.")


def test_a_full_disk_is_said_to_be_full(alice: User, settings: Settings) -> None:
    settings.DISK_FLOOR = GIB
    assert "disk is full: nothing downloads" in told(holding(alice, 10), free_space=GIB - 1)


def test_the_boxs_other_limits_say_when_it_starts(alice: User, bob: User, settings: Settings) -> None:
    settings.MAX_ACTIVE_TORRENTS = 1
    holding(bob, GIB, admitted_size=GIB)
    claim = holding(alice, GIB)
    assert "when it is its turn" in told(claim)
    settings.MONTHLY_EGRESS_LIMIT = 10 * GIB
    SwarmTraffic.objects.create(engine=default_engine(), day=date(2026, 12, 2), sent=10 * GIB)
    assert "start by themselves on 1 January" in told(claim)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536 * 2**20, "1.5 GiB"),
        (2**40 - 1, "1 TiB"),
        (5000 * 2**40, "5000 TiB"),
    ],
)
def test_sizes_are_read_easily(size: int, words: str) -> None:
    assert in_words(size) == words


def test_a_list_of_many_that_wait_asks_for_each_limit_once(alice: User) -> None:
    limit(alice, disk_quota=1)
    claims = [holding(alice, GIB, waits_for="user_disk") for _ in range(5)]
    Engine.objects.update(reachable=True)
    listed = list(Claim.objects.of(alice))
    with CaptureQueriesContext(connection) as queries:
        rows = TorrentSerializer(listed, many=True).data
    assert len(rows) == len(claims)
    assert all("can never fit" in row["message"] for row in rows)
    assert len(queries) == 2


# --- how much is used


def test_the_limits_of_a_person_and_what_they_have_used(alice: User, bob: User) -> None:
    limit(alice, disk_quota=100, active_torrent_limit=3, monthly_traffic_limit=1000)
    holding(alice, 30, admitted_size=30)
    holding(alice, 40, waits_for="user_active")
    finished(alice, {"a": b"x" * 5})
    holding(bob, 50, admitted_size=50)
    fetched(alice, 7)
    assert client_of(alice).get("/api/v1/me/limits/").json() == {
        "disk": {"used": 35, "limit": 100},
        "active": {"used": 1, "limit": 3},
        "traffic": {"used": 7, "limit": 1000},
        "traffic_resets_on": "2027-01-01",
        "seeding_notice": "",
    }


def test_without_limits_of_their_own_the_servers_defaults_are_shown(alice: User, settings: Settings) -> None:
    settings.DEFAULT_DISK_QUOTA, settings.DEFAULT_ACTIVE_TORRENTS, settings.DEFAULT_MONTHLY_TRAFFIC = 1, 2, 3
    answer = client_of(alice).get("/api/v1/me/limits/").json()
    assert [answer[name]["limit"] for name in ("disk", "active", "traffic")] == [1, 2, 3]


def test_usage_tells_the_limits_and_what_is_behind_them(alice: User, bob: User) -> None:
    limit(alice, disk_quota=100, active_torrent_limit=3, monthly_traffic_limit=1000)
    running = holding(alice, 30, admitted_size=30)
    LiveState.objects.filter(torrent=running.torrent).update(uploaded=11)
    for _ in range(2):
        holding(alice, 40, waits_for="user_active")
    holding(alice, 40, waits_for="box_disk")
    holding(alice, 40, waits_for="user_disk", wanted="paused")
    LiveState.objects.filter(torrent=holding(bob, 50, waits_for="user_disk").torrent).update(uploaded=99)
    fetched(alice, 7)
    Traffic.objects.create(user=alice, day=date(2026, 12, 5), channel="sftp", sent=2)
    Traffic.objects.create(user=alice, day=date(2026, 11, 30), channel="sftp", sent=10_000)
    client = client_of(alice)
    answer = client.get("/api/v1/me/usage/").json()
    limits = client.get("/api/v1/me/limits/").json()
    assert {name: answer[name] for name in limits} == limits
    assert answer["traffic"]["used"] == sum(answer["fetched"].values())
    assert {name: told for name, told in answer.items() if name not in limits} == {
        "fetched": {"https": 7, "sftp": 2},
        "sent_to_peers": 11,
        "waiting": [{"waits_for": "box_disk", "torrents": 1}, {"waits_for": "user_active", "torrents": 2}],
    }


def test_what_a_torrent_sent_is_told_whole_so_that_nobody_learns_who_else_has_it(
    alice: User, bob: User
) -> None:
    magnet = fresh_magnet()
    LiveState.objects.filter(torrent=add(alice, magnet).torrent).update(uploaded=100)
    before = client_of(alice).get("/api/v1/me/usage/").json()
    add(bob, magnet)
    assert client_of(alice).get("/api/v1/me/usage/").json() == before
    assert before["sent_to_peers"] == 100


# --- when fetching ends


@pytest.fixture
def paths(alice: User) -> Callable[[], list[str]]:
    claim = finished(alice, {"show/a": b"1234"}, name="show")
    token = make_link(claim=claim, index=0).token
    mine = f"/api/v1/torrents/{claim.pk}"
    return lambda: [f"{mine}/files/0/content/", f"{mine}/archive/", f"/api/v1/links/{token}/a"]


def statuses(user: User, paths: list[str]) -> list[int]:
    responses: list[Any] = [client_of(user).get(path) for path in paths]
    for response in responses:
        if response.streaming:
            b"".join(response.streaming_content)
    return [response.status_code for response in responses]


def test_over_the_months_traffic_nothing_is_handed_over(alice: User, paths: Callable[[], list[str]]) -> None:
    limit(alice, monthly_traffic_limit=100)
    fetched(alice, 100)
    assert statuses(alice, paths()) == [403, 403, 403]
    (error,) = client_of(alice).get(paths()[0]).json()["errors"]
    assert error["code"] == "traffic_limit"
    assert error["detail"] == (
        "You have fetched all that you may this month. It goes on on 1 January; your admin can give you more."
    )


def test_up_to_the_months_traffic_everything_is_handed_over(
    alice: User, paths: Callable[[], list[str]]
) -> None:
    limit(alice, monthly_traffic_limit=100)
    fetched(alice, 99)
    assert statuses(alice, paths()[:1]) == [200]


def test_others_traffic_and_the_boxs_never_keep_anybody_from_their_files(
    alice: User, bob: User, settings: Settings, paths: Callable[[], list[str]]
) -> None:
    settings.MONTHLY_EGRESS_LIMIT = 1
    fetched(bob, 10**15)
    assert statuses(alice, paths()) == [200, 200, 200]


def test_the_next_month_begins_anew(
    alice: User, paths: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(alice, monthly_traffic_limit=100)
    fetched(alice, 100)
    monkeypatch.setattr(allowances, "utc_today", lambda: date(2027, 1, 1))
    assert statuses(alice, paths()) == [200, 200, 200]
