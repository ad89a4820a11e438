"""Passwords for SFTP that live for minutes, for clients that have no key."""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import audit, lockout
from accounts.models import TransferCredential, User
from proxy_site.api.errors import ApiError

MOST_CREDENTIALS = 10  # of one person, alive
ONE_EVENT_IN = timedelta(minutes=10)  # of one person and address that tries an old one again and again


class TooManyCredentials(ApiError):
    default_code = "too_many_credentials"
    default_detail = (
        f"You have {MOST_CREDENTIALS} transfer passwords that are still good. "
        "Revoke one, or wait until one expires."
    )


@transaction.atomic
def make_credential(*, user: User, by: audit.By) -> tuple[TransferCredential, str]:
    """A new credential and its secret, which can never be read again. Raises TooManyCredentials."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # the count holds until we are done
    if TransferCredential.objects.alive().filter(user=user).count() >= MOST_CREDENTIALS:
        raise TooManyCredentials
    secret = secrets.token_urlsafe(32)
    credential = TransferCredential.objects.create(
        user=user,
        secret_sha256=_digest(secret),
        expires_at=timezone.now() + timedelta(minutes=settings.TRANSFER_CREDENTIAL_MINUTES),
    )
    audit.record(audit.Action.CREDENTIAL_MADE, user=user, by=by, detail=f"{credential.pk}")
    return credential, secret


@transaction.atomic
def revoke_credential(*, user: User, credential_id: UUID, by: audit.By) -> bool:
    """Also ends the transfers that it opened, even when it has expired since.

    False where this person has no such credential, or has revoked it already.
    """
    unrevoked = TransferCredential.objects.filter(user=user, pk=credential_id, revoked_at=None)
    if not unrevoked.update(revoked_at=timezone.now()):
        return False
    audit.record(audit.Action.CREDENTIAL_REVOKED, user=user, by=by, detail=f"{credential_id}")
    return True


def revoke_all(*, user: User) -> None:
    TransferCredential.objects.alive().filter(user=user).update(revoked_at=timezone.now())


def credential_of(*, username: str, secret: str, address: str) -> TransferCredential | None:
    """The living credential of the active user of that name; counts towards the lockout.

    While `username` is locked out from `address`, nothing is looked at and the answer is None.
    """
    if lockout.is_locked_out(username=username, address=address):
        return None
    # Found by the digest of 256 random bits: how long the search takes tells nothing about them.
    credential = (
        TransferCredential.objects.select_related("user")
        .filter(secret_sha256=_digest(secret), user__in=User.objects.named(username.replace("\0", "")))
        .first()
    )
    if credential is None:
        lockout.note_failure(username=username, address=address, channel=audit.Channel.SFTP)
        return None
    if not credential.is_alive or not credential.user.is_active:
        # No guess: a client that goes on trying with an expired one must not lock its person out.
        audit.record_once(
            audit.Action.LOGIN_FAILED,
            user=credential.user,
            by=audit.By(address=address, channel=audit.Channel.SFTP),
            detail="With a transfer password that is no longer good.",
            within=ONE_EVENT_IN,
        )
        return None
    TransferCredential.objects.filter(pk=credential.pk).update(last_used_at=timezone.now())
    lockout.note_success(username=username, address=address)
    return credential


def prune() -> int:
    """Delete what expired a day ago; how many."""
    return TransferCredential.objects.filter(expires_at__lt=timezone.now() - timedelta(days=1)).delete()[0]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
