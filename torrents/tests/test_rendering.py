"""The hand-written form of a torrent is the one that the schema describes."""

import itertools
import json
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.renderers import JSONRenderer

from accounts.models import User
from torrents import engine_records
from torrents.api.rendering import render_torrent, render_torrents
from torrents.api.serializers import TorrentSerializer
from torrents.models import Claim, Engine, LiveState, Torrent
from torrents.services import default_engine
from torrents.tests.factories import add, fresh_magnet, live

pytestmark = pytest.mark.usefixtures("downloads")
MOMENTS = (None, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC))


def as_json(data: object) -> object:
    return json.loads(JSONRenderer().render(data))


def same_as_serializer(claim: Claim) -> bool:
    rendered, serialized = as_json(render_torrent(claim)), as_json(TorrentSerializer(claim).data)
    assert rendered == serialized
    assert isinstance(rendered, dict)
    return list(rendered) == list(TorrentSerializer().fields)


@pytest.mark.parametrize("state", LiveState.State.values)
def test_every_state_is_rendered_as_the_schema_says(alice: User, state: str) -> None:
    claim = add(alice, fresh_magnet(name="Ärger & <Co>"))
    for wanted, completed, reachable in itertools.product(Claim.Wanted.values, MOMENTS, (True, False)):
        engine_records.record_live_states([live(claim.torrent, state, progress=1 / 3)])
        Claim.objects.filter(pk=claim.pk).update(wanted=wanted, completed_at=completed)
        engine = default_engine()
        engine.reachable = reachable
        engine.save()
        assert same_as_serializer(Claim.objects.of(alice).get())


def test_every_field_that_may_be_empty_is_rendered_filled_too(alice: User) -> None:
    claim = add(alice)
    Claim.objects.filter(pk=claim.pk).update(
        label="Serien",
        waits_for=Claim.WaitsFor.USER_DISK,
        sequential=True,
        download_limit=2**40,
        upload_limit=1,
        seed_ratio=1.5,
        seed_seconds=3600,
        added_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    Torrent.objects.update(infohash_v2="cd" * 32, private=True, size=2**50, refused="It is broken.")
    LiveState.objects.update(
        eta=5, seeds=1, peers=2, downloaded=2**45, uploaded=3, download_speed=4, upload_speed=5
    )
    assert same_as_serializer(Claim.objects.of(alice).get())


def test_rendering_asks_the_database_nothing(alice: User) -> None:
    add(alice)
    claim = Claim.objects.of(alice).get()
    with CaptureQueriesContext(connection) as queries:
        render_torrent(claim)
    assert len(queries) == 0


def test_free_space_is_looked_up_once_for_however_many_that_failed(alice: User) -> None:
    default_engine()
    Engine.objects.update(reachable=True)
    for _ in range(2):
        add(alice)
    LiveState.objects.update(state=LiveState.State.ERROR)
    claims = list(Claim.objects.of(alice))
    with CaptureQueriesContext(connection) as queries:
        render_torrents(claims)
    assert (len(claims), len(queries)) == (2, 1)
