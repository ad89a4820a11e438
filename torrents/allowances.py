"""How much of their limits people have used, and what the box has left: for deciding who may download, for the
sentences about what waits, for `me/limits/`, and for handing over."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Sum

from torrents import egress
from torrents.budgets import Held, Person, Use
from torrents.models import Claim, Engine

_HELD = """
SELECT claim.id, claim.user_id, claim.torrent_id, claim.added_at, claim.wanted = 'running',
       claim.completed_at IS NOT NULL, claim.waits_for, claim.admitted_size, coalesce(traffic.sent, 0),
       CASE WHEN claim.chosen_files IS NULL THEN torrent.size
            WHEN cardinality(claim.chosen_files) = 0 THEN 0 ELSE coalesce((
           SELECT sum(file.size) FROM torrents_torrentfile file
           WHERE file.torrent_id = torrent.id AND file.index = ANY(claim.chosen_files)
       )::bigint, torrent.size) END,
       torrent.size, torrent.completed_at IS NOT NULL, live.progress, torrent.refused != ''
FROM torrents_claim claim
JOIN torrents_torrent torrent ON torrent.id = claim.torrent_id
JOIN torrents_livestate live ON live.torrent_id = torrent.id
LEFT JOIN torrents_claimtraffic traffic ON traffic.claim_id = claim.id
WHERE claim.removed_at IS NULL AND {one} = %s
"""

_PEOPLE = """
SELECT person.id, person.disk_quota, person.active_torrent_limit, person.monthly_traffic_limit,
       coalesce(month.sent, 0)::bigint
FROM accounts_user person
LEFT JOIN (
    SELECT user_id, sum(sent) AS sent FROM torrents_traffic WHERE day BETWEEN %(first)s AND %(today)s
    GROUP BY user_id
) month ON month.user_id = person.id
WHERE %(only)s::bigint IS NULL OR person.id = %(only)s
UNION ALL
SELECT NULL, NULL, NULL, NULL, coalesce(sum(sent), 0)::bigint FROM torrents_swarmtraffic
WHERE %(only)s::bigint IS NULL AND day BETWEEN %(first)s AND %(today)s
"""

# What the torrents that were let in still need, and what lies on the disk: see budgets.Box.
_BOX = """
SELECT coalesce(sum(ceil(least(admitted.size, torrent.size) * (1 - live.progress)))
           FILTER (WHERE torrent.completed_at IS NULL AND admitted.size IS NOT NULL), 0)::bigint,
       coalesce(sum(torrent.size * CASE WHEN torrent.completed_at IS NULL THEN live.progress ELSE 1 END), 0)::bigint
FROM torrents_torrent torrent
JOIN torrents_livestate live ON live.torrent_id = torrent.id
LEFT JOIN (
    SELECT torrent_id, sum(admitted_size) AS size FROM torrents_claim
    WHERE admitted_size IS NOT NULL AND completed_at IS NULL AND removed_at IS NULL AND wanted = 'running'
    GROUP BY torrent_id
) admitted ON admitted.torrent_id = torrent.id
WHERE torrent.engine_id = %s
"""


# As budgets.Held and budgets.Use count it; a test compares the two.
_USE_OF_EVERYBODY = """
WITH held (id, user_id, torrent_id, added_at, running, complete, waits_for, admitted_size, handed_over, size,
           torrent_size, torrent_complete, progress, refused) AS ({held}),
looked_at AS (
    SELECT *, running AND NOT complete AND NOT refused AND waits_for = '' AND (size <= admitted_size) IS TRUE
        AS admitted
    FROM held
)
SELECT user_id,
       sum(CASE WHEN complete OR admitted THEN size WHEN running THEN 0 ELSE ceil(size * progress) END)::bigint,
       count(*) FILTER (WHERE admitted AND NOT torrent_complete)
FROM looked_at GROUP BY user_id
"""


class TrafficUsedUp(Exception):
    """This person has fetched all that they may this month; the text says so, and what to do."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """One person's limits and what their torrents take of them."""

    person: Person
    use: Use

    @property
    def disk_left(self) -> int:
        return max(0, self.person.disk_quota - self.use.disk)

    @property
    def traffic_left(self) -> int:
        """Of this month, without what is on the box to be fetched or on its way there."""
        return max(0, self.person.traffic_limit - self.person.sent - self.use.to_fetch)


@dataclass(frozen=True, slots=True)
class BoxRoom:
    """Bytes, on the volume of the downloads."""

    left: int  # for new downloads; negative below the floor
    full: bool  # below the floor: nothing goes on
    capacity: int  # for torrents, if there were no others


@dataclass(frozen=True, slots=True)
class Limit:
    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class Limits:
    disk: Limit  # bytes
    active: Limit
    traffic: Limit  # bytes, this month
    traffic_resets_on: date
    seeding_notice: str  # why other peers get less than usual; empty: they do not


