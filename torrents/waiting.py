"""Why a torrent waits, in words for its owner: which limit, the figures, and what they can do."""

from torrents.allowances import Allowance, Allowances, BoxRoom, day_in_words, next_month, size_of
from torrents.models import Claim

WaitsFor = Claim.WaitsFor


def waiting_message(claim: Claim, allowances: Allowances) -> str:
    """For a claim that `waits_for` something."""
    size = size_of(claim)
    match claim.waits_for:
        case WaitsFor.USER_DISK:
            return _own_disk(size or 0, allowances.of(claim.user_id))
        case WaitsFor.USER_ACTIVE:
            return _own_downloads(size, allowances.of(claim.user_id))
        case WaitsFor.USER_TRAFFIC:
            return _own_traffic(size or 0, allowances.of(claim.user_id))
        case WaitsFor.BOX_DISK:
            return _disk(size or 0, allowances.box(claim.torrent.engine))
        case WaitsFor.BOX_ACTIVE:
            return (
                "The box runs as many downloads as it can at the same time. "
                "This one starts by itself when it is its turn."
            )
        case _:
            return (
                "The box has sent all that it may this month. "
                f"New downloads start by themselves on {day_in_words(next_month())}."
            )


def in_words(size: int) -> str:
    """`700 B`, `1.5 GiB`."""
    if size < 1024:
        return f"{size} B"
    amount, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1023.95:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.1f}".removesuffix(".0") + f" {unit}"


def _own_disk(size: int, allowance: Allowance) -> str:
    quota = in_words(allowance.person.disk_quota)
    if size > allowance.person.disk_quota:
        return (
            f"This can never fit: it needs {in_words(size)}, and all your torrents together may take {quota}. "
            "Choose fewer of its files, or ask your admin for more space."
        )
    if size <= allowance.disk_left:
        return (
            "There is room for it, but an older torrent of yours that needs more has waited long and goes first. "
            "Pause that one to let this one pass."
        )
    return (
        f"It needs {in_words(size)}, and {in_words(allowance.disk_left)} of your {quota} are left. "
        "Remove what you no longer need, and it starts by itself."
    )


def _own_downloads(size: int | None, allowance: Allowance) -> str:
    if size is None:
        return "Your other torrents are looking for their contents first. This one takes its turn by itself."
    running, limit = allowance.use.active, allowance.person.active_limit
    return (
        f"{running} of your torrents {'is' if running == 1 else 'are'} downloading, and {limit} may at the same time. "
        "It starts by itself when one finishes; pause one to let it start now."
    )


def _own_traffic(size: int, allowance: Allowance) -> str:
    limit = in_words(allowance.person.traffic_limit)
    if size > allowance.person.traffic_limit:
        return (
            f"This can never fit: it has {in_words(size)}, and you may fetch {limit} in a month. "
            "Choose fewer of its files, or ask your admin for more."
        )
    return (
        f"It has {in_words(size)}, and of the {limit} that you may fetch this month "
        f"{in_words(allowance.traffic_left)} are left besides your other torrents. "
        f"It starts by itself on {day_in_words(next_month())}, or when your admin gives you more."
    )


def _disk(size: int, room: BoxRoom) -> str:
    if room.full:
        return "The box's disk is full: nothing downloads. It goes on by itself when there is space again."
    if size > room.capacity:
        return (
            f"This can never fit: it needs {in_words(size)}, and the box has space for "
            f"{in_words(max(0, room.capacity))}. Choose fewer of its files, or remove it."
        )
    if size <= room.left:
        return (
            "There is hardly room for it on the box's disk. It starts by itself when there is a little more."
        )
    return (
        f"It needs {in_words(size)}, and the box's disk has {in_words(max(0, room.left))} left for new downloads. "
        "It starts by itself when somebody removes something."
    )
