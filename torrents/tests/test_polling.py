"""The short way that polls take: it leads to the same answers, and nowhere but where it should."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts import sessions
from accounts.models import DeviceSession, User
from accounts.tests.factories import access_token
from proxy_site.tests.lost_connection import end_connection
from torrents import services
from torrents.api.serializers import MOST_CHANGES
from torrents.models import ChangeCounter, Claim, Tombstone
from torrents.tests.api_requests import TORRENTS
from torrents.tests.both_ways import Answer, environ_of, ordinary_answer, quick_answer
from torrents.tests.factories import add, finished, fresh_magnet

pytestmark = pytest.mark.usefixtures("downloads")
CHANGES = TORRENTS + "changes/"
QUICK = (  # what leads by the short way, and what only looks like it
    TORRENTS,
    *(f"{TORRENTS}?limit={limit}" for limit in (1, 2, 3, 20, 200, 201, 99999)),
    *(f"{CHANGES}?since={since}" for since in (0, 1, 2, 3, 4, 5, 9, 10**17)),
    *(f"{CHANGES}?since=0&limit={limit}" for limit in (1, 2, 500, MOST_CHANGES)),
)
ORDINARY = (
    *(
        f"{TORRENTS}?{query}"
        for query in ("limit=0", "limit=-1", "limit=01", "limit=x", "limit=", "limit=1000000")
    ),
    *(
        f"{TORRENTS}?{query}"
        for query in ("limit=2&limit=3", "limit=2&sort=name", "search=x", "cursor=x", "a=1")
    ),
    *(
        f"{TORRENTS}?{query}"
        for query in ("limit=2&format=json", "limit=%32", "limit=\N{ARABIC-INDIC DIGIT ONE}")
    ),
    CHANGES,
    *(f"{CHANGES}?{query}" for query in ("since=-1", "since=01", "since=x", "since=", f"since={10**18}")),
    *(f"{CHANGES}?since=0&limit={limit}" for limit in (0, MOST_CHANGES + 1, "x")),
    *(f"{CHANGES}?{query}" for query in ("limit=1", "limit=1&since=0", "since=0&since=1", "since=0&a=1")),
    TORRENTS.removesuffix("/"),
    CHANGES.removesuffix("/") + "?since=0",
    "/api/v1//torrents/",
    "/",
)


@pytest.fixture
def authorization(alice: User, bob: User) -> str:
    """Of Alice, who has three torrents and has given up a fourth; Bob has others, and one of hers."""
    shared = fresh_magnet()
    services.remove_torrent(claim=add(alice))
    finished(alice, {"a/b.bin": b"12"}, name="Ärger & <Co>")
    for user, source in ((alice, shared), (bob, shared), (bob, fresh_magnet()), (alice, fresh_magnet())):
        add(user, source)
    return f"Bearer {access_token(alice)}"


@pytest.mark.parametrize("path", QUICK)
def test_the_short_way_leads_to_the_same_answer(authorization: str, path: str) -> None:
    expected = ordinary_answer(path, HTTP_AUTHORIZATION=authorization)
    assert expected.status == 200
    for _ in range(2):  # and once more, from memory
        assert quick_answer(path, HTTP_AUTHORIZATION=authorization) == expected


@pytest.mark.parametrize("path", ORDINARY)
def test_what_is_out_of_the_ordinary_does_not_go_the_short_way(authorization: str, path: str) -> None:
    assert quick_answer(path, HTTP_AUTHORIZATION=authorization) is None


@pytest.mark.parametrize("path", [TORRENTS, CHANGES + "?since=0"])
@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "PUT", "DELETE"])
def test_only_what_is_got_goes_the_short_way(authorization: str, path: str, method: str) -> None:
    assert quick_answer(path, method=method, HTTP_AUTHORIZATION=authorization) is None


@pytest.mark.parametrize(
    "environ",
    [
        {"HTTP_ACCEPT": "text/html"},
        {"HTTP_ACCEPT": "application/json; indent=4"},
        {"HTTP_HOST": "elsewhere.example"},
        {"HTTP_HOST": "a b"},
        {"CONTENT_LENGTH": "1"},
        {"SCRIPT_NAME": "/below"},
    ],
)
def test_whoever_asks_in_an_unusual_way_is_answered_by_django(
    authorization: str, environ: dict[str, Any]
) -> None:
    for path in (TORRENTS, CHANGES + "?since=0"):
        assert quick_answer(path, HTTP_AUTHORIZATION=authorization, **environ) is None


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
@pytest.mark.parametrize("path", [TORRENTS, CHANGES + "?since=0"])
def test_clients_that_take_json_are_answered_the_same(authorization: str, path: str, accept: str) -> None:
    environ = {"HTTP_AUTHORIZATION": authorization, "HTTP_ACCEPT": accept}
    assert quick_answer(path, **environ) == ordinary_answer(path, **environ)


def test_a_further_page_is_at_the_address_under_which_the_box_was_asked(authorization: str) -> None:
    environ = {"HTTP_AUTHORIZATION": authorization, "HTTP_HOST": "localhost:8123"}
    found = quick_answer(TORRENTS + "?limit=2", **environ)
    assert found is not None
    assert b'"next":"http://localhost:8123/api/v1/torrents/?' in found.body
    assert found == ordinary_answer(TORRENTS + "?limit=2", **environ)


def end_the_session(user: User) -> None:
    DeviceSession.objects.filter(user=user).update(ended_at=timezone.now())


def let_the_session_expire(user: User) -> None:
    DeviceSession.objects.filter(user=user).update(expires_at=timezone.now() - timedelta(seconds=1))


def forget_the_session(user: User) -> None:
    DeviceSession.objects.filter(user=user).delete()


def disable(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def change_the_password(user: User) -> None:
    user.set_password("another password")
    user.save()


@pytest.mark.parametrize(
    "end", [end_the_session, let_the_session_expire, forget_the_session, disable, change_the_password]
)
@pytest.mark.parametrize("path", [TORRENTS, CHANGES + "?since=0"])
def test_whose_access_ends_is_refused_at_once(
    authorization: str, alice: User, path: str, end: Callable[[User], None]
) -> None:
    assert quick_answer(path, HTTP_AUTHORIZATION=authorization) is not None
    end(alice)
    assert quick_answer(path, HTTP_AUTHORIZATION=authorization) is None
    assert ordinary_answer(path, HTTP_AUTHORIZATION=authorization).status == 401


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Bearer x y", "Basic eDp5", "\xff", "Bearer \xff"]
)
@pytest.mark.parametrize("path", [TORRENTS, CHANGES + "?since=0"])
def test_who_is_not_logged_in_is_refused(authorization: str, path: str, header: str) -> None:
    assert quick_answer(path, HTTP_AUTHORIZATION=header) is None
    assert quick_answer(path, HTTP_AUTHORIZATION=authorization[:-1] + "~") is None
    assert quick_answer(path) is None


@pytest.mark.django_db
def test_an_expired_token_is_refused_also_where_it_was_good_before(
    authorization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quick_answer(TORRENTS, HTTP_AUTHORIZATION=authorization) is not None
    later = timezone.now() + timedelta(hours=2)
    monkeypatch.setattr("accounts.api.authentication.aware_utcnow", lambda: later)
    assert quick_answer(TORRENTS, HTTP_AUTHORIZATION=authorization) is None


def test_nobody_is_told_of_anothers_torrents(authorization: str, bob: User) -> None:
    theirs = [str(claim.pk).encode() for claim in Claim.objects.of(bob)]
    for path in (TORRENTS, CHANGES + "?since=0"):
        bobs = quick_answer(path, HTTP_AUTHORIZATION=f"Bearer {access_token(bob)}")
        hers = quick_answer(path, HTTP_AUTHORIZATION=authorization)
        assert bobs is not None
        assert hers is not None
        assert [claim_id in bobs.body for claim_id in theirs] == [True, True]
        assert [claim_id in hers.body for claim_id in theirs] == [False, False]


def test_a_poll_when_nothing_changed_costs_one_query_in_all(authorization: str, alice: User) -> None:
    since = ChangeCounter.objects.get(pk=alice.pk).value
    with CaptureQueriesContext(connection) as queries:
        found = quick_answer(f"{CHANGES}?since={since}", HTTP_AUTHORIZATION=authorization)
    assert found is not None
    assert found.body == b'{"change":%d,"more":false,"reset":false,"torrents":[],"removed":[]}' % since
    assert len(queries) == 1


def test_a_poll_when_something_changed_finds_out_once_who_asks(authorization: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert quick_answer(CHANGES + "?since=0", HTTP_AUTHORIZATION=authorization) is not None
    assert len([query for query in queries if "accounts_devicesession" in query["sql"]]) == 1


def test_a_list_costs_two_queries_and_reads_no_metainfo(authorization: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        quick_answer(TORRENTS, HTTP_AUTHORIZATION=authorization)
    assert len(queries) == 2
    assert not any("metainfo" in query["sql"] for query in queries)


def test_whoever_slept_for_longer_than_removals_are_known_starts_afresh(
    authorization: str, alice: User
) -> None:
    Tombstone.objects.filter(user=alice).delete()
    ChangeCounter.objects.filter(pk=alice.pk).update(pruned=2)
    found = quick_answer(CHANGES + "?since=1", HTTP_AUTHORIZATION=authorization)
    assert found is not None
    assert b'"reset":true' in found.body
    assert found == ordinary_answer(CHANGES + "?since=1", HTTP_AUTHORIZATION=authorization)


def asked(path: str, **environ: str) -> Answer:
    """By what gunicorn serves."""
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)  # or WhiteNoise warns as it starts
    application = import_string(settings.WSGI_APPLICATION)
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    body = application(environ_of(path, **environ), lambda status, headers: begun.append((status, headers)))
    content = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    ((status, headers),) = begun
    return Answer(int(status.partition(" ")[0]), dict(headers), content)


@pytest.mark.django_db(transaction=True)
def test_what_gunicorn_serves_goes_the_short_way_and_else_djangos(alice: User) -> None:
    claim = add(alice)
    authorization = f"Bearer {access_token(alice)}"
    quick = asked(TORRENTS, HTTP_AUTHORIZATION=authorization)
    assert quick == quick_answer(TORRENTS, HTTP_AUTHORIZATION=authorization)
    detail = asked(f"{TORRENTS}{claim.pk}/", HTTP_AUTHORIZATION=authorization)
    assert (detail.status, detail.body in quick.body) == (200, True)
    assert asked(TORRENTS).status == 401


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_database_has_closed_is_replaced(alice: User) -> None:
    add(alice)
    authorization = f"Bearer {access_token(alice)}"
    path = CHANGES + "?since=0"
    expected = asked(path, HTTP_AUTHORIZATION=authorization)
    end_connection()
    assert asked(path, HTTP_AUTHORIZATION=authorization) == expected


@pytest.mark.django_db(transaction=True)
def test_without_its_database_a_poll_is_told_so_in_a_sentence(alice: User) -> None:
    authorization = f"Bearer {access_token(alice)}"
    host = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nonexistent"
    try:
        answers = [asked(path, HTTP_AUTHORIZATION=authorization) for path in (TORRENTS, CHANGES + "?since=0")]
    finally:
        connection.close()
        connection.settings_dict["HOST"] = host
    assert [(answer.status, b"database_away" in answer.body) for answer in answers] == [(503, True)] * 2


@pytest.mark.parametrize("claimed", ["", "x", "-1", "0", "\N{ARABIC-INDIC DIGIT ONE}", "9" * 30, None, [1]])
def test_a_token_that_names_nobody_is_refused(alice: User, claimed: object) -> None:
    token = sessions.access_token(sessions.open_session(user=alice))
    token[sessions.USER_CLAIM] = claimed
    for path in (TORRENTS, CHANGES + "?since=0"):
        assert quick_answer(path, HTTP_AUTHORIZATION=f"Bearer {token}") is None


def test_a_token_that_names_somebody_else_is_refused(authorization: str, alice: User, bob: User) -> None:
    token = sessions.access_token(sessions.open_session(user=bob))
    token[sessions.USER_CLAIM] = str(alice.pk)
    for path in (TORRENTS, CHANGES + "?since=0"):
        assert quick_answer(path, HTTP_AUTHORIZATION=f"Bearer {token}") is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", QUICK)
def test_outside_of_transactions_the_short_way_leads_there_too(authorization: str, path: str) -> None:
    """As in a web process: several statements are one round trip then."""
    expected = ordinary_answer(path, HTTP_AUTHORIZATION=authorization)
    for _ in range(2):
        assert quick_answer(path, HTTP_AUTHORIZATION=authorization) == expected
