"""Public keys that open SFTP."""

import base64
import binascii
import hashlib

import asyncssh
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.device_names import plain_name
from accounts.models import SshKey, User
from proxy_site.api.errors import ApiError

MOST_KEYS = 20  # of one person
SMALLEST_RSA, LARGEST_RSA = 3072, 16384  # bits
LONGEST = 8192  # characters of a key with its comment
TYPES = {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"}


class KeyRefused(ApiError):
    """One sentence for a key that is weak, unknown to us, broken or another person's: nobody learns whose."""

    default_code = "key_refused"
    default_detail = (
        "This key cannot be used here. Make a new one with `ssh-keygen -t ed25519` "
        "and send the line of its .pub file."
    )


class PrivateKeySent(KeyRefused):
    default_code = "private_key"
    default_detail = (
        "This is a private key, which must never leave your machine: we did not keep it. "
        "Send the line of the .pub file."
    )


class TooManyKeys(ApiError):
    default_code = "too_many_keys"
    default_detail = (
        f"You have {MOST_KEYS} keys already. Delete one that you no longer use, then add this one."
    )


class KeyExists(ApiError):
    default_code = "key_exists"
    default_detail = "You have added this key already."


def add_key(*, user: User, public_key: str, name: str = "", by: audit.By) -> SshKey:
    """Store the line of a .pub file; its comment is the name where none is given. Raises the errors above."""
    plain, comment = _parse(public_key)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # the count holds until we are done
        keys = SshKey.objects.filter(user=user)
        if keys.filter(fingerprint=fingerprint(plain)).exists():
            raise KeyExists
        if keys.count() >= MOST_KEYS:
            raise TooManyKeys
        try:
            with transaction.atomic():
                key = SshKey.objects.create(
                    user=user,
                    name=plain_name(name) or plain_name(comment) or "SSH key",
                    public_key=plain,
                    fingerprint=fingerprint(plain),
                )
        except IntegrityError:  # another person's
            raise KeyRefused from None
        audit.record(audit.Action.KEY_ADDED, user=user, by=by, detail=f"{key.name}, {key.fingerprint}")
    return key


@transaction.atomic
def remove_key(*, user: User, key_id: int, by: audit.By) -> bool:
    """False where this person has no such key."""
    key = SshKey.objects.select_for_update().filter(user=user, pk=key_id).first()
    if key is None:
        return False
    key.delete()
    audit.record(audit.Action.KEY_REMOVED, user=user, by=by, detail=f"{key.name}, {key.fingerprint}")
    return True


def key_of(*, username: str, public_key: str) -> SshKey | None:
    """This key ("type base64") of the active user of that name; notes when.

    That the client holds the private half is for the caller to see.
    """
    key = (
        SshKey.objects.select_related("user")
        .filter(
            fingerprint=fingerprint(public_key),
            user__in=User.objects.named(username.replace("\0", "")),
            user__is_active=True,
        )
        .first()
    )
    if key is None:
        return None
    SshKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now())
    return key


def fingerprint(public_key: str) -> str:
    """As `ssh-keygen -l` shows it; "" for what is no key."""
    try:
        data = base64.b64decode(public_key.split()[1], validate=True)
    except (IndexError, binascii.Error, ValueError):
        return ""
    return "SHA256:" + base64.b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def _parse(text: str) -> tuple[str, str]:
    """The key as "type base64", and its comment. Raises KeyRefused."""
    if "PRIVATE KEY" in text:
        raise PrivateKeySent
    kind, _, rest = text.strip().partition(" ")
    blob, _, comment = rest.strip().partition(" ")
    if kind not in TYPES or len(text) > LONGEST or len(text.strip().splitlines()) != 1:
        raise KeyRefused
    try:
        key = asyncssh.import_public_key(f"{kind} {blob}")
        plain = " ".join(key.export_public_key("openssh").decode().split()[:2])
        bits: int = getattr(key.pyca_key, "key_size", 0)
    except (asyncssh.Error, ValueError):
        raise KeyRefused from None
    if kind == "ssh-rsa" and not SMALLEST_RSA <= bits <= LARGEST_RSA:
        raise KeyRefused
    return plain, comment
