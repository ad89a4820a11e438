"""Whether a password is right: the one way for the API, the admin pages and whoever changes a password."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.conf import settings
from django.contrib.auth import authenticate

from accounts import lockout
from accounts.audit import Channel
from accounts.models import User
from proxy_site.api.errors import ApiError

WAIT_SECONDS = 5.0

# An Argon2 hash takes 100 MiB and a fifth of a second of a core: a few at once would exhaust a small machine.
_slots = BoundedSemaphore(settings.PASSWORD_HASHES_AT_ONCE)


class TooBusy(ApiError):
    status_code = 429  # a 503 would be logged as our bug, with a trace, as often as an attacker likes
    default_code = "too_busy"
    default_detail = "Too many people log in at this moment. Try again in a few seconds."
    wait = 5  # DRF makes it Retry-After


def check_password(*, username: str, password: str, address: str, channel: Channel) -> User | None:
    """The active user whose password this is, or None; counts towards the lockout, whatever the `channel`.

    Computes one hash in any case, so time tells nothing about who exists. Raises LockedOut or TooBusy, both without
    looking at the password.
    """
    with one_of_few_hashes():
        # Asked inside: who waited here meanwhile failed elsewhere, perhaps.
        lockout.refuse_if_locked(username=username, address=address)
        user = authenticate(username=username, password=password)
        if not isinstance(user, User):
            lockout.note_failure(username=username, address=address, channel=channel)
            return None
        lockout.note_success(username=username, address=address)
        return user


@contextmanager
def one_of_few_hashes() -> Iterator[None]:
    """Raises TooBusy after `WAIT_SECONDS`."""
    if not _slots.acquire(timeout=WAIT_SECONDS):
        raise TooBusy
    try:
        yield
    finally:
        _slots.release()
