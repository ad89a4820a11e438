"""What a client hears when something behind the API is gone."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def nowhere() -> Iterator[None]:
    """The database's socket is gone."""
    host = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nonexistent"
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["HOST"] = host


def test_without_its_database_the_api_says_so_in_a_sentence() -> None:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(get_user_model()(pk=1))
    with nowhere():
        response = client.get("/api/v1/torrents/")

    assert response.status_code == 503
    (error,) = response.json()["errors"]
    assert error["code"] == "database_away"
    assert "Try again" in error["detail"]


def test_without_its_database_health_still_answers() -> None:
    with nowhere():
        response = APIClient().get("/api/v1/health/")

    assert response.status_code == 503
    assert response.json()["status"] == "degraded"
    assert "database" in response.json()["engine"]["message"]


def test_an_unknown_address_of_the_api_answers_in_json() -> None:
    response = APIClient().get("/api/v1/torrents/not-an-id/")

    assert response.status_code == 404
    assert response.json()["errors"][0]["code"] == "not_found"


def test_an_unknown_page_is_a_page() -> None:
    assert APIClient().get("/nowhere").headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["session/", "session/refresh/", "session/logout/"])
def test_json_nested_without_end_is_refused_in_a_sentence(path: str) -> None:
    response = APIClient().post(f"/api/v1/{path}", "[" * 100_000, content_type="application/json")

    assert response.status_code == 400
    assert "nested too deep" in response.json()["errors"][0]["detail"]
