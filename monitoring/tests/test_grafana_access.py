"""Into Grafana by the login of the admin's pages: a real Caddy asks a real gunicorn, before something like Grafana."""

import http.client
import json
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import InterfaceError, OperationalError
from django.test import Client

from accounts import services
from accounts.audit import By
from accounts.models import Role, User
from accounts.tests.factories import PASSWORD, AdminFactory, UserFactory
from deploy.box import free_ports
from monitoring.tests.echo import echoing
from proxy_site.environment import PROJECT_DIR
from proxy_site.tests import processes
from torrents.tests.caddy_box import CaddyBox, caddy_of

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "text/html,application/xhtml+xml"  # what a browser accepts that shows a page


@pytest.fixture
def grafana(box: CaddyBox) -> Iterator[CaddyBox]:
    with echoing(box.grafana):
        yield box


@pytest.fixture
def admin(transactional_db: None) -> User:
    return AdminFactory.create(username="keeper")


def cookie_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"


def told(body: bytes) -> dict[str, Any]:
    """What Grafana was asked, header names in lower case, with the values of those that came several times."""
    asked: dict[str, Any] = json.loads(body)
    headers: dict[str, list[str]] = {}
    for name, value in asked["headers"]:
        headers.setdefault(name.lower(), []).append(value)
    return asked | {"headers": headers}


def test_an_admin_is_known_to_grafana_by_name_and_role(grafana: CaddyBox, admin: User) -> None:
    answer = grafana.fetch("/grafana/d/overview?from=now-6h", Cookie=cookie_of(admin))
    assert answer.status == 200
    asked = told(answer.body)
    assert asked["path"] == "/grafana/d/overview?from=now-6h"
    assert asked["headers"]["x-webauth-user"] == ["keeper"]
    assert asked["headers"]["x-webauth-role"] == ["Editor"]


def test_whoever_is_not_logged_in_is_sent_to_the_login_and_then_to_where_they_wanted(
    grafana: CaddyBox, admin: User
) -> None:
    wanted = "/grafana/d/overview?from=now-6h&to=now"
    first = grafana.fetch(wanted, Accept=PAGE)
    assert first.status == 302
    login = first.headers["Location"]
    assert login.startswith("/admin/login/?next=/grafana/d/overview")
    form = grafana.fetch(login, Accept=PAGE)
    (token,) = re.findall(rb'name="csrfmiddlewaretoken" value="(\w+)"', form.body)
    (next_page,) = re.findall(rb'name="next" value="([^"]+)"', form.body)
    fields = urlencode(
        {"username": "keeper", "password": PASSWORD, "csrfmiddlewaretoken": token, "next": wanted}
    )
    assert next_page.decode().replace("&amp;", "&") == wanted
    client = http.client.HTTPConnection("127.0.0.1", grafana.caddy, timeout=30)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": form.headers["Set-Cookie"].partition(";")[0],
        "Connection": "close",
    }
    client.request("POST", login, fields, headers)
    with client.getresponse() as logged_in:
        assert (logged_in.status, logged_in.getheader("Location")) == (302, wanted)
        (session,) = re.findall(r"sessionid=\w+", str(logged_in.headers))
    assert told(grafana.fetch(wanted, Cookie=session).body)["headers"]["x-webauth-user"] == ["keeper"]


@pytest.mark.parametrize("next_page", ["https://evil.example/grafana/", "//evil.example/", "/admin/", ""])
def test_the_login_leads_nowhere_but_to_grafana(client: Client, next_page: str) -> None:
    answer = client.get("/grafana-access", headers={"X-Forwarded-Uri": next_page, "Accept": PAGE})
    assert answer["Location"] == "/admin/login/?next=/grafana/"


def test_what_is_no_page_is_refused_in_words_instead_of_sent_to_a_login(grafana: CaddyBox) -> None:
    answer = grafana.fetch("/grafana/api/search", Accept="application/json")
    assert (answer.status, answer.body) == (401, b"Log in at /admin/ first: only admins see Grafana.\n")


def test_a_person_who_is_no_admin_is_refused_in_words(grafana: CaddyBox, admin: User) -> None:
    cookie = cookie_of(UserFactory.create(username="alice"))
    answer = grafana.fetch("/grafana/", Cookie=cookie, Accept=PAGE)
    assert (answer.status, answer.headers["Content-Type"]) == (403, "text/plain; charset=utf-8")
    assert answer.body.startswith(b"You are logged in as alice, who is no admin. Only admins see Grafana")


