"""Who may do what: every URL and method that the server has, asked by everybody.

A new endpoint needs a line in `EXPECTED`: its method and path as they stand in docs/openapi.yaml, and a `Row` with
the status for each who asks. What the path names (`{claim_id}`) belongs to the owner; see `things`.
Neither the schema nor the server's own list of URLs may know one that the table does not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import asyncssh
import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts import services, sessions, ssh_keys, transfer_credentials
from accounts.audit import By
from accounts.models import Role, User
from accounts.tests.factories import PASSWORD, UserFactory
from feeds.models import Item
from feeds.rule_changes import create_rule
from feeds.services import subscribe
from torrents.links import make_link
from torrents.tests.factories import finished, fresh_magnet
from watchlist.tests.factories import AliasFactory, EntryFactory, LinkFactory, candidate, decision

ROLES = ("anonymous", "owner", "other", "disabled", "admin")


@dataclass(frozen=True)
class Row:
    """One status for each of `ROLES`. `body` is sent as JSON; "{…}" in its values is filled in from `things`."""

    statuses: tuple[int, int, int, int, int]
    body: dict[str, str] = field(default_factory=dict)


def everybody(status: int, **body: str) -> Row:
    """Needs no session, and is not closed by a stale one."""
    return Row((status,) * 5, body)


def anybody_logged_in(status: int, **body: str) -> Row:
    """About the caller's own things: everybody has some."""
    return Row((401, status, status, 401, status), body)


def owner_only(status: int, **body: str) -> Row:
    """About one thing: it does not exist for others, and admins are others."""
    return Row((401, status, 404, 401, 404), body)


