"""What logging in by SFTP leaves behind, and what ends a connection that runs."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import asyncssh
import pytest
from asyncssh.packet import Boolean, String
from django.utils import timezone

from accounts import audit, lockout, services, ssh_keys, transfer_credentials
from accounts.models import AuditEvent, SshKey, TransferCredential, User
from torrents.tests.factories import finished
from torrents.tests.sftp.running import HOST, PATIENCE, RunningServer, rows

pytestmark = pytest.mark.django_db(transaction=True)
Action = AuditEvent.Action
CONTENT = b"film"


@pytest.fixture
def film(owner: User) -> User:
    finished(owner, {"film.mkv": CONTENT}, name="film.mkv")
    return owner


def revoke_credential(user: User) -> None:
    credential = TransferCredential.objects.get(user=user)
    assert transfer_credentials.revoke_credential(user=user, credential_id=credential.pk, by=audit.By(user))


def expire_credential(user: User) -> None:
    TransferCredential.objects.filter(user=user).update(expires_at=timezone.now() - timedelta(minutes=1))


def revoke_expired_credential(user: User) -> None:
    expire_credential(user)
    revoke_credential(user)


def forget_expired_credential(user: User) -> None:
    TransferCredential.objects.filter(user=user).delete()


def set_password_after_expiry(user: User) -> None:
    forget_expired_credential(user)
    set_password(user)


def remove_key(user: User) -> None:
    key = SshKey.objects.get(user=user)
    assert ssh_keys.remove_key(user=user, key_id=key.pk, by=audit.By(user))


def disable(user: User) -> None:
    services.disable_user(user=user)


def delete(user: User) -> None:
    user.delete()


def set_password(user: User) -> None:
    services.set_password(user=user)


ENDED_BY_CREDENTIAL = [
    disable,
    delete,
    set_password,
    revoke_credential,
    revoke_expired_credential,
    set_password_after_expiry,
]


async def events(action: str) -> list[AuditEvent]:
    return await rows(lambda: list(AuditEvent.objects.filter(action=action).select_related("user")))


async def eventually(action: str, count: int) -> list[AuditEvent]:
    deadline = time.monotonic() + PATIENCE
    while len(found := await events(action)) < count:
        assert time.monotonic() < deadline, f"no {count} events of {action}"
        await asyncio.sleep(0.05)
    return found


@pytest.mark.parametrize("change", ENDED_BY_CREDENTIAL)
async def test_a_connection_by_credential_ends_within_a_minute_of(
    server: RunningServer, film: User, change: Callable[[User], None]
) -> None:
    async with server.connect() as connection, connection.start_sftp_client() as client:
        assert "film.mkv" in await client.listdir("/")
        await rows(change, film)
        await asyncio.wait_for(connection.wait_closed(), 60)
        with pytest.raises(asyncssh.SFTPError):
            await client.listdir("/")


@pytest.mark.parametrize("change", [disable, delete, remove_key])
async def test_a_connection_by_key_ends_within_a_minute_of(
    server: RunningServer, film: User, identity: Path, change: Callable[[User], None]
) -> None:
    async with server.connect(password=None, client_keys=[str(identity)]) as connection:
        await rows(change, film)
        await asyncio.wait_for(connection.wait_closed(), 60)


async def test_what_ends_one_connection_leaves_those_that_nothing_was_taken_from(
    server: RunningServer, film: User, identity: Path
) -> None:
    """By key after a new password and a revoked credential; by credential after it expired and was forgotten."""
    await rows(forget_expired_credential, film)
    made = await rows(transfer_credentials.make_credential, user=film, by=audit.By(film))
    doomed = await rows(transfer_credentials.make_credential, user=film, by=audit.By(film))
    async with (
        server.connect(password=None, client_keys=[str(identity)]) as by_key,
        server.connect(password=made[1]) as by_expired,
        server.connect(password=doomed[1]) as by_doomed,
    ):
        await rows(TransferCredential.objects.filter(pk=made[0].pk).delete)
        await rows(
            transfer_credentials.revoke_credential, user=film, credential_id=doomed[0].pk, by=audit.By(film)
        )
        await asyncio.wait_for(by_doomed.wait_closed(), 60)  # so the server has looked
        for connection in (by_key, by_expired):
            async with connection.start_sftp_client() as client:
                assert "film.mkv" in await client.listdir("/")
        await rows(set_password, film)
        await asyncio.wait_for(by_expired.wait_closed(), 60)
        async with by_key.start_sftp_client() as client:
            assert "film.mkv" in await client.listdir("/")
        with pytest.raises(asyncssh.PermissionDenied):
            await server.connect(password=made[1])


async def test_logins_are_audited_once_in_ten_minutes_by_each_way(
    server: RunningServer, film: User, identity: Path
) -> None:
    for _ in range(3):
        async with server.connect():
            pass
        async with server.connect(password=None, client_keys=[str(identity)]):
            pass
        await eventually(Action.LOGGED_IN, 2)
    found = await events(Action.LOGGED_IN)
    assert {event.detail for event in found} == {
        "To SFTP, with an SSH key.",
        "To SFTP, with a transfer password.",
    }
    assert [(event.user, event.actor_id, event.address) for event in found] == [(film, film.pk, HOST)] * 2


async def test_wrong_secrets_are_audited_until_the_lockout(server: RunningServer, film: User) -> None:
    for _ in range(4):
        with contextlib.suppress(asyncssh.Error, OSError):
            await server.connect(password="wrong")
    for number in range(4):
        with contextlib.suppress(asyncssh.Error, OSError):
            await server.connect(password=f"wrong {number}")
    failures = await events(Action.LOGIN_FAILED)
    assert [(event.user, event.channel) for event in failures] == [(film, "sftp")] * 5
    assert len(await events(Action.LOCKED_OUT)) == 1


async def test_unknown_keys_are_audited_once_and_lock_nobody_out(server: RunningServer, film: User) -> None:
    for _ in range(6):
        keys = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(3)]
        with pytest.raises(asyncssh.PermissionDenied):
            await server.connect(password=None, client_keys=keys)
    (event,) = await eventually(Action.LOGIN_FAILED, 1)
    assert (event.user, event.address, event.detail) == (film, HOST, "To SFTP, with unknown SSH keys.")
    assert event.channel == "sftp"
    async with server.connect():
        pass


async def test_who_is_locked_out_of_the_api_is_locked_out_here(
    server: RunningServer, film: User, identity: Path
) -> None:
    for _ in range(5):
        await rows(lockout.note_failure, username="alice", address=HOST, channel=audit.Channel.APP)
    with pytest.raises(asyncssh.PermissionDenied):
        await server.connect()
    with pytest.raises(asyncssh.PermissionDenied):
        await server.connect(password=None, client_keys=[str(identity)])
    async with server.connect(local_addr=("127.0.0.2", 0)):
        pass


async def test_who_is_locked_out_here_is_locked_out_of_the_api(server: RunningServer, film: User) -> None:
    for number in range(5):
        with contextlib.suppress(asyncssh.Error, OSError):
            await server.connect(password=f"wrong {number}")
    assert await rows(lockout.is_locked_out, username="alice", address=HOST)


async def test_passwords_cannot_be_changed_here(server: RunningServer, film: User) -> None:
    class Changing(asyncssh.SSHClient):
        def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
            self._connection = conn

        def password_auth_requested(self) -> str:

            words = "alice", "ssh-connection", "password"
            body = [String(word) for word in words]
            self._connection.send_packet(50, *body, Boolean(True), String("old"), String("new"))
            return "guess"

    with pytest.raises((asyncssh.Error, OSError)):
        await server.connect(password=None, client_factory=Changing)
    assert "Traceback" not in server.log.read_text()
