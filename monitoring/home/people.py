"""People: who takes how much, and who is kept out."""

from collections.abc import Callable, Iterator
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from accounts.models import AuditEvent, User
from monitoring.home.figures import Figure, Link, Section, number, used
from monitoring.metrics.catalogue import Samples
from monitoring.metrics.people import Taken, taken_by_everybody

TOP = 5


def sections(samples: Samples, now: datetime) -> Iterator[Section]:
    yield _accounts(samples)
    taken = taken_by_everybody()
    by_disk = _top(taken, lambda one: one.disk)
    by_traffic = _top(taken, lambda one: sum(one.month.values()))
    people = User.objects.in_bulk({*by_disk, *by_traffic})
    yield Section(
        "Most disk",
        [
            used(value, _or(people[pk].disk_quota, settings.DEFAULT_DISK_QUOTA), **_named(people[pk]))
            for pk, value in by_disk.items()
        ],
        none="Nobody takes any yet.",
    )
    yield Section(
        "Most fetched this month",
        [
            used(
                value,
                _or(people[pk].monthly_traffic_limit, settings.DEFAULT_MONTHLY_TRAFFIC),
                **_named(people[pk]),
            )
            for pk, value in by_traffic.items()
        ],
        none="Nobody has fetched anything yet.",
    )


def _accounts(samples: Samples) -> Section:
    page, log = reverse("admin:accounts_user_changelist"), reverse("admin:accounts_auditevent_changelist")
    figures = [
        Figure("May log in", number(samples.value("users", "active")), url=f"{page}?is_active__exact=1"),
        Figure("Disabled", number(samples.value("users", "disabled")), url=f"{page}?is_active__exact=0"),
    ]
    sessions = samples.value("sftp_sessions")
    if sessions is not None:
        figures.append(Figure("Connected by SFTP", number(sessions)))
    refused: dict[str, float] = {}
    for (reason, *_), count in samples.of("logins_refused_last_day").items():
        refused[reason] = refused.get(reason, 0) + count
    figures += [
        Figure(
            AuditEvent.Action(reason).label, number(count), "in a day", url=f"{log}?action__exact={reason}"
        )
        for reason, count in refused.items()
    ]
    failed = f"{reverse('admin:accounts_failedlogins_changelist')}?locked_out=now"
    return Section("People", figures, [Link("Users", page), Link("Locked out now", failed)])


def _top(taken: dict[int, Taken], what: Callable[[Taken], int]) -> dict[int, int]:
    """Who takes most of it, by the number of their account; the most first."""
    values = ((pk, what(one)) for pk, one in taken.items())
    most = sorted((pair for pair in values if pair[1]), key=lambda pair: (-pair[1], pair[0]))
    return dict(most[:TOP])


def _named(user: User) -> dict[str, str]:
    return {"name": user.username, "url": reverse("admin:accounts_user_change", args=[user.pk])}


def _or(limit: int | None, default: int) -> int:
    return default if limit is None else limit