API = "/api/v1"
WATCHLIST = f"{API}/watchlist"
EXPECTED: dict[tuple[str, str], Row] = {
    ("get", f"{API}/health/"): everybody(503),  # no engine runs here
    ("get", f"{API}/server/"): anybody_logged_in(200),
    # --- sessions
    ("post", f"{API}/session/"): everybody(200, username="owner", password=PASSWORD),
    ("post", f"{API}/session/refresh/"): everybody(200, refresh="{refresh}"),
    ("post", f"{API}/session/logout/"): everybody(204, refresh="{refresh}"),
    # --- one's own account
    ("get", f"{API}/me/"): anybody_logged_in(200),
    ("get", f"{API}/me/sessions/"): anybody_logged_in(200),
    ("delete", f"{API}/me/sessions/"): anybody_logged_in(200),
    ("delete", f"{API}/me/sessions/{{session_id}}/"): owner_only(204),
    ("post", f"{API}/me/password/"): anybody_logged_in(
        200, old_password=PASSWORD, new_password="another long sentence"
    ),
    ("get", f"{API}/me/ssh-keys/"): anybody_logged_in(200),
    ("post", f"{API}/me/ssh-keys/"): anybody_logged_in(201, public_key="{new_public_key}"),
    ("delete", f"{API}/me/ssh-keys/{{key_id}}/"): owner_only(204),
    ("get", f"{API}/me/transfer-credentials/"): anybody_logged_in(200),
    ("post", f"{API}/me/transfer-credentials/"): anybody_logged_in(201),
    ("delete", f"{API}/me/transfer-credentials/{{credential_id}}/"): owner_only(204),
    # --- torrents
    ("get", f"{API}/torrents/"): anybody_logged_in(200),
    ("post", f"{API}/torrents/"): anybody_logged_in(201, source="{magnet}"),
    ("get", f"{API}/torrents/changes/"): anybody_logged_in(200),
    ("get", f"{API}/torrents/{{claim_id}}/"): owner_only(200),
    ("patch", f"{API}/torrents/{{claim_id}}/"): owner_only(200, label="mine"),
    ("delete", f"{API}/torrents/{{claim_id}}/"): owner_only(204),
    ("get", f"{API}/torrents/removed/"): anybody_logged_in(200),
    ("post", f"{API}/torrents/{{claim_id}}/restore/"): owner_only(200),
    ("post", f"{API}/torrents/{{claim_id}}/pause/"): owner_only(200),
    ("post", f"{API}/torrents/{{claim_id}}/resume/"): owner_only(200),
    ("get", f"{API}/torrents/{{claim_id}}/files/"): owner_only(200),
    ("get", f"{API}/torrents/{{claim_id}}/files/{{index}}/content/"): owner_only(200),
    ("get", f"{API}/torrents/{{claim_id}}/archive/"): owner_only(200),
    ("get", f"{API}/torrents/{{claim_id}}/history/"): owner_only(200),
    ("get", f"{API}/torrents/{{claim_id}}/swarm/"): owner_only(200),
    ("get", f"{API}/me/history/"): anybody_logged_in(200),
    # --- signed links and traffic
    ("post", f"{API}/torrents/{{claim_id}}/links/"): owner_only(201),
    ("get", f"{API}/links/{{token}}/{{filename}}"): everybody(200),  # whoever has the link may fetch
    ("delete", f"{API}/me/links/"): anybody_logged_in(204),
    ("get", f"{API}/me/traffic/"): anybody_logged_in(200),
    ("get", f"{API}/me/limits/"): anybody_logged_in(200),
    ("get", f"{API}/me/usage/"): anybody_logged_in(200),
    # --- feeds and rules
    ("get", f"{API}/feeds/"): anybody_logged_in(200),
    ("post", f"{API}/feeds/"): anybody_logged_in(201, url="https://feeds.example/new"),
    ("get", f"{API}/feeds/{{feed_id}}/"): owner_only(200),
    ("patch", f"{API}/feeds/{{feed_id}}/"): owner_only(200, name="mine"),
    ("delete", f"{API}/feeds/{{feed_id}}/"): owner_only(204),
    ("post", f"{API}/feeds/{{feed_id}}/check/"): owner_only(202),
    ("get", f"{API}/feeds/{{feed_id}}/items/"): owner_only(200),
    ("get", f"{API}/feeds/{{feed_id}}/items/{{number}}/"): owner_only(200),
    ("post", f"{API}/feeds/{{feed_id}}/items/{{number}}/grab/"): owner_only(202),
    ("get", f"{API}/me/decisions/"): anybody_logged_in(200),
    ("get", f"{API}/rules/"): anybody_logged_in(200),
    ("post", f"{API}/rules/"): anybody_logged_in(201, name="new", must_contain="lighthouse"),
    ("post", f"{API}/rules/preview/"): anybody_logged_in(200, must_contain="lighthouse"),
    ("get", f"{API}/rules/{{rule_id}}/"): owner_only(200),
    ("patch", f"{API}/rules/{{rule_id}}/"): owner_only(200, name="other"),
    ("delete", f"{API}/rules/{{rule_id}}/"): owner_only(204),
    # --- the watchlist
    ("get", f"{WATCHLIST}/"): anybody_logged_in(200),
    ("post", f"{WATCHLIST}/"): anybody_logged_in(201, title="Harbour"),
    ("get", f"{WATCHLIST}/calendar/"): anybody_logged_in(200),
    ("get", f"{WATCHLIST}/decisions/"): anybody_logged_in(200),
    ("get", f"{WATCHLIST}/links/"): anybody_logged_in(200),
    ("post", f"{WATCHLIST}/links/"): anybody_logged_in(400, provider="nowhere", name="owner"),
    ("patch", f"{WATCHLIST}/links/{{provider}}/"): owner_only(200),
    ("delete", f"{WATCHLIST}/links/{{provider}}/"): owner_only(204),
    ("post", f"{WATCHLIST}/links/{{provider}}/sync/"): owner_only(202),
    ("get", f"{WATCHLIST}/preferences/"): anybody_logged_in(200),
    ("patch", f"{WATCHLIST}/preferences/"): anybody_logged_in(200, label="shows"),
    ("post", f"{WATCHLIST}/preview/"): Row((401, 400, 400, 401, 400)),  # it wants titles
    ("get", f"{WATCHLIST}/providers/"): anybody_logged_in(200),
    ("get", f"{WATCHLIST}/review/"): anybody_logged_in(200),
    ("post", f"{WATCHLIST}/review/{{decision_id}}/"): owner_only(200, show_id="{show_id}"),
    ("get", f"{WATCHLIST}/shows/"): Row((401, 400, 400, 401, 400)),  # it wants a text to search for
    ("get", f"{WATCHLIST}/{{entry_id}}/"): owner_only(200),
    ("patch", f"{WATCHLIST}/{{entry_id}}/"): owner_only(200, state="paused"),
    ("delete", f"{WATCHLIST}/{{entry_id}}/"): owner_only(204),
    ("post", f"{WATCHLIST}/{{entry_id}}/restore/"): owner_only(200),
    ("get", f"{WATCHLIST}/{{entry_id}}/episodes/"): owner_only(200),
    ("get", f"{WATCHLIST}/{{entry_id}}/candidates/"): owner_only(200),
    ("post", f"{WATCHLIST}/{{entry_id}}/candidates/{{candidate_id}}/take/"): owner_only(202),
    ("post", f"{WATCHLIST}/{{entry_id}}/aliases/"): owner_only(201, name="Lamp"),
    ("delete", f"{WATCHLIST}/{{entry_id}}/aliases/{{alias_id}}/"): owner_only(204),
}
# For browsers: not in the schema.
PAGES: dict[tuple[str, str], Row] = {
    ("get", "/"): everybody(302),
    ("get", "/metrics"): everybody(200),  # who asks here asks from this machine
    ("get", "/health/live"): everybody(200),
    ("get", "/health/ready"): everybody(503),  # neither engine nor worker runs here
    ("get", "/grafana-access"): everybody(401),  # only the session of the admin's pages counts
    ("get", "/client/"): everybody(200),
    ("get", "/client/{wheel}"): everybody(404),  # none is built here
    ("get", f"{API}/schema/"): Row((200, 200, 200, 401, 200)),  # a token, where one is shown, must be good
    ("get", f"{API}/docs/"): Row((200, 200, 200, 401, 200)),
}
ROWS = EXPECTED | PAGES
CASES = [(key, role) for key in ROWS for role in ROLES]
METHODS = ("get", "post", "put", "patch", "delete")


