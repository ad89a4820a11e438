"""Who may read /metrics, and that it tells no secret."""

import pytest
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-a-good-length"


def status(**sent: str) -> int:
    return Client().get("/metrics", **sent).status_code  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1"])
def test_this_machine_may_read_them(address: str) -> None:
    assert status(REMOTE_ADDR=address) == 200


@pytest.mark.parametrize("address", ["10.0.0.5", "192.168.1.1", "203.0.113.9", "2001:db8::1", "", "nonsense"])
def test_for_others_there_is_nothing(address: str) -> None:
    assert status(REMOTE_ADDR=address) == 404


@pytest.mark.parametrize("header", ["X_FORWARDED_FOR", "FORWARDED", "X_REAL_IP", "VIA"])
@pytest.mark.parametrize("value", ["203.0.113.9", "127.0.0.1", ""])
def test_what_a_proxy_on_this_machine_passes_on_is_not_from_this_machine(header: str, value: str) -> None:
    assert status(REMOTE_ADDR="127.0.0.1", **{f"HTTP_{header}": value}) == 404


def test_whoever_has_the_token_may_read_them_from_anywhere(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN
    far = {"REMOTE_ADDR": "203.0.113.9", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    assert status(**far, HTTP_AUTHORIZATION=f"Bearer {TOKEN}") == 200


@pytest.mark.parametrize(
    "sent", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"]
)
def test_a_wrong_token_opens_nothing(settings: Settings, sent: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert status(REMOTE_ADDR="203.0.113.9", HTTP_AUTHORIZATION=sent) == 404


@pytest.mark.parametrize("sent", ["Bearer", "Bearer ", "bearer "])
def test_without_a_token_of_its_own_no_token_is_right(settings: Settings, sent: str) -> None:
    settings.METRICS_TOKEN = ""
    assert status(REMOTE_ADDR="203.0.113.9", HTTP_AUTHORIZATION=sent) == 404


@pytest.mark.parametrize("path", ["/metrics", "/health/live", "/health/ready"])
def test_a_server_is_asked_by_an_address_that_is_not_among_its_names(settings: Settings, path: str) -> None:
    settings.ALLOWED_HOSTS = ["torrents.example.org"]
    assert Client().get(path, headers={"host": "127.0.0.1:8000"}).status_code in (200, 503)
    assert Client().get("/api/v1/health/", headers={"host": "127.0.0.1:8000"}).status_code == 400


def test_no_secret_is_told(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN
    for path in ("/metrics", "/health/live", "/health/ready"):
        told = Client().get(path).content.decode()
        for secret in (TOKEN, settings.SECRET_KEY, settings.QBITTORRENT_PASSWORD, settings.QBITTORRENT_URL):
            assert secret not in told
        assert str(settings.DATABASES["default"]["HOST"]) not in told
