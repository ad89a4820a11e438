"""What happened to accounts, for admins to read. Rows are written in the transaction of what they tell about."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from accounts.models import AuditEvent, User

Action = AuditEvent.Action
Channel = AuditEvent.Channel
KEPT = timedelta(days=180)
DETAIL_LENGTH = 200


@dataclass(frozen=True, slots=True)
class By:
    """Who does something, from which IP address ("" is unknown) and, where they log in, at which door."""

    actor: User | None = None
    address: str = ""
    channel: Channel | None = None


COMMAND_LINE = By()


def record(action: Action, *, user: User | None, by: By, detail: str = "") -> None:
    """`user` is whom it happened to. `detail` must hold nothing that opens anything."""
    AuditEvent.objects.create(
        action=action,
        user=user,
        actor=by.actor,
        address=by.address or None,
        channel=by.channel or "",
        detail=detail[:DETAIL_LENGTH],
    )


def record_once(action: Action, *, user: User | None, by: By, detail: str, within: timedelta) -> None:
    """The same, unless it stands there already since `within` ago: for what programs repeat as often as they like."""
    same = AuditEvent.objects.filter(
        at__gt=timezone.now() - within, action=action, user=user, address=by.address or None, detail=detail
    )
    if not same.exists():
        record(action, user=user, by=by, detail=detail)


def prune() -> int:
    """Forget what is older than `KEPT`; how many rows that were."""
    return AuditEvent.objects.filter(at__lt=timezone.now() - KEPT).delete()[0]