def public_key() -> str:
    return asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()


@pytest.fixture
def owner(db: None) -> User:
    return UserFactory.create(username="owner")


@pytest.fixture
def things(owner: User, settings: Settings, tmp_path: Path) -> dict[str, str]:
    """What the paths and bodies name."""
    settings.DOWNLOADS_DIR = tmp_path
    session = sessions.open_session(user=owner)
    claim = finished(owner, {"show/a": b"1"}, name="show")
    feed = subscribe(user=owner, url="https://feeds.example/rss")
    Item.objects.create(
        source=feed.source,
        number=1,
        key=feed.pk,
        title="Lighthouse",
        download=fresh_magnet().magnet,
        release={},
    )
    entry = EntryFactory.create(user=owner)
    question = decision(owner, "[Keepers] Lamp - 01.mkv", outcome="review")
    return {
        "entry_id": str(entry.pk),
        "show_id": str(entry.show.pk),
        "candidate_id": str(candidate(entry).pk),
        "alias_id": str(AliasFactory.create(user=owner, show=entry.show).pk),
        "decision_id": str(question.pk),
        "provider": LinkFactory.create(user=owner).provider,
        "feed_id": str(feed.pk),
        "number": "1",
        "rule_id": str(create_rule(user=owner, name="mine", must_contain="lighthouse").pk),
        "refresh": sessions.refresh_token(session.pk, 0),
        "session_id": str(session.pk),
        "key_id": str(ssh_keys.add_key(user=owner, public_key=public_key(), by=By()).pk),
        "new_public_key": public_key(),
        "credential_id": str(transfer_credentials.make_credential(user=owner, by=By())[0].pk),
        "claim_id": str(claim.pk),
        "token": make_link(claim=claim, index=0).token,
        "filename": "a",
        "index": "0",
        "magnet": fresh_magnet().magnet,
        "wheel": "torrent_proxy_client.whl",
    }


