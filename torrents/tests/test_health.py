"""Whether the box can do its job right now, for anybody who asks."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from torrents import engine_records
from torrents.engines.fake import FakeEngine
from torrents.health import LEAST_FREE_SPACE, SILENT_AFTER, engine_health
from torrents.models import Engine
from torrents.services import default_engine

pytestmark = pytest.mark.django_db


def health() -> tuple[int, Any]:
    response = APIClient().get("/api/v1/health/")
    return response.status_code, response.json()


def answered(free_space: int = 2 * LEAST_FREE_SPACE) -> Engine:
    engine = default_engine()
    engine_records.record_engine(engine=engine, status=FakeEngine().poll().status, free_space=free_space)
    return engine


def test_before_the_reconciler_ever_ran_it_is_degraded() -> None:
    code, body = health()
    assert (code, body["status"]) == (503, "degraded")
    assert body["engine"]["reachable"] is False
    assert body["engine"]["checked_at"] is None
    assert "run_engine is not running" in body["engine"]["message"]


def test_with_an_engine_that_answers_it_is_ok() -> None:
    engine = answered()
    code, body = health()
    assert (code, body["status"]) == (200, "ok")
    assert engine.checked_at is not None
    assert body["engine"] == {
        "reachable": True,
        "message": "",
        "checked_at": engine.checked_at.isoformat().replace("+00:00", "Z"),
    }


def test_an_engine_that_is_away_is_told_without_addresses_or_reasons() -> None:
    reason = "qBittorrent at http://10.0.0.5:8090 refused the user name or the password."
    engine_records.record_engine_away(engine=answered(), message=reason)
    code, body = health()
    assert (code, body["status"]) == (503, "degraded")
    assert "does not answer" in body["engine"]["message"]
    assert "10.0.0.5" not in str(body)
    assert Engine.objects.get().message == reason


def test_a_reconciler_that_fell_silent_is_noticed() -> None:
    answered()
    Engine.objects.update(checked_at=timezone.now() - SILENT_AFTER + timedelta(seconds=5))
    assert engine_health().ok
    Engine.objects.update(checked_at=timezone.now() - SILENT_AFTER - timedelta(seconds=1))
    assert not engine_health().ok
    assert health()[0] == 503


def test_when_the_engine_is_back_it_is_ok_again() -> None:
    engine = answered()
    engine_records.record_engine_away(engine=engine, message="It is restarting.")
    answered()
    assert health()[0] == 200


def test_a_bad_token_does_not_hide_the_health() -> None:
    answered()
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION="Bearer expired")
    assert api.get("/api/v1/health/").status_code == 200


def test_a_full_disk_is_told() -> None:
    answered(free_space=LEAST_FREE_SPACE - 1)

    code, body = health()
    assert (code, body["status"]) == (503, "degraded")
    assert "full" in body["engine"]["message"]