@pytest.mark.parametrize("how", ["disabled", "demoted", "password", "logged out"])
def test_whose_access_ends_is_out_with_the_next_request(grafana: CaddyBox, admin: User, how: str) -> None:
    client = Client()
    client.force_login(admin)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    assert grafana.fetch("/grafana/", Cookie=cookie).status == 200
    match how:
        case "disabled":
            services.disable_user(user=admin, by=By(None, ""))
        case "demoted":
            User.objects.filter(pk=admin.pk).update(role=Role.USER)
        case "password":
            services.set_password(user=admin, password=None, by=By(None, ""))
        case _:
            client.post("/admin/logout/")
    assert grafana.fetch("/grafana/", Cookie=cookie, Accept=PAGE).status == (403 if how == "demoted" else 302)


FORGED = [
    "X-WEBAUTH-USER", "x-webauth-user", "X-Webauth-User", "X_WEBAUTH_USER", "X-WEBAUTH_USER", "X_Webauth-User",
    "X-WEBAUTH-ROLE", "x_webauth_role", "X-WEBAUTH-GROUPS", "Http-X-Webauth-User",
]  # fmt: skip


def raw(box: CaddyBox, *lines: str, path: str = "/grafana/") -> tuple[int, dict[str, Any] | None]:
    """As no polite client would send it; what Grafana was asked is None where it was not."""
    with socket.create_connection(("127.0.0.1", box.caddy), timeout=30) as connection:
        head = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{box.caddy}", *lines]
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        with http.client.HTTPResponse(connection) as response:
            response.begin()
            body = response.read()
    return response.status, told(body) if response.status == 200 else None


def test_a_forged_name_lets_nobody_in(grafana: CaddyBox) -> None:
    for name in FORGED:
        assert raw(grafana, f"{name}: root", "Accept: text/html") == (302, None)


def test_of_what_a_client_says_about_itself_nothing_reaches_grafana(grafana: CaddyBox, admin: User) -> None:
    cookie = f"Cookie: {cookie_of(admin)}"
    for name in FORGED:
        status, asked = raw(grafana, cookie, f"{name}: root", f"{name}: Admin", f"{name.upper()}: root")
        assert status == 200
        assert asked is not None
        named = {name: values for name, values in asked["headers"].items() if "webauth" in name}
        assert named == {"x-webauth-user": ["keeper"], "x-webauth-role": ["Editor"]}


@pytest.mark.parametrize(
    "named", ["X-WEBAUTH-USER", "x-webauth-role, X-WEBAUTH-USER", "close, X-Webauth-Role"]
)
def test_naming_them_in_connection_does_not_take_the_headers_away(
    grafana: CaddyBox, admin: User, named: str
) -> None:
    cookie = f"Cookie: {cookie_of(admin)}"
    status, asked = raw(grafana, cookie, f"Connection: {named}", "X-WEBAUTH-USER: root")
    assert status == 200
    assert asked is not None
    assert asked["headers"]["x-webauth-user"] == ["keeper"]
    assert asked["headers"]["x-webauth-role"] == ["Editor"]


def test_grafana_gets_neither_the_boxs_session_nor_another_login(grafana: CaddyBox, admin: User) -> None:
    cookies = f"a=1; {cookie_of(admin)}; csrftoken=secret; grafana_theme=dark"
    asked = told(grafana.fetch("/grafana/", Cookie=cookies, Authorization="Basic YWRtaW46YWRtaW4=").body)
    assert asked["headers"]["cookie"] == ["a=1; grafana_theme=dark"]
    assert "authorization" not in asked["headers"]


def test_however_the_session_is_written_grafana_does_not_get_it(grafana: CaddyBox, admin: User) -> None:
    session = cookie_of(admin)
    value = session.partition("=")[2]
    for cookies in (f"a=1;\t{session}", f"a=1; sessionid ={value}", f"{session};b=2", f"a=1;{session}"):
        status, asked = raw(grafana, f"Cookie: {cookies}")
        assert status == 200
        assert value not in str(asked)


def test_what_is_posted_reaches_grafana_whole(grafana: CaddyBox, admin: User) -> None:
    client = http.client.HTTPConnection("127.0.0.1", grafana.caddy, timeout=30)
    query = json.dumps({"queries": ["up"] * 5000})
    headers = {"Cookie": cookie_of(admin), "Content-Type": "application/json", "Connection": "close"}
    client.request("POST", "/grafana/api/ds/query", query, headers)
    with client.getresponse() as response:
        assert told(response.read())["body"] == query


