"""JSON by orjson says what REST framework's would, and who asks for another form gets REST framework's answer."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import NotAcceptable
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from proxy_site.api.renderers import FastJSONRenderer, FirstFits

MOMENT = datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC)
EVERYTHING: dict[Any, Any] = {
    "moment": MOMENT,
    "day": MOMENT.date(),
    "other_day": date(1, 1, 1),
    "time": MOMENT.time(),
    "duration": timedelta(hours=3, microseconds=5),
    "decimal": Decimal("1.50"),
    "uuid": uuid.UUID(int=7),
    "lazy": gettext_lazy("words"),
    "text": "naïve \u2028 \U0001f600",
    "numbers": [2**63 - 1, -1, 0.1, 1e300, True, None],
    "generator": None,
    7: "a key that is no string",
}


def test_it_says_the_same_as_rest_framework() -> None:
    assert json.loads(FastJSONRenderer().render(EVERYTHING)) == json.loads(JSONRenderer().render(EVERYTHING))


def test_nothing_is_an_empty_body() -> None:
    assert FastJSONRenderer().render(None) == b""


def test_who_asks_for_indented_json_gets_it() -> None:
    assert FastJSONRenderer().render({"a": 1}, "application/json; indent=2") == b'{\n  "a": 1\n}'


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/html, */*;q=0.8", "application/json;q=0.8"),
        ("application/json; indent=2", "application/json; indent=2"),
    ],
)
def test_what_a_client_accepts_decides(accept: str | None, media_type: str) -> None:
    assert _chosen(accept)[1] == media_type


def test_what_we_do_not_have_is_refused() -> None:
    with pytest.raises(NotAcceptable):
        _chosen("text/html")


def _chosen(accept: str | None) -> tuple[Any, str]:
    headers = {} if accept is None else {"Accept": accept}
    request = Request(APIRequestFactory().get("/", headers=headers))
    return FirstFits().select_renderer(request, [FastJSONRenderer()])
