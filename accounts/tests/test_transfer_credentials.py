"""Passwords for SFTP that live for minutes."""

import pytest
from pytest_django import Settings

from accounts import lockout, services, transfer_credentials
from accounts.audit import By
from accounts.models import AuditEvent, TransferCredential, User
from accounts.tests.conftest import Clock


def make(user: User) -> tuple[TransferCredential, str]:
    return transfer_credentials.make_credential(user=user, by=By(user))


def owner(secret: str, username: str = "alice") -> User | None:
    found = transfer_credentials.credential_of(username=username, secret=secret, address="192.0.2.1")
    return None if found is None else found.user


def test_it_opens_its_owners_account_as_often_as_wanted(alice: User) -> None:
    _, secret = make(alice)
    assert [owner(secret), owner(secret, "ALICE")] == [alice, alice]


def test_it_is_good_for_the_configured_minutes(alice: User, clock: Clock, settings: Settings) -> None:
    settings.TRANSFER_CREDENTIAL_MINUTES = 10
    _, secret = make(alice)
    clock.go_on(minutes=9)
    assert owner(secret) == alice
    clock.go_on(minutes=1)
    assert owner(secret) is None


def test_it_opens_nobody_elses_account(alice: User, bob: User) -> None:
    _, secret = make(alice)
    assert owner(secret, "bob") is None
    assert owner(secret, "alice\0") == alice


def test_its_secret_is_not_stored(alice: User) -> None:
    _, secret = make(alice)
    assert len(secret) == 43
    assert secret not in str(list(TransferCredential.objects.values()))


@pytest.mark.parametrize("secret", ["", "wrong", "\0", "\ud800", "x" * 100_000])
def test_a_wrong_secret_opens_nothing(alice: User, secret: str) -> None:
    make(alice)
    assert owner(secret) is None


def test_a_client_that_goes_on_with_an_expired_one_locks_nobody_out(alice: User, clock: Clock) -> None:
    _, secret = make(alice)
    clock.go_on(hours=1)
    assert [owner(secret) for _ in range(6)] == [None] * 6
    assert not lockout.is_locked_out(username="alice", address="192.0.2.1")


def test_revoked_it_opens_nothing(alice: User, bob: User) -> None:
    credential, secret = make(alice)
    assert not transfer_credentials.revoke_credential(user=bob, credential_id=credential.pk, by=By(bob))
    assert owner(secret) == alice
    assert transfer_credentials.revoke_credential(user=alice, credential_id=credential.pk, by=By(alice))
    assert owner(secret) is None
    assert not transfer_credentials.revoke_credential(user=alice, credential_id=credential.pk, by=By(alice))


def test_it_can_be_revoked_after_it_expired_for_what_it_opened_may_still_run(
    alice: User, clock: Clock
) -> None:
    credential, _ = make(alice)
    clock.go_on(hours=1)
    assert transfer_credentials.revoke_credential(user=alice, credential_id=credential.pk, by=By(alice))


def test_one_no_longer_good_that_is_tried_again_and_again_is_audited_once(alice: User) -> None:
    _, secret = make(alice)
    transfer_credentials.revoke_all(user=alice)
    for _ in range(6):
        owner(secret)
    (event,) = AuditEvent.objects.filter(action=AuditEvent.Action.LOGIN_FAILED)
    assert (event.user, event.address) == (alice, "192.0.2.1")


@pytest.mark.parametrize("change", [services.disable_user, services.set_password])
def test_disabling_and_a_new_password_end_it_for_good(alice: User, change: object) -> None:
    assert callable(change)
    _, secret = make(alice)
    change(user=alice)
    services.enable_user(user=alice)
    assert owner(secret) is None


def test_ten_at_a_time_are_enough(alice: User, clock: Clock) -> None:
    for _ in range(10):
        make(alice)
    with pytest.raises(transfer_credentials.TooManyCredentials, match="You have 10"):
        make(alice)
    clock.go_on(hours=1)
    assert make(alice)


def test_it_is_deleted_a_day_after_it_expired(alice: User, clock: Clock) -> None:
    make(alice)
    clock.go_on(hours=24)
    assert transfer_credentials.prune() == 0
    clock.go_on(hours=1)
    assert transfer_credentials.prune() == 1