class Allowances:
    """What was asked once is known for the rest of a request."""

    def __init__(self) -> None:
        self._of_users: dict[int, Allowance] = {}
        self._of_engines: dict[int, BoxRoom] = {}
        self._free: dict[int, int | None] = {}

    def of(self, user_id: int) -> Allowance:
        if user_id not in self._of_users:
            self._of_users[user_id] = allowance_of(user_id)
        return self._of_users[user_id]

    def box(self, engine: Engine) -> BoxRoom:
        if engine.pk not in self._of_engines:
            self._of_engines[engine.pk] = box_room(engine)
        return self._of_engines[engine.pk]

    def free_space(self, engine: Engine) -> int | None:
        """Bytes on the volume of the downloads; None: not known."""
        if engine.pk not in self._free:
            self._free[engine.pk] = engine.free_space
        return self._free[engine.pk]


def allowance_of(user_id: int, *, without: uuid.UUID | None = None) -> Allowance:
    """`without`: as if the person did not hold this torrent."""
    people, _ = read_people(only=user_id)
    use = Use()
    for held in read_held(user_id=user_id):
        if held.torrent_id != without:
            use.add(held)
    return Allowance(people[user_id], use)


def limits_of(user_id: int) -> Limits:
    allowance = allowance_of(user_id)
    person, use = allowance.person, allowance.use
    return Limits(
        disk=Limit(use.disk, person.disk_quota),
        active=Limit(use.active, person.active_limit),
        traffic=Limit(person.sent, person.traffic_limit),
        traffic_resets_on=next_month(),
        seeding_notice=egress.current_notice(),
    )


def read_held(*, engine_id: int | None = None, user_id: int | None = None) -> list[Held]:
    """All claims that are held, of an engine or of a person, in one query."""
    one, value = ("claim.user_id", user_id) if engine_id is None else ("torrent.engine_id", engine_id)
    return _rows(_HELD.format(one=one), [value], lambda row: Held(*row))


def use_of_everybody() -> dict[int, tuple[int, int]]:
    """Bytes that count towards a disk quota, and active torrents, by user: of all who hold something, in one query."""
    rows = _rows(_USE_OF_EVERYBODY.format(held=_HELD.format(one="TRUE")), [True], tuple)
    return {user_id: (disk or 0, active) for user_id, disk, active in rows}


def read_people(*, only: int | None = None) -> tuple[dict[int, Person], int]:
    """People's limits and traffic by their id, and what went to peers, both of this month, in one query.

    With `only`, one person's; the second number is 0 then.
    """
    today = utc_today()
    rows = _rows(_PEOPLE, {"only": only, "first": today.replace(day=1), "today": today}, tuple)
    people = {row[0]: _person(*row[1:]) for row in rows if row[0] is not None}
    return people, sum(row[4] for row in rows if row[0] is None)


def box_room(engine: Engine) -> BoxRoom:
    """Without a limit where the free space is not known."""
    ((to_come, on_disk),) = _rows(_BOX, [engine.pk], tuple)
    free = 2**62 if engine.free_space is None else engine.free_space
    floor = settings.DISK_FLOOR
    return BoxRoom(left=free - to_come - floor, full=free < floor, capacity=free + on_disk - floor)


def size_of(claim: Claim) -> int | None:
    """Bytes of the files that its owner chose; of all until the engine has told their sizes, None until anybody has.

    `read_held` reads the same for many.
    """
    if claim.chosen_files is None:
        return claim.torrent.size
    if not claim.chosen_files:
        return 0
    told: int | None = claim.torrent.files.filter(index__in=claim.chosen_files).aggregate(size=Sum("size"))[
        "size"
    ]
    return claim.torrent.size if told is None else told


def require_traffic_left(user_id: int) -> None:
    """Raises TrafficUsedUp where this person may fetch nothing any more this month. What the box may send in all is
    not looked at: nobody is kept from their finished files by others."""
    people, _ = read_people(only=user_id)
    person = people[user_id]
    if person.sent >= person.traffic_limit:
        raise TrafficUsedUp(
            f"You have fetched all that you may this month. It goes on on {day_in_words(next_month())}; "
            "your admin can give you more."
        )


def utc_today() -> date:
    return datetime.now(UTC).date()


def next_month() -> date:
    """The day on which the month's traffic starts again from nothing."""
    today = utc_today()
    return date(today.year + today.month // 12, today.month % 12 + 1, 1)


def day_in_words(day: date) -> str:
    return f"{day.day} {day:%B}"


def _person(disk_quota: int | None, active: int | None, traffic: int | None, sent: int) -> Person:
    return Person(
        disk_quota=settings.DEFAULT_DISK_QUOTA if disk_quota is None else disk_quota,
        active_limit=settings.DEFAULT_ACTIVE_TORRENTS if active is None else active,
        traffic_limit=settings.DEFAULT_MONTHLY_TRAFFIC if traffic is None else traffic,
        sent=sent,
    )


def _rows(sql: str, params: Any, make: Callable[[Any], Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [make(row) for row in cursor.fetchall()]
