"""A head that is known means what gunicorn's own parser makes of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser

from proxy_site import web_parser
from proxy_site.web_parser import LARGEST, MOST, Parser

HERE, ELSEWHERE = ("127.0.0.1", 50000), ("192.0.2.7", 50001)
HEADS = (
    b"GET /a?b=c#d HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a HTTP/1.0\r\n\r\n",
    b"GET /a HTTP/1.1\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
)
FIELDS = (
    "method",
    "uri",
    "path",
    "query",
    "fragment",
    "version",
    "headers",
    "scheme",
    "remote_addr",
    "trailers",
)


@pytest.fixture(autouse=True)
def nothing_is_known() -> Iterator[None]:
    web_parser._known.clear()
    yield
    web_parser._known.clear()


def parse(kind: type[RequestParser], head: bytes, peer: tuple[str, int], body: bytes = b"") -> dict[str, Any]:
    request = next(kind(Config(), iter([head, *([body] if body else [])]), peer))
    told = {name: getattr(request, name) for name in FIELDS}
    return told | {
        "closes": request.should_close(),
        "expects": request._expected_100_continue,
        "reader": type(request.body.reader),
        "body": request.body.read(),
    }


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("peer", [HERE, ELSEWHERE])
def test_it_is_read_as_by_gunicorn_however_often_it_comes(head: bytes, peer: tuple[str, int]) -> None:
    body = b"4\r\nbody\r\n0\r\n\r\n" if b"chunked" in head else b"body" * (b"Length" in head)
    expected = parse(RequestParser, head, peer, body)
    for _ in range(3):
        assert parse(Parser, head, peer, body) == expected
    assert len(web_parser._known) == 1


def test_whom_a_header_is_believed_is_asked_for_each_peer() -> None:
    head = HEADS[5]
    for _ in range(2):
        assert parse(Parser, head, HERE)["scheme"] == "https"
        assert parse(Parser, head, ELSEWHERE)["scheme"] == "http"


@pytest.mark.parametrize(
    "data",
    [
        b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
    ],
)
def test_what_comes_with_more_behind_it_is_not_remembered(data: bytes) -> None:
    next(Parser(Config(), iter([data]), HERE))
    assert not web_parser._known


@pytest.mark.parametrize(
    "head", [b"GET /a HTTP/1.1\r\nBad Header: x\r\n\r\n", b"GET\r\n\r\n", b"GET /a HTTP/9\r\n\r\n"]
)
def test_what_is_refused_is_not_remembered(head: bytes) -> None:
    for _ in range(2):
        with pytest.raises(ParseException):
            next(Parser(Config(), iter([head]), HERE))
    assert not web_parser._known


def test_a_head_in_pieces_is_not_remembered_as_its_last_piece() -> None:
    head = HEADS[0]
    for cut in range(1, len(head)):
        request = next(Parser(Config(), iter([head[:cut], head[cut:]]), HERE))
        assert request.path == "/a"
    assert not web_parser._known


def test_a_large_one_is_not_remembered() -> None:
    for size in (100, LARGEST):
        parse(Parser, b"GET /a HTTP/1.1\r\nHost: a\r\nX-Much: %b\r\n\r\n" % (b"x" * size), HERE)
    assert [len(head) < 200 for _, head in web_parser._known] == [True]


def test_so_many_are_known_and_no_more() -> None:
    for number in range(MOST + 10):
        parse(Parser, b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number, HERE)
    assert len(web_parser._known) == MOST
    assert parse(Parser, b"GET /0 HTTP/1.1\r\nHost: a\r\n\r\n", HERE)["path"] == "/0"
