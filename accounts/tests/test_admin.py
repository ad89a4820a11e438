"""The pages for admins, used as a browser does."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from accounts import services, sessions
from accounts.forms import gibibytes
from accounts.models import AuditEvent, Role, User
from accounts.tests.factories import PASSWORD, AdminFactory

LIST = "/admin/accounts/user/"
GIB = 1024**3


@pytest.fixture
def browser(client: Client, admin_user: User) -> Client:
    client.force_login(admin_user)
    return client


def change(browser: Client, user: User, **changed: Any) -> Any:
    form: dict[str, Any] = {
        "role": user.role,
        "is_active": "on",
        "disk_quota": "",
        "monthly_traffic_limit": "",
        "active_torrent_limit": "",
        "download_limit": "",
        "upload_limit": "",
        "note": "",
        **changed,
    }
    return browser.post(
        f"{LIST}{user.pk}/change/", {key: value for key, value in form.items() if value is not None}
    )


def act(browser: Client, action: str, *users: User) -> Any:
    selected = {"action": action, "_selected_action": [user.pk for user in users]}
    return browser.post(LIST, selected, follow=True)


def shown_passwords(response: Any) -> list[str]:
    return re.findall(r"<code[^>]*>([^<]+)</code>", response.content.decode())


def test_an_admin_logs_in_with_the_password_and_a_name_in_any_case(client: Client, admin_user: User) -> None:
    response = client.post("/admin/login/?next=/admin/", {"username": "CHARLIE", "password": PASSWORD})
    assert response.status_code == 302
    assert client.get("/admin/").status_code == 200
    event = AuditEvent.objects.get()
    assert (event.action, event.user, event.detail) == ("logged_in", admin_user, "In the admin pages.")


def test_a_user_without_the_role_does_not_get_in_and_is_not_noted_as_logged_in(
    client: Client, alice: User
) -> None:
    response = client.post("/admin/login/", {"username": "alice", "password": PASSWORD})
    assert response.status_code == 200
    assert not AuditEvent.objects.exists()


def test_the_front_page_shows_users_and_none_of_what_nobody_needs(browser: Client) -> None:
    page = browser.get("/admin/").content.decode()
    assert "Users" in page
    assert not any(word in page for word in ("Groups", "Outstanding", "Blacklisted"))


def test_the_list_shows_searches_and_filters(browser: Client, alice: User, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(disk_quota=GIB // 2, is_active=False, note="her cousin")
    everybody = browser.get(LIST).content.decode()
    assert "0.5 GiB" in everybody
    assert "default" in everybody
    found = browser.get(LIST, {"q": "cousin", "is_active__exact": "0", "role__exact": "user"})
    assert [user.username for user in found.context["cl"].result_list] == ["bob"]


def test_the_list_cannot_be_filtered_by_password(browser: Client) -> None:
    assert browser.get(LIST, {"password__startswith": "argon2"}).status_code == 400


def test_a_person_is_added_with_a_typed_password(browser: Client) -> None:
    form = {"username": "dave", "role": "user", "password1": PASSWORD, "password2": PASSWORD}
    response = browser.post(f"{LIST}add/", form)
    user = User.objects.get(username="dave")
    assert response.headers["Location"] == f"{LIST}{user.pk}/change/"
    assert user.check_password(PASSWORD)
    assert user.role == Role.USER


def test_a_person_is_added_with_a_made_password_that_is_shown_once(browser: Client) -> None:
    response = browser.post(f"{LIST}add/", {"username": "dave", "role": "admin"})
    (password,) = shown_passwords(response)
    user = User.objects.get(username="dave")
    assert user.check_password(password)
    assert user.role == Role.ADMIN
    assert password not in browser.get(LIST).content.decode()
    assert password not in browser.get(f"{LIST}{user.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"username": "dave", "password1": PASSWORD}, "The two passwords differ."),
        ({"username": "dave", "password2": PASSWORD}, "The two passwords differ."),
        ({"username": "dave", "password1": "short", "password2": "short"}, "too short"),
        ({"username": "davidson", "password1": "davidson12", "password2": "davidson12"}, "too similar"),
        ({"username": "CHARLIE"}, "There is already a user of this name."),
        ({"username": "charlie"}, "There is already a user of this name."),
        ({"username": "two words"}, "Use up to 64 letters"),
    ],
)
def test_a_mistake_in_the_add_form_is_explained(browser: Client, form: dict[str, str], words: str) -> None:
    response = browser.post(f"{LIST}add/", {"role": "user", **form})
    errors = response.context["adminform"].form.errors.as_text()
    assert errors.count(words) == 1
    assert User.objects.count() == 1


def test_limits_are_typed_in_gib_and_stored_in_bytes(browser: Client, alice: User) -> None:
    change(browser, alice, disk_quota="0.5", monthly_traffic_limit="2000", active_torrent_limit="3")
    alice.refresh_from_db()
    limits = (alice.disk_quota, alice.monthly_traffic_limit, alice.active_torrent_limit)
    assert limits == (GIB // 2, 2000 * GIB, 3)
    page = browser.get(f"{LIST}{alice.pk}/change/").content.decode()
    assert 'value="0.5"' in page
    assert 'value="2000"' in page


def test_speeds_are_typed_in_mib_a_second_and_stored_in_bytes(browser: Client, alice: User) -> None:
    change(browser, alice, download_limit="12.5", upload_limit="0.25")
    alice.refresh_from_db()
    assert (alice.download_limit, alice.upload_limit) == (12.5 * 2**20, 2**18)
    page = browser.get(f"{LIST}{alice.pk}/change/").content.decode()
    assert "Download speed (MiB/s)" in page
    assert 'value="12.5"' in page
    assert 'value="0.25"' in page


def test_an_emptied_speed_is_no_limit(browser: Client, alice: User) -> None:
    User.objects.update(download_limit=1, upload_limit=1)
    change(browser, alice)
    alice.refresh_from_db()
    assert (alice.download_limit, alice.upload_limit) == (None, None)


def test_a_speed_that_is_none_is_explained(browser: Client, alice: User) -> None:
    response = change(browser, alice, upload_limit="0")
    (explained,) = response.context["adminform"].form.errors["upload_limit"]
    assert explained == "Enter a number of MiB/s above 0 and up to 1000000, or nothing for no limit."


def test_an_emptied_limit_is_the_servers_default_again(browser: Client, alice: User) -> None:
    User.objects.update(disk_quota=GIB)
    change(browser, alice)
    alice.refresh_from_db()
    assert alice.disk_quota is None


@pytest.mark.parametrize("size", [1, 1000, GIB - 1, 2**50 - 1, 3 * GIB])
def test_saving_an_unchanged_form_keeps_every_byte(browser: Client, alice: User, size: int) -> None:
    User.objects.update(disk_quota=size)
    change(browser, alice, disk_quota=gibibytes(size))
    alice.refresh_from_db()
    assert alice.disk_quota == size


@pytest.mark.parametrize("typed", ["0", "-1", "nan", "inf", "1000001", "1e400", "much", "0.0000000001"])
def test_a_limit_that_is_none_is_explained(browser: Client, alice: User, typed: str) -> None:
    response = change(browser, alice, disk_quota=typed)
    assert "or nothing for the server" in response.context["adminform"].form.errors["disk_quota"][0]


def test_disabling_in_the_form_ends_sessions(browser: Client, alice: User) -> None:
    token = sessions.start_session(username="alice", password=PASSWORD).refresh
    change(browser, alice, is_active=None)
    services.enable_user(user=alice)
    with pytest.raises(sessions.SessionEnded):
        sessions.refresh_session(refresh=token)


def test_the_actions_disable_and_enable(browser: Client, alice: User, bob: User) -> None:
    assert "Disabled and logged out: bob." in act(browser, "disable", alice, bob).content.decode()
    assert not User.objects.filter(pk__in=[alice.pk, bob.pk], is_active=True).exists()
    assert "May log in again: Alice." in act(browser, "enable", alice).content.decode()
    alice.refresh_from_db()
    assert alice.is_active


def test_an_admin_who_disables_himself_is_told_why_not_and_the_others_are_disabled(
    browser: Client, admin_user: User, bob: User
) -> None:
    response = act(browser, "disable", admin_user, bob)
    assert "You cannot disable yourself. Ask another admin to do it." in response.content.decode()
    assert list(User.objects.filter(is_active=True)) == [admin_user]


def test_an_admin_cannot_demote_or_disable_himself_by_the_form(browser: Client, admin_user: User) -> None:
    page = browser.get(f"{LIST}{admin_user.pk}/change/").content.decode()
    assert "This is you. Only another admin can change your role or disable you." in page
    change(browser, admin_user, role="user", is_active=None, note="tried")
    admin_user.refresh_from_db()
    assert (admin_user.role, admin_user.is_active, admin_user.note) == (Role.ADMIN, True, "tried")


def test_another_admin_can_be_demoted(browser: Client, db: None) -> None:
    other = AdminFactory.create()
    change(browser, other, role="user")
    other.refresh_from_db()
    assert other.role == Role.USER


def test_a_disabled_admins_open_pages_are_closed(browser: Client, admin_user: User) -> None:
    services.disable_user(user=admin_user)
    assert browser.get(LIST).status_code == 302


def test_nobody_is_deleted(browser: Client, alice: User) -> None:
    assert browser.post(f"{LIST}{alice.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in browser.get(LIST).content.decode()
    assert User.objects.filter(pk=alice.pk).exists()


def test_the_person_page_leads_to_the_password_page(browser: Client, alice: User) -> None:
    assert f'href="{LIST}{alice.pk}/password/"' in browser.get(f"{LIST}{alice.pk}/change/").content.decode()
    assert "Reset the password of Alice" in browser.get(f"{LIST}{alice.pk}/password/").content.decode()


def test_a_password_is_reset_by_typing_it_twice(browser: Client, alice: User) -> None:
    form = {"password1": "another sentence", "password2": "another sentence"}
    response = browser.post(f"{LIST}{alice.pk}/password/", form, follow=True)
    assert "The password of Alice was changed." in response.content.decode()
    alice.refresh_from_db()
    assert alice.check_password("another sentence")


def test_a_password_is_reset_to_a_made_one(browser: Client, alice: User) -> None:
    (password,) = shown_passwords(
        browser.post(f"{LIST}{alice.pk}/password/", {"password1": "", "password2": ""})
    )
    alice.refresh_from_db()
    assert alice.check_password(password)


def test_differing_passwords_reset_nothing(browser: Client, alice: User) -> None:
    response = browser.post(f"{LIST}{alice.pk}/password/", {"password1": PASSWORD, "password2": "other"})
    assert "The two passwords differ." in response.content.decode()
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_the_password_page_of_nobody_is_not_found(browser: Client) -> None:
    assert browser.get(f"{LIST}999999/password/").status_code == 404


def test_a_user_cannot_reset_anybodys_password(client: Client, alice: User, bob: User) -> None:
    client.force_login(alice)
    client.post(
        f"{LIST}{bob.pk}/password/", {"password1": "another sentence", "password2": "another sentence"}
    )
    bob.refresh_from_db()
    assert bob.check_password(PASSWORD)


def test_the_action_makes_a_password_for_each_and_shows_it_once(
    browser: Client, alice: User, bob: User, admin_user: User
) -> None:
    passwords = shown_passwords(act(browser, "make_new_password", alice, bob, admin_user))
    users = User.objects.order_by("username")
    assert all(user.check_password(password) for user, password in zip(users, passwords, strict=True))
    assert browser.get(LIST).status_code == 200, "whoever resets his own password stays logged in"


def test_what_was_done_stands_in_the_history(browser: Client, alice: User) -> None:
    act(browser, "disable", alice)
    act(browser, "make_new_password", alice)
    page = browser.get(f"{LIST}{alice.pk}/history/").content.decode()
    assert "Disabled." in page
    assert "Password changed." in page


AUDIT = "/admin/accounts/auditevent/"


def test_what_admins_do_to_people_is_in_the_audit_log(browser: Client, admin_user: User, alice: User) -> None:
    browser.post(f"{LIST}add/", {"username": "dave", "role": "user"})
    change(browser, alice, disk_quota="5", role="admin", note="promoted")
    act(browser, "disable", alice)
    act(browser, "enable", alice)
    act(browser, "make_new_password", alice)
    events = AuditEvent.objects.exclude(action=AuditEvent.Action.LOGGED_IN).order_by("pk")
    assert [(event.action, str(event.user), event.detail) for event in events] == [
        ("user_created", "dave", "As user."),
        ("user_changed", "Alice", f"disk_quota {5 * GIB}, role admin"),
        ("user_disabled", "Alice", ""),
        ("user_enabled", "Alice", ""),
        ("password_reset", "Alice", ""),
    ]
    assert {(event.actor, event.address) for event in events} == {(admin_user, "127.0.0.1")}


def test_the_audit_log_is_read_and_searched_but_never_changed(browser: Client, alice: User) -> None:
    services.disable_user(user=alice)
    event = AuditEvent.objects.get()
    assert "User disabled" in browser.get(AUDIT, {"q": "alice"}).content.decode()
    assert browser.get(f"{AUDIT}{event.pk}/change/").status_code == 200
    assert browser.post(f"{AUDIT}{event.pk}/change/", {"detail": "nothing"}).status_code == 403
    assert browser.post(f"{AUDIT}{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert browser.get(f"{AUDIT}add/").status_code == 403
    act = {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"}
    browser.post(AUDIT, act)
    assert AuditEvent.objects.filter(pk=event.pk, detail="").exists()


def test_the_audit_log_is_narrowed_by_person_kind_and_day(browser: Client, alice: User, bob: User) -> None:
    for user in (alice, bob):
        services.disable_user(user=user)
        services.enable_user(user=user)
    AuditEvent.objects.filter(user=bob).update(at=datetime(2020, 5, 6, tzinfo=UTC))

    def found(**query: str) -> list[str]:
        events = browser.get(AUDIT, query).context["cl"].result_list
        return sorted(f"{event.action} {event.user}" for event in events)

    assert found(user__id__exact=str(alice.pk)) == ["user_disabled Alice", "user_enabled Alice"]
    assert found(action__exact="user_disabled") == ["user_disabled Alice", "user_disabled bob"]
    assert found(at__year="2020", at__month="5", at__day="6") == ["user_disabled bob", "user_enabled bob"]
