import pytest
from django.db import IntegrityError
from django.test import Client

from accounts.models import Role, User
from accounts.tests.factories import AdminFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"username": "aLICE"}, "username_unique_in_any_case"),
        ({"username": "two words"}, "username_is_plain"),
        ({"username": ".."}, "username_is_plain"),
        ({"username": "-rf"}, "username_is_plain"),
        ({"username": "ünder"}, "username_is_plain"),
        ({"username": "newline\n"}, "username_is_plain"),
        ({"role": "owner"}, "role_is_known"),
        ({"disk_quota": 0}, "disk_quota_is_positive"),
        ({"monthly_traffic_limit": 0}, "monthly_traffic_limit_is_positive"),
        ({"active_torrent_limit": 0}, "active_torrent_limit_is_positive"),
        ({"download_limit": 0}, "download_limit_is_positive"),
        ({"upload_limit": 0}, "upload_limit_is_positive"),
    ],
)
def test_the_database_itself_refuses(alice: User, wrong: dict[str, object], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=f"accounts_user_{constraint}"):
        UserFactory.create(**wrong)


def test_a_name_of_every_allowed_sign_and_full_length_is_stored() -> None:
    assert UserFactory.create(username="9aZ._-" + "x" * 58).pk


def test_a_name_is_found_in_any_case(alice: User) -> None:
    assert User.objects.get_by_natural_key("aLiCe") == alice


def test_the_role_alone_decides_what_a_person_may_do() -> None:
    admin, user = AdminFactory.create(), UserFactory.create()
    assert (admin.is_staff, admin.is_superuser, admin.has_perm("x.y"), admin.has_module_perms("x")) == (
        True,
    ) * 4
    assert (user.is_staff, user.is_superuser, user.has_perm("x.y"), user.has_module_perms("x")) == (
        False,
    ) * 4


def test_a_disabled_admin_has_no_permission() -> None:
    admin = AdminFactory.create(is_active=False)
    assert not admin.has_perm("accounts.change_user")
    assert not admin.has_module_perms("accounts")


def test_a_user_is_kept_out_of_the_admin_pages(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/admin/accounts/user/").status_code == 302


def test_a_superuser_made_by_djangos_own_command_is_an_admin() -> None:
    user = User.objects.create_superuser("root", "correct horse battery")
    assert user.role == Role.ADMIN
    assert user.check_password("correct horse battery")