def test_a_websocket_goes_through_for_an_admin_and_for_nobody_else(grafana: CaddyBox, admin: User) -> None:
    asking = (
        f"GET /grafana/api/live/ws HTTP/1.1\r\nHost: 127.0.0.1:{grafana.caddy}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    )
    with socket.create_connection(("127.0.0.1", grafana.caddy), timeout=30) as connection:
        connection.sendall(f"{asking}Cookie: {cookie_of(admin)}\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            assert answer.readline().split()[1] == b"101"
            head = b"".join(iter(answer.readline, b"\r\n"))
            assert b"x-was-asked-as: keeper" in head.lower()
            connection.sendall(b"\x81\x02hi")
            assert answer.read(4) == b"\x81\x02hi"
    with socket.create_connection(("127.0.0.1", grafana.caddy), timeout=30) as connection:
        connection.sendall(f"{asking}X-WEBAUTH-USER: root\r\n\r\n".encode())
        assert connection.recv(100).split()[1] == b"401"


def test_without_grafana_its_address_says_so(box: CaddyBox, admin: User) -> None:
    answer = box.fetch("/grafana/", Cookie=cookie_of(admin))
    assert answer.status == 502
    assert answer.body.startswith(
        b"Grafana does not answer: it is not installed on this box, or does not run."
    )


@pytest.mark.parametrize("page", ["/grafana-access", "/admin/"])
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_without_its_database_the_box_lets_nobody_in_and_says_so(
    admin: User, page: str, error: type[Exception]
) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(admin)
    with patch.object(SessionStore, "load", side_effect=error):
        answer = client.get(page, headers={"Accept": PAGE})
    assert (answer.status_code, answer.headers.get("X-WEBAUTH-USER")) == (503, None)
    assert answer.content.startswith(b"The box cannot reach its database. Try again in a minute;")
    assert "no-store" in answer["Cache-Control"]


def test_what_is_our_own_mistake_is_no_fault_of_the_database(admin: User) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(admin)
    with patch.object(SessionStore, "load", side_effect=ValueError):
        answer = client.get("/grafana-access", headers={"Accept": PAGE})
    assert (answer.status_code, b"database" in answer.content) == (500, False)


def test_where_the_box_is_away_that_is_said_and_grafana_is_neither_asked_nor_blamed(tmp_path: Path) -> None:
    nobody, caddy, grafana = free_ports(3)
    away = CaddyBox(tmp_path, tmp_path / "access.log", tmp_path / "caddy.log", caddy, nobody, nobody, grafana)

    def listens() -> bool:
        with suppress(OSError):
            return away.fetch("/nothing").status == 404
        return False

    with echoing(grafana), caddy_of(away, tmp_path):
        processes.wait_until(listens, "Caddy listens", 30)
        for path in ("/grafana/", "/admin/"):
            answer = away.fetch(path, X_Webauth_User="root")
            assert (answer.status, answer.body[:24]) == (502, b"The box does not answer.")


def test_the_short_address_leads_to_grafana(box: CaddyBox) -> None:
    answer = box.fetch("/grafana")
    assert (answer.status, answer.headers["Location"]) == (302, "/grafana/")


@pytest.mark.parametrize(
    "path",
    [
        "/grafana/../metrics", "/grafana/%2e%2e/metrics", "/grafana/..%2fmetrics", "/grafana%2f..%2fmetrics",
        "//metrics", "/grafana/../health/ready", "/grafana/..//health/live", "/admin/../metrics",
        "/grafana-access", "/grafana/../grafana-access", "/static/../metrics", "/api/%2e%2e/metrics",
    ],
)  # fmt: skip
def test_no_path_leads_an_admin_around_caddy(grafana: CaddyBox, admin: User, path: str) -> None:
    cookie = f"Cookie: {cookie_of(admin)}"
    status, asked = raw(grafana, cookie, path=path)
    if status == 200:  # then it was something like Grafana that answered, not the box
        assert asked is not None
        assert asked["path"] == path
    else:
        assert status == 404


@pytest.mark.parametrize(
    "path", ["//grafana/", "/./grafana/", "/x/../grafana/", "/GRAFANA/", "/grafana%2fapi"]
)
def test_no_spelling_of_the_path_leads_to_grafana_without_a_login(grafana: CaddyBox, path: str) -> None:
    status, asked = raw(grafana, "X-WEBAUTH-USER: root", path=path)
    assert (status, asked) in [(401, None), (404, None)]


def test_health_and_figures_stay_inside(grafana: CaddyBox, admin: User) -> None:
    for path in ("/metrics", "/health/ready", "/health/live"):
        answer = grafana.fetch(path, Cookie=cookie_of(admin))
        assert (answer.status, answer.body) == (404, b"There is nothing here.")


def test_the_caddyfile_names_every_variable_that_it_reads() -> None:
    text = (PROJECT_DIR / "deploy" / "Caddyfile").read_text()
    head, _, rest = text.partition("{\n")
    for name in re.findall(r"\{\$(\w+)", rest):
        assert name in head
