"""The admin's pages about torrents, used as a browser does."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEvent, Role, User
from torrents import engine_records, services
from torrents.models import BlockedInfohash, Claim, Engine, ForeignTorrent, LiveState, Removal, Torrent
from torrents.services import default_engine
from torrents.tests.factories import State, add, fresh_magnet, live, magnet, person

LIST = "/admin/torrents/torrent/"
BLOCKED = "/admin/torrents/blockedinfohash/"
FOREIGN = "/admin/torrents/foreigntorrent/"
PASSKEY = "c0ffee5ecret"


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create(username="the.admin", password="!", role=Role.ADMIN)


@pytest.fixture
def browser(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def act(browser: Client, action: str, *torrents: Torrent, path: str = LIST, **form: Any) -> Any:
    selected = {"action": action, "_selected_action": [torrent.pk for torrent in torrents], **form}
    return browser.post(path, selected, follow=True)


def found(browser: Client, **query: str) -> list[str]:
    return [str(torrent) for torrent in browser.get(LIST, query).context["cl"].result_list]


def rows(page: str) -> list[str]:
    """The list's lines as a person reads them."""
    lines = re.findall(r'<tr><td class="action-checkbox">(.*?)</tr>', page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", line).replace("\xa0", " ").split()) for line in lines]


def test_the_front_page_leads_to_what_is_about_torrents(browser: Client) -> None:
    page = browser.get("/admin/").content.decode()
    for name in ("Torrents", "Blocked infohashes", "Torrents of nobody here", "Pending deletions", "Engines"):
        assert name in page


def test_the_list_says_how_large_it_is_what_it_does_and_who_added_it(
    browser: Client, alice: User, bob: User
) -> None:
    source = fresh_magnet("A Show")
    torrent = add(alice, source).torrent
    add(bob, source)
    Torrent.objects.update(size=3 * 2**30)
    engine_records.record_live_states([live(torrent, State.DOWNLOADING, progress=0.999)])
    (row,) = rows(browser.get(LIST).content.decode())
    assert row.startswith("A Show 3.0 GB Downloading 99 % 2 alice and 1 more")


def test_a_torrent_that_nobody_has_any_more_says_so(browser: Client, alice: User) -> None:
    claim = add(alice)
    services.remove_torrent(claim=claim)
    (row,) = rows(browser.get(LIST).content.decode())
    assert "not known yet Waiting 0 % 0 nobody has it any more" in row
    assert found(browser, held="nobody") == [str(claim.torrent)]
    assert found(browser, held="somebody") == []


def test_the_list_is_searched_by_name_infohash_and_person(browser: Client, alice: User, bob: User) -> None:
    show, other = fresh_magnet("A Show"), fresh_magnet("Another")
    add(alice, show)
    add(bob, other)
    assert found(browser, q="show") == ["A Show"]
    assert found(browser, q=(show.infohash_v1 or "").upper()) == ["A Show"]
    assert found(browser, q="bob") == ["Another"]
    assert found(browser, q="nobody") == []


def test_the_list_is_filtered_by_state(browser: Client, alice: User) -> None:
    add(alice, fresh_magnet("waits"))
    stalled = add(alice, fresh_magnet("stalls")).torrent
    engine_records.record_live_states([live(stalled, State.STALLED)])
    assert found(browser, live__state__exact="stalled") == ["stalls"]


@pytest.mark.parametrize(
    "lookup", ["trackers__0__contains", "trackers__icontains", "metainfo", "claims__trackers__0"]
)
def test_trackers_cannot_be_guessed_through_the_filters(browser: Client, lookup: str) -> None:
    assert browser.get(LIST, {lookup: PASSKEY}).status_code == 400


def test_a_torrents_page_shows_who_has_it_and_where_it_is_but_no_passkey(
    browser: Client, alice: User, bob: User
) -> None:
    torrent = add(alice).torrent
    Torrent.objects.update(trackers=[f"https://tracker.example.org/{PASSKEY}/announce"])
    page = browser.get(f"{LIST}{torrent.pk}/change/").content.decode()
    assert "alice" in page
    assert str(torrent.data_dir) in page
    assert "tracker.example.org" not in page
    assert PASSKEY not in page
    assert 'type="submit"' not in page.split('id="content-main"')[1], "there is nothing to save"


def test_nothing_is_added_changed_or_deleted_by_hand(browser: Client, alice: User) -> None:
    torrent = add(alice).torrent
    assert browser.post(f"{LIST}{torrent.pk}/change/", {"name": "mine"}).status_code == 403
    assert browser.post(f"{LIST}{torrent.pk}/delete/", {"post": "yes"}).status_code == 403
    assert browser.get(f"{LIST}add/").status_code == 403
    assert "delete_selected" not in browser.get(LIST).content.decode()


def test_a_recheck_is_asked_for_and_stands_in_the_history(browser: Client, alice: User) -> None:
    chosen, other = add(alice).torrent, add(alice).torrent
    answer = act(browser, "recheck", chosen)
    assert "The engine is asked to check 1 of them." in answer.content.decode()
    chosen.refresh_from_db()
    other.refresh_from_db()
    assert chosen.recheck_requested_at is not None
    assert other.recheck_requested_at is None
    history = browser.get(f"{LIST}{chosen.pk}/history/").content.decode()
    assert "Asked for its data to be checked again." in history


def test_blocking_asks_for_a_reason_first(browser: Client, alice: User) -> None:
    torrent = add(alice, fresh_magnet("A Show")).torrent
    for form in ({}, {"apply": "yes", "reason": ""}):
        page = act(browser, "block", torrent, **form).content.decode()
        assert "Block and delete" in page
        assert "A Show" in page
    assert Claim.objects.exists()


def test_a_torrent_is_blocked_with_a_reason(browser: Client, alice: User, admin: User) -> None:
    torrent = add(alice, fresh_magnet("A Show")).torrent
    page = act(browser, "block", torrent, apply="yes", reason="A letter.").content.decode()
    assert "Blocked, and being deleted: A Show." in page
    assert (Claim.objects.count(), Removal.objects.get().pk) == (0, torrent.pk)
    blocked = BlockedInfohash.objects.get()
    assert (blocked.infohash, blocked.reason, blocked.blocked_by) == (torrent.infohash_v1, "A letter.", admin)
    event = AuditEvent.objects.get(action="torrent_blocked")
    assert (event.actor, event.address, event.detail) == (
        admin,
        "127.0.0.1",
        f"{torrent.infohash_v1}, 1 had it. A letter.",
    )
    assert str(torrent.pk) in browser.get("/admin/torrents/removal/").content.decode()


def test_a_torrent_known_by_its_v2_infohash_only_is_blocked_too(browser: Client, alice: User) -> None:
    torrent = add(alice, magnet(v2="ab" * 32)).torrent
    act(browser, "block", torrent, apply="yes", reason="A letter.")
    assert BlockedInfohash.objects.get().infohash == "ab" * 32


def test_too_many_are_not_blocked_by_one_slip(
    browser: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torrents.admin.MOST_BLOCKED_AT_ONCE", 1)
    torrents = [add(alice).torrent for _ in range(2)]
    page = act(browser, "block", *torrents, apply="yes", reason="A letter.").content.decode()
    assert "Choose at most 1 torrents to block. Nothing was changed." in page
    assert Claim.objects.count() == 2


def test_an_infohash_is_blocked_before_anybody_has_it(browser: Client, admin: User) -> None:
    form = {"infohash": "AB" * 20, "reason": "A letter."}
    assert browser.post(f"{BLOCKED}add/", form).status_code == 302
    blocked = BlockedInfohash.objects.get()
    assert (blocked.infohash, blocked.blocked_by) == ("ab" * 20, admin)
    page = browser.get(BLOCKED, {"q": "letter"}).content.decode()
    assert "ab" * 20 in page
    assert "A letter." in browser.get(f"{BLOCKED}{blocked.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("typed", "words"),
    [("nonsense", "40 (v1) or 64 (v2)"), ("cd" * 20, "This infohash is blocked already."), ("", "required")],
)
def test_a_mistake_in_the_form_is_explained(browser: Client, typed: str, words: str) -> None:
    BlockedInfohash.objects.create(infohash="cd" * 20)
    answer = browser.post(f"{BLOCKED}add/", {"infohash": typed})
    assert words in answer.context["adminform"].form.errors["infohash"][0]
    assert BlockedInfohash.objects.count() == 1


def test_an_infohash_is_unblocked(browser: Client, alice: User, admin: User) -> None:
    blocked = BlockedInfohash.objects.create(infohash="cd" * 20)
    selected = {"action": "unblock", "_selected_action": [blocked.pk]}
    assert "Unblocked." in browser.post(BLOCKED, selected, follow=True).content.decode()
    assert not BlockedInfohash.objects.exists()
    assert AuditEvent.objects.get(action="torrent_unblocked").actor == admin


def test_a_block_is_not_changed_or_deleted_without_being_undone(browser: Client) -> None:
    blocked = BlockedInfohash.objects.create(infohash="cd" * 20)
    assert browser.post(f"{BLOCKED}{blocked.pk}/change/", {"infohash": "ab" * 20}).status_code == 403
    assert browser.post(f"{BLOCKED}{blocked.pk}/delete/", {"post": "yes"}).status_code == 403


def test_what_the_engine_has_of_nobody_here_is_shown(browser: Client) -> None:
    ForeignTorrent.objects.create(
        engine=default_engine(),
        key="f" * 40,
        name="Somebody's",
        save_path="/srv/other",
        size=2**30,
        seen_at=timezone.now(),
    )
    page = browser.get(FOREIGN).content.decode()
    assert "In the engine, but nobody&#x27;s here" in page
    for words in ("Somebody&#x27;s", "/srv/other", "1.0\xa0GB"):
        assert words in page
    assert browser.get(FOREIGN, {"q": "srv"}).context["cl"].result_count == 1


def test_the_engines_page_says_how_it_is(browser: Client) -> None:
    default_engine()
    Engine.objects.update(version="qBittorrent v4.5.2", message="It does not answer.", free_space=5 * 2**30)
    page = browser.get("/admin/torrents/engine/").content.decode()
    for words in ("qBittorrent v4.5.2", "It does not answer.", "5.0\xa0GB"):
        assert words in page
    engine = default_engine()
    assert browser.get(f"/admin/torrents/engine/{engine.pk}/change/").status_code == 200


def test_the_removal_queue_is_searched_by_folder(browser: Client) -> None:
    removal = Removal.objects.create(pk=uuid.uuid4(), engine=default_engine())
    Removal.objects.create(pk=uuid.uuid4(), engine=default_engine())
    answer = browser.get("/admin/torrents/removal/", {"q": str(removal.pk)[:13]})
    assert [row.pk for row in answer.context["cl"].result_list] == [removal.pk]


@pytest.mark.parametrize(
    "path", [LIST, BLOCKED, FOREIGN, "/admin/torrents/removal/", "/admin/torrents/engine/"]
)
def test_these_pages_are_for_admins(client: Client, alice: User, path: str) -> None:
    client.force_login(alice)
    assert client.get(path).status_code == 302


def many(owner: User, count: int) -> None:
    engine = default_engine()
    now = timezone.now()
    torrents = Torrent.objects.bulk_create(
        Torrent(
            engine=engine,
            infohash_v1=uuid.uuid4().hex + f"{number:08x}",
            name=f"number {number}",
            added_at=now - timedelta(seconds=number),
        )
        for number in range(count)
    )
    LiveState.objects.bulk_create(LiveState(torrent=torrent) for torrent in torrents)
    Claim.with_removed.bulk_create(
        Claim(user=owner, torrent=torrent, change=number) for number, torrent in enumerate(torrents)
    )


def queries(browser: Client, path: str, query: dict[str, str]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(path, query).status_code == 200
    return [entry["sql"] for entry in captured]


@pytest.mark.parametrize(
    "query", [{}, {"q": "alice number"}, {"o": "5"}, {"held": "nobody"}, {"live__state__exact": "waiting"}]
)
def test_the_list_asks_as_much_for_five_thousand_torrents_as_for_one(
    browser: Client, alice: User, query: dict[str, str]
) -> None:
    many(alice, 1)
    few = queries(browser, LIST, query)
    many(person("bob"), 5000)
    lots = queries(browser, LIST, query)
    assert len(lots) == len(few) <= 10
    assert not any('"metainfo"' in sql or '"trackers"' in sql for sql in lots)


def test_a_torrents_page_asks_as_much_for_many_claims_as_for_one(browser: Client, alice: User) -> None:
    source = fresh_magnet()
    torrent = add(alice, source).torrent
    path = f"{LIST}{torrent.pk}/change/"
    few = queries(browser, path, {})
    for number in range(20):
        add(person(f"p{number}"), source)
    assert len(queries(browser, path, {})) == len(few)
