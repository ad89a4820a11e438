"""The page of failed logins, and the button that ends a wait, used as a browser does."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts import lockout
from accounts.audit import Channel
from accounts.models import AuditEvent, FailedLogins, User
from accounts.tests.conftest import Clock

USERS, FAILURES = "/admin/accounts/user/", "/admin/accounts/failedlogins/"
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def browser(client: Client, admin_user: User) -> Client:
    client.force_login(admin_user)
    return client


def fail(times: int = 5, username: str = "alice", address: str = HERE) -> None:
    for _ in range(times):
        lockout.note_failure(username=username, address=address, channel=Channel.APP)


def locked(username: str = "alice", address: str = HERE) -> bool:
    return lockout.is_locked_out(username=username, address=address)


def text_of(browser: Client, url: str, **query: str) -> str:
    """What a person reads there, in one line."""
    page = browser.get(url, query).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def buttons(browser: Client, url: str) -> list[str]:
    return re.findall(r'href="([^"]+)">Unlock<', browser.get(url).content.decode())


def press(browser: Client, button: str) -> Any:
    assert "Unlock if these were mistakes" in browser.get(button).content.decode()
    return browser.post(button, follow=True)


def test_a_persons_page_says_that_nothing_is_locked(browser: Client, alice: User) -> None:
    fail(4)
    assert "Not locked out." in text_of(browser, f"{USERS}{alice.pk}/change/")
    assert buttons(browser, f"{USERS}{alice.pk}/change/") == []


def test_a_persons_page_says_who_is_locked_out_from_where_until_when(
    client: Client, admin_user: User, alice: User, clock: Clock
) -> None:
    clock.now = clock.now.replace(2031, 5, 6, 7, 8)
    client.force_login(admin_user)
    fail()
    page = text_of(client, f"{USERS}{alice.pk}/change/")
    assert f"Alice is locked out from {HERE} until May 6, 2031, 7:23 a.m. UTC. Unlock" in page


def test_the_list_of_people_says_who_is_locked_out(browser: Client, alice: User, bob: User) -> None:
    fail()
    shown = {user.username: user.is_locked_out for user in browser.get(USERS).context["cl"].result_list}
    assert shown == {"Alice": True, "bob": False, "charlie": False}
    assert "Locked out" in text_of(browser, USERS)


def test_a_lock_that_is_over_is_not_shown(browser: Client, alice: User, clock: Clock) -> None:
    fail()
    clock.go_on(minutes=16)
    assert "Not locked out." in text_of(browser, f"{USERS}{alice.pk}/change/")
    assert buttons(browser, FAILURES) == []


def test_the_button_on_a_persons_page_lets_that_person_in_and_leads_back(
    browser: Client, alice: User, bob: User
) -> None:
    fail()
    fail(username="bob")
    (button,) = buttons(browser, f"{USERS}{alice.pk}/change/")
    response = press(browser, button)
    assert response.redirect_chain == [(f"{USERS}{alice.pk}/change/", 302)]
    assert f"Alice may try to log in again at once from {HERE}." in response.content.decode()
    assert not locked()
    assert locked("bob")


def test_after_it_all_attempts_are_free_again(browser: Client, alice: User) -> None:
    fail()
    press(browser, *buttons(browser, f"{USERS}{alice.pk}/change/"))
    fail(4)
    assert not locked()


def test_only_the_place_that_was_unlocked_is(browser: Client, alice: User) -> None:
    fail()
    fail(address=ELSEWHERE)
    button = FailedLogins.objects.get(username="alice", address=HERE).pk
    press(browser, f"{FAILURES}{button}/unlock/")
    assert (locked(), locked(address=ELSEWHERE)) == (False, True)


def test_a_persons_page_shows_and_unlocks_an_address_that_is_locked_for_everybody(
    browser: Client, alice: User
) -> None:
    fail(1)
    for number in range(29):
        fail(1, username=f"somebody{number}")
    page = f"{USERS}{alice.pk}/change/"
    assert f"Everybody is locked out from {HERE} until" in text_of(browser, page)
    response = press(browser, *buttons(browser, page))
    assert response.redirect_chain == [(FAILURES, 302)]
    assert not locked()


def test_another_address_that_is_locked_for_everybody_is_not_on_a_persons_page(
    browser: Client, alice: User
) -> None:
    for number in range(30):
        fail(1, username=f"somebody{number}")
    assert "Not locked out." in text_of(browser, f"{USERS}{alice.pk}/change/")
    assert len(buttons(browser, FAILURES)) == 1


def test_it_is_noted_who_unlocked_whom_and_where(browser: Client, admin_user: User, alice: User) -> None:
    fail()
    fail(25, username="")
    for failures in FailedLogins.objects.order_by("-username"):
        press(browser, f"{FAILURES}{failures.pk}/unlock/")
    events = AuditEvent.objects.filter(action=AuditEvent.Action.UNLOCKED).order_by("pk")
    assert [(event.actor, event.user, event.detail) for event in events] == [
        (admin_user, alice, f"From {HERE}."),
        (admin_user, None, f"Everybody from {HERE}."),
    ]


def test_it_stands_in_the_persons_history(browser: Client, alice: User) -> None:
    fail()
    press(browser, *buttons(browser, FAILURES))
    history = text_of(browser, f"{USERS}{alice.pk}/history/")
    assert f"Alice may try to log in again at once from {HERE}." in history


def test_to_look_at_the_question_unlocks_nothing(browser: Client, alice: User) -> None:
    fail()
    (button,) = buttons(browser, FAILURES)
    browser.get(button)
    assert locked()


def test_what_was_unlocked_meanwhile_is_a_sentence(browser: Client, alice: User) -> None:
    fail()
    (button,) = buttons(browser, FAILURES)
    press(browser, button)
    assert "Nobody is locked out by that any more." in text_of(browser, button) + text_of(browser, FAILURES)
    assert AuditEvent.objects.filter(action=AuditEvent.Action.UNLOCKED).count() == 1


def test_only_admins_unlock(client: Client, alice: User) -> None:
    fail()
    client.force_login(alice)
    failures = FailedLogins.objects.get(username="alice")
    client.post(f"{FAILURES}{failures.pk}/unlock/")
    assert locked()


def test_the_list_can_be_narrowed_to_who_is_locked_out_now(browser: Client, alice: User, bob: User) -> None:
    fail()
    fail(1, username="bob", address=ELSEWHERE)
    assert "bob" in text_of(browser, FAILURES)
    found = browser.get(FAILURES, {"locked_out": "now"}).context["cl"].result_list
    assert [failures.username for failures in found] == ["alice"]


def test_the_list_does_not_show_what_was_typed_where_nobody_has_that_name(browser: Client) -> None:
    fail(username="my-secret-password")
    page = browser.get(FAILURES).content.decode()
    (button,) = buttons(browser, FAILURES)
    assert "Somebody with an unknown name" in page
    for shown in (page, browser.get(button).content.decode(), press(browser, button).content.decode()):
        assert "my-secret" not in shown
    fail(username="my-secret-password")
    assert browser.get(FAILURES, {"q": "my-secr"}).context["cl"].result_count == 0


def test_failed_logins_are_never_changed_by_hand(browser: Client) -> None:
    fail()
    failures = FailedLogins.objects.get(username="alice")
    assert browser.post(f"{FAILURES}{failures.pk}/change/", {"failures": 0}).status_code == 403
    assert browser.post(f"{FAILURES}{failures.pk}/delete/", {"post": "yes"}).status_code == 403
    assert browser.get(f"{FAILURES}add/").status_code == 403