def client_of(role: str, owner: User) -> APIClient:
    api = APIClient()
    if role == "anonymous":
        return api
    user = owner if role == "owner" else UserFactory.create(username=role)
    if role == "admin":
        user.role = Role.ADMIN
        user.save()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {sessions.access_token(sessions.open_session(user=user))}")
    if role == "disabled":
        services.disable_user(user=user)
    return api


@pytest.fixture(scope="module")
def in_schema() -> set[tuple[str, str]]:
    schema = StringIO()
    call_command("spectacular", stdout=schema)
    paths: dict[str, dict[str, Any]] = yaml.safe_load(schema.getvalue())["paths"]
    return {(method, path) for path, methods in paths.items() for method in methods}


def test_every_endpoint_of_the_schema_stands_in_the_table(in_schema: set[tuple[str, str]]) -> None:
    assert in_schema - set(EXPECTED) == set(), "add a line to EXPECTED for each"


def test_the_table_names_no_endpoint_that_is_gone(in_schema: set[tuple[str, str]]) -> None:
    assert set(EXPECTED) - in_schema == set()


def urls(resolver: URLResolver, before: str = "/") -> Iterator[tuple[str, Any]]:
    """Every path below, with its view; what varies is in braces, as in the schema."""
    for pattern in resolver.url_patterns:
        path = before + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern))
        if isinstance(pattern, URLPattern):
            yield path, pattern.callback
        else:
            yield from urls(pattern, path)


def methods_of(view: Any) -> list[str]:
    """Those that a view of the API has code for; of any other view: reading."""
    if hasattr(view, "actions"):
        return [method for method in METHODS if method in view.actions]
    return [method for method in METHODS if hasattr(view.cls, method)] if hasattr(view, "cls") else ["get"]


def test_every_url_of_the_server_stands_in_the_table_also_what_the_schema_hides() -> None:
    answered = {
        (method, path)
        for path, view in urls(get_resolver())
        if not path.startswith("/admin/")
        for method in methods_of(view)
    }
    assert {(method, path.replace("{name}", "{wheel}")) for method, path in answered} == set(ROWS)


@pytest.mark.parametrize(("key", "role"), CASES, ids=[f"{m} {p} as {role}" for (m, p), role in CASES])
def test_everybody_gets_what_the_table_says(
    owner: User, things: dict[str, str], key: tuple[str, str], role: str
) -> None:
    (method, path), row = key, ROWS[key]
    body = {name: things.get(value[1:-1], value) for name, value in row.body.items()}
    response: Any = getattr(client_of(role, owner), method)(path.format(**things), body or None)
    if response.streaming:
        b"".join(response.streaming_content)
    assert response.status_code == row.statuses[ROLES.index(role)], response


ADMIN_PATHS = {path for path, _ in urls(get_resolver()) if path.startswith("/admin/")}
# Two of Django's are regular expressions, which stand for these.
ADMIN_EXAMPLES = {"/admin/accounts/", "/admin/nowhere/"}
FOR_EVERYBODY = {"/admin/login/", "/admin/logout/"}


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "path", sorted({path for path in ADMIN_PATHS if "(" not in path} - FOR_EVERYBODY | ADMIN_EXAMPLES)
)
def test_the_pages_for_admins_are_closed_to_everybody_else(owner: User, path: str, method: str) -> None:
    concrete = re.sub(r"\{\w+\}", str(owner.pk), path)
    for user in (None, owner):
        browser = Client()
        if user is not None:
            browser.force_login(user)
        response: Any = getattr(browser, method)(concrete)
        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/?next="), response["Location"]
