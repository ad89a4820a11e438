"""Public keys: what is taken, whose they are."""

import asyncssh
import pytest

from accounts import services, ssh_keys
from accounts.audit import By
from accounts.models import AuditEvent, SshKey, User
from accounts.tests.conftest import Clock


def public_key(kind: str = "ssh-ed25519", comment: str = "", **options: int) -> str:
    key = asyncssh.generate_private_key(kind, comment=comment, **options)
    return key.export_public_key("openssh").decode()


def add(user: User, key: str, name: str = "") -> SshKey:
    return ssh_keys.add_key(user=user, public_key=key, name=name, by=By(user))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("ssh-ed25519", {}),
        ("ecdsa-sha2-nistp256", {}),
        ("ecdsa-sha2-nistp384", {}),
        ("ecdsa-sha2-nistp521", {}),
        ("ssh-rsa", {"key_size": 3072}),
    ],
)
def test_strong_keys_are_taken_and_recognised(alice: User, kind: str, options: dict[str, int]) -> None:
    text = public_key(kind, comment="laptop of alice", **options)
    key = add(alice, text)
    assert key.fingerprint == asyncssh.import_public_key(text).get_fingerprint()
    assert key.name == "laptop of alice"
    assert ssh_keys.key_of(username="ALICE", public_key=key.public_key) == key
    assert key.user == alice


def broken(text: str) -> str:
    kind, blob, *_ = text.split()
    return f"{kind} {blob[:-8]}"


REFUSED = {
    "RSA of 2048 bits": lambda: public_key("ssh-rsa", key_size=2048),
    "Ed448": lambda: public_key("ssh-ed448"),
    "cut off": lambda: broken(public_key()),
    "of another type than it says": lambda: public_key().replace("ssh-ed25519", "ssh-rsa", 1),
    "not base64": lambda: "ssh-ed25519 ????",
    "only a type": lambda: "ssh-ed25519",
    "nothing": lambda: " ",
    "with options": lambda: f'command="/bin/sh" {public_key()}',
    "two keys": lambda: public_key() + public_key(),
    "a NUL": lambda: "ssh-ed25519 \0",
    "endless": lambda: public_key().strip() + "x" * 9000,
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_anything_else_is_refused_in_a_sentence(alice: User, make: object) -> None:
    assert callable(make)
    with pytest.raises(ssh_keys.KeyRefused) as refusal:
        add(alice, make())
    assert "ssh-keygen -t ed25519" in str(refusal.value)
    assert not SshKey.objects.exists()


def test_a_private_key_is_refused_with_a_warning_and_not_kept(alice: User) -> None:
    private = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    with pytest.raises(ssh_keys.PrivateKeySent, match="must never leave your machine"):
        add(alice, private)


def test_another_persons_key_is_refused_in_the_words_of_a_weak_one(alice: User, bob: User) -> None:
    text = public_key()
    add(alice, text)
    with pytest.raises(ssh_keys.KeyRefused) as refusal:
        add(bob, text)
    assert str(refusal.value) == ssh_keys.KeyRefused.default_detail
    assert refusal.value.get_codes() == "key_refused"


def test_ones_own_key_twice_is_said_so(alice: User) -> None:
    text = public_key()
    add(alice, text)
    with pytest.raises(ssh_keys.KeyExists):
        add(alice, f"{text.strip()} with another comment")


def test_twenty_keys_are_enough(alice: User) -> None:
    for _ in range(20):
        add(alice, public_key())
    with pytest.raises(ssh_keys.TooManyKeys, match="You have 20 keys already"):
        add(alice, public_key())


def test_a_key_opens_its_owners_account_only(alice: User, bob: User) -> None:
    key = add(alice, public_key()).public_key
    assert ssh_keys.key_of(username="bob", public_key=key) is None
    assert ssh_keys.key_of(username="nobody\0", public_key=key) is None


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "ssh-ed25519 ????", "ssh-ed25519 AAAA"])
def test_what_is_no_key_opens_nothing(alice: User, text: str) -> None:
    assert ssh_keys.key_of(username="alice", public_key=text) is None


def test_a_disabled_persons_key_opens_nothing(alice: User) -> None:
    key = add(alice, public_key()).public_key
    services.disable_user(user=alice)
    assert ssh_keys.key_of(username="alice", public_key=key) is None


def test_using_a_key_is_noted(alice: User, clock: Clock) -> None:
    key = add(alice, public_key())
    ssh_keys.key_of(username="alice", public_key=key.public_key)
    key.refresh_from_db()
    assert key.last_used_at == clock.now


def test_adding_and_removing_are_noted_with_the_fingerprint(alice: User) -> None:
    key = add(alice, public_key(), name="laptop")
    assert ssh_keys.remove_key(user=alice, key_id=key.pk, by=By(alice, "192.0.2.1"))
    removed, added = AuditEvent.objects.all()
    assert (added.action, removed.action) == ("key_added", "key_removed")
    assert added.detail == removed.detail == f"laptop, {key.fingerprint}"
    assert removed.address == "192.0.2.1"
