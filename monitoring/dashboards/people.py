"""Who uses how much, how it reaches them, and who fails to log in."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from monitoring.dashboards.page import Section, page
from monitoring.dashboards.vocabulary import (
    BYTES,
    COUNT,
    GREEN,
    NEAR_LIMIT,
    ORANGE,
    RED,
    SHARE,
    SPEED,
    TRAFFIC,
    About,
    Column,
    Label,
    Query,
    bars,
    colours,
    light,
    lines,
    number,
    rows,
)

THEIRS = '{user=~"$user"}'
USED = f"max by (user) (torrentproxy_user_disk_used_bytes{THEIRS})"
QUOTA = f"max by (user) (torrentproxy_user_disk_quota_bytes{THEIRS})"
HANDED_OVER = f"max by (user, channel) (torrentproxy_user_handed_over_bytes_total{THEIRS})"


def people() -> Dashboard:
    return page(
        "people",
        "Users & hand-over",
        "Who uses how much of what they may, and how finished files reach them.",
        Section("", TOGETHER),
        Section("Each person", EACH),
        Section("Hand-over", FETCHED),
        Section("Logging in", LOGINS),
        since="24h",
        refresh="30s",
        people=True,
    )


def _this_month(channel: str) -> str:
    return f'max by (user) (torrentproxy_user_handed_over_month_bytes{{user=~"$user", channel="{channel}"}})'


TOGETHER = [
    number(
        About("Accounts", "active may log in; disabled may not, and their data stays."),
        COUNT,
        Query("max by (state) (torrentproxy_users)", "{{state}}"),
        width=6,
    ),
    number(
        About(
            "Downloads that go on", "Torrents that were let in and are not complete, of all persons chosen."
        ),
        COUNT,
        Query(f"sum(max by (user) (torrentproxy_user_active_torrents{THEIRS}))"),
    ),
    number(
        About("Handed over this month", "To the persons chosen, in this calendar month (UTC), by channel."),
        TRAFFIC,
        Query(
            f"sum by (channel) (max by (user, channel) (torrentproxy_user_handed_over_month_bytes{THEIRS}))",
            "{{channel}}",
        ),
        width=6,
    ),
    number(
        About(
            "SFTP connections",
            "People who are connected by sftp, scp, lftp, WinSCP or rclone at this moment.",
        ),
        COUNT,
        Query("max(torrentproxy_sftp_sessions)"),
    ),
    light(
        About(
            "SFTP server",
            "Whether the SFTP server lives. Unknown: there has never been one on this box.",
        ),
        "min(max by (server) (torrentproxy_sftp_up))",
        [(0, "Died", RED), (None, "Lives", GREEN)],
        height=4,
    ),
]

EACH = [
    rows(
        About(
            "What each person uses",
            "Disk counts files and what running downloads are about to take. At 100 % new downloads wait until the "
            "person removes something, or an admin raises the quota.",
        ),
        [Label("user", "Person")],
        Column(USED, "Disk used", BYTES),
        Column(QUOTA, "Disk quota", BYTES),
        Column(f"{USED} / {QUOTA}", "Share", SHARE, NEAR_LIMIT),
        Column(f"max by (user) (torrentproxy_user_active_torrents{THEIRS})", "Downloading", COUNT),
        Column(_this_month("https"), "HTTPS this month", TRAFFIC),
        Column(_this_month("sftp"), "SFTP this month", TRAFFIC),
        sort_by="Disk used",
        width=16,
        height=11,
    ),
    bars(
        About("Closest to their quota", "The ten who have used most of their disk quota."),
        SHARE,
        Query(f"topk(10, {USED} / {QUOTA})", "{{user}}"),
        levels=NEAR_LIMIT,
        largest=1,
        height=11,
    ),
    lines(
        About("Disk used", "By person: those ten who use most at the end of the time shown."),
        BYTES,
        Query(
            f"{USED} and on (user) topk(10, max by (user) (torrentproxy_user_disk_used_bytes{THEIRS} @ end()))",
            "{{user}}",
        ),
        stacked=True,
    ),
    lines(
        About("Downloads that go on", "By person; who has none is left out."),
        COUNT,
        Query(f"max by (user) (torrentproxy_user_active_torrents{THEIRS}) > 0", "{{user}}"),
        stacked=True,
    ),
]

FETCHED = [
    lines(
        About(
            "Handing over, by person",
            "The ten who fetched most in the time shown. What Caddy sends is counted from its log, so a long download "
            "comes in one piece when it ends.",
        ),
        SPEED,
        Query(
            f"sum by (user) (max by (user, channel) (rate(torrentproxy_user_handed_over_bytes_total{THEIRS}"
            "[$__rate_interval])))"
            f" and on (user) topk(10, sum by (user) (max by (user, channel)"
            f" (increase(torrentproxy_user_handed_over_bytes_total{THEIRS}[$__range] @ end()))))",
            "{{user}}",
        ),
        stacked=True,
    ),
    lines(
        About("Handing over, by channel", "HTTPS is what the app uses; SFTP is people's own tools."),
        SPEED,
        Query(
            "sum by (channel) (max by (user, channel)"
            f" (rate(torrentproxy_user_handed_over_bytes_total{THEIRS}[$__rate_interval])))",
            "{{channel}}",
        ),
        stacked=True,
    ),
    bars(
        About("Handed over, ever", "The ten who have fetched most since they have an account, by channel."),
        TRAFFIC,
        Query(f"topk(10, {HANDED_OVER})", "{{user}}, {{channel}}"),
        height=8,
        width=12,
    ),
    lines(
        About("SFTP connections", "At each moment, over all servers."),
        COUNT,
        Query("max(torrentproxy_sftp_sessions)", "connections"),
    ),
]

LOGINS = [
    bars(
        About(
            "Refused logins, last day",
            "Wrong passwords and accounts that are locked for a while after too many, by where. Many at sftp are "
            "usually strangers who try names; many at app with one person's trouble are a forgotten password.",
        ),
        COUNT,
        Query("max by (reason, channel) (torrentproxy_logins_refused_last_day)", "{{reason}}, {{channel}}"),
        levels=colours(GREEN, (20, ORANGE)),
        width=12,
        height=8,
    ),
    lines(
        About("Refused logins", "Within the 24 hours before each moment, by where."),
        COUNT,
        Query(
            "sum by (channel) (max by (reason, channel) (torrentproxy_logins_refused_last_day))",
            "{{channel}}",
        ),
    ),
]
