"""What a person has taken of the box and gives to others, and for what their torrents wait."""

from dataclasses import dataclass

from accounts.models import User
from torrents import allowances
from torrents.models import Claim
from torrents.traffic import fetched_of


@dataclass(frozen=True, slots=True)
class Waiting:
    waits_for: str
    torrents: int


@dataclass(frozen=True, slots=True)
class Usage:
    limits: allowances.Limits
    fetched: dict[str, int]  # bytes of this month (UTC), by channel
    sent_to_peers: int  # bytes, ever, by the torrents that this person holds
    waiting: list[Waiting]  # by what they wait for; nothing else is in it


def usage_of(user: User) -> Usage:
    return Usage(
        limits=allowances.limits_of(user.pk),
        fetched=fetched_of(user, today=allowances.utc_today()),
        sent_to_peers=Claim.objects.sent_to_peers(user),
        waiting=[Waiting(*row) for row in Claim.objects.waiting(user)],
    )
