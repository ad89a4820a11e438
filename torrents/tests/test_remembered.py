"""What is remembered of a torrent's JSON is what would be rendered now, whatever has changed and however."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.models import User
from proxy_site.compiled_query import CompiledQuery
from torrents.api import remembered, rendering
from torrents.api.remembered import Remembered
from torrents.listing import newest
from torrents.models import Claim, ClaimTraffic, Engine, LiveState, Torrent, TorrentFile
from torrents.tests.factories import add, finished, fresh_magnet

pytestmark = pytest.mark.usefixtures("downloads")
HELD = 3
SHOWN: list[type[models.Model]] = [Claim, Torrent, Engine, LiveState, TorrentFile, ClaimTraffic, User]
MOMENTS = [None, datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)]
VALUES: dict[type[models.Field[Any, Any]], list[Any]] = {
    models.BooleanField: [None, False, True],
    models.CharField: ["", "x", 'Ärger & "Co"'],
    models.TextField: ["", "It is broken.", "It is away."],
    models.BinaryField: [None, b"x"],
    models.IntegerField: [None, 0, 1, 100],
    models.BigIntegerField: [None, 0, 1, 2**40],
    models.FloatField: [None, 0.0, 1 / 3, 1.0],
    models.DateTimeField: MOMENTS,
}


def fresh(user: User) -> list[bytes]:
    claims = Claim.objects.of(user).newest_first()
    return [orjson.dumps(torrent) for torrent in rendering.render_torrents(list(claims))]


def asked(process: Remembered, user: User) -> list[bytes]:
    query = newest(HELD + 1)
    return process.rendered(query, query.rows(user.pk))


def columns() -> list[tuple[type[models.Model], models.Field[Any, Any]]]:
    """All that are not somebody's name: of each row that a torrent is rendered from, or might be."""
    return [
        (model, field)
        for model in SHOWN
        for field in model._meta.concrete_fields
        if not (
            field.is_relation or field.unique or field.primary_key or field.name in ("index", "is_active")
        )
    ]


def values_of(field: models.Field[Any, Any]) -> st.SearchStrategy[Any]:
    if field.choices:
        found = [value for value, _ in field.choices] + ([""] if field.blank else [])
    elif field.name == "chosen_files":
        found = [None, [], [0], [0, 1]]
    elif field.get_internal_type() == "ArrayField":
        found = [[]]
    else:
        kind = next(kind for kind in type(field).__mro__ if kind in VALUES)
        found = [value for value in VALUES[kind] if not (value == 0 and field.model is User)]  # no limit is 0
    return st.sampled_from([value for value in found if field.null or value is not None])


def changes() -> st.SearchStrategy[Any]:
    """Of one column of the nth row of a table; or of the clock, in minutes."""
    of_columns = st.sampled_from(columns()).flatmap(
        lambda column: st.tuples(
            st.just(column[0]), st.integers(0, HELD), st.just(column[1]), values_of(column[1])
        )
    )
    return of_columns | st.integers(-60, 60)


@given(steps=st.lists(st.tuples(changes(), st.integers(0, 1)), min_size=10, max_size=40))
@settings(
    max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)  # to shrink a failure takes minutes
def test_whatever_changes_in_rows_or_with_time_both_processes_tell_what_is_so_now(
    alice: User, bob: User, steps: list[tuple[Any, int]]
) -> None:
    processes = Remembered(), Remembered()
    now = timezone.now()
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        source = fresh_magnet()
        claims = [
            add(alice, source),
            add(alice),
            finished(alice, {"a": b"12", "b": b"345"}),
            add(bob, source),
        ]
        ClaimTraffic.objects.create(claim=claims[0], sent=5)
        Engine.objects.update(reachable=True)
        for change, asks in steps:
            if isinstance(change, int):
                at = now + timedelta(minutes=change)
                patch.setattr("django.utils.timezone.now", lambda at=at: at)
            else:
                model, place, field, value = change
                row = model._default_manager.order_by("pk").values_list("pk", flat=True)[place : place + 1]
                model._default_manager.filter(pk__in=list(row)).update(**{field.name: value})
            for user in (alice, bob):
                assert asked(processes[asks], user) == fresh(user)
        transaction.set_rollback(True)


def test_a_torrent_that_stays_as_it_is_is_rendered_once(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = []

    def render(claim: Claim, *allowances: Any) -> dict[str, Any]:
        rendered.append(claim.pk)
        return rendering.render_torrent(claim, *allowances)

    monkeypatch.setattr(remembered, "render_torrent", render)
    stays, moves = add(alice), add(alice)
    process = Remembered()
    for seeds in range(3):
        LiveState.objects.filter(torrent=moves.torrent).update(seeds=seeds)
        asked(process, alice)
    assert sorted(rendered) == sorted([stays.pk, moves.pk, moves.pk, moves.pk])


@pytest.mark.parametrize("state", [LiveState.State.METADATA, LiveState.State.ERROR])
def test_what_follows_from_the_clock_or_from_free_space_is_rendered_each_time(
    alice: User, state: str
) -> None:
    add(alice)
    LiveState.objects.update(state=state)
    Engine.objects.update(reachable=True, free_space=2**50)
    process = Remembered()
    before = asked(process, alice)
    Engine.objects.update(free_space=0)
    Claim.objects.update(added_at=timezone.now() - timedelta(days=1))
    assert asked(process, alice) == fresh(alice)
    assert [orjson.loads(json)["message"] for json in before] != [
        orjson.loads(json)["message"] for json in fresh(alice)
    ]


def test_what_waits_for_its_owners_limits_follows_them(alice: User) -> None:
    claim = finished(alice, {"a": b"12"})
    Claim.objects.filter(pk=claim.pk).update(completed_at=None, waits_for=Claim.WaitsFor.USER_DISK)
    Engine.objects.update(reachable=True)
    process = Remembered()
    for quota in (1, 2**30):
        User.objects.filter(pk=alice.pk).update(disk_quota=quota)
        assert asked(process, alice) == fresh(alice)


def test_no_more_is_remembered_than_was_said(alice: User) -> None:
    process = Remembered(most=2)
    for _ in range(HELD):
        add(alice)
    for _ in range(2):
        assert asked(process, alice) == fresh(alice)
        assert len(process) == 2


def test_limits_are_read_once_for_however_many_wait(alice: User) -> None:
    for _ in range(HELD):
        add(alice)
    Engine.objects.update(reachable=True)
    Claim.objects.update(waits_for=Claim.WaitsFor.USER_DISK)
    with CaptureQueriesContext(connection) as queries:
        asked(Remembered(), alice)
    assert len([query for query in queries if "accounts_user" in query["sql"]]) == 1


def test_a_row_begins_with_the_id_of_its_claim(alice: User) -> None:
    query: CompiledQuery[Claim] = newest(2)
    claim = add(alice)
    assert [row[0] for row in query.rows(alice.pk)] == [claim.pk]
