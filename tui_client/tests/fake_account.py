"""What the server tells of one's own account."""

from typing import Any


def me(username: str) -> dict[str, Any]:
    return {
        "id": 1,
        "username": username,
        "role": "user",
        "disk_quota": None,
        "active_torrent_limit": None,
        "monthly_traffic_limit": None,
    }


def limits(
    disk: tuple[int, int] = (0, 10**11),
    active: tuple[int, int] = (0, 3),
    traffic: tuple[int, int] = (0, 10**12),
) -> dict[str, Any]:
    """Each is (used, limit)."""
    taken = {"disk": disk, "active": active, "traffic": traffic}
    return {
        **{name: {"used": used, "limit": limit} for name, (used, limit) in taken.items()},
        "traffic_resets_on": "2026-02-01",
    }


def usage(**more: Any) -> dict[str, Any]:
    """What a server of today tells beyond limits."""
    nothing = {"fetched": {"https": 0, "sftp": 0}, "sent_to_peers": 0, "waiting": []}
    return {"seeding_notice": "", **nothing, **more}
