"""Is everything well? In one look."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from monitoring.dashboards.page import Section, page
from monitoring.dashboards.vocabulary import (
    BLUE,
    BYTES,
    GREEN,
    IDLE,
    LOOKED,
    MOMENT,
    ORANGE,
    RED,
    RUNBOOK,
    SPEED,
    THERE,
    TRAFFIC,
    YELLOW,
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

HOUR = 3600
DAY = 24 * HOUR


def overview() -> Dashboard:
    return page(
        "overview",
        "Overview",
        "Whether the box does its work: what is red or orange needs somebody.",
        Section("", LIGHTS),
        Section("", NOW),
        Section("", ROOM),
        since="6h",
        refresh="15s",
    )


LIGHTS = [
    light(
        About(
            "Website",
            "Whether the web processes answered Prometheus. Down: nobody can log in, add or fetch by HTTPS; downloads "
            "go on.",
            "database",
        ),
        'min(up{job="torrent-proxy"})',
        [(0, "Down", RED), (None, "Answers", GREEN)],
    ),
    light(
        About(
            "Certificate",
            "For how long the site's certificate is still valid. Caddy renews it a month before its end, by itself.",
        ),
        'min(probe_ssl_earliest_cert_expiry{job="blackbox"}) - time()',
        [
            (0, "Expired", RED),
            (14 * DAY, "Ends soon", RED),
            (20 * DAY, "Renewal late", ORANGE),
            (None, "Valid", GREEN),
        ],
    ),
    light(
        About(
            "Database",
            "Whether PostgreSQL answered the web process. Away: everything waits for it.",
            "database",
        ),
        "min(torrentproxy_database_up)",
        THERE,
    ),
    light(
        About(
            "qBittorrent",
            "Whether the download engine answered the reconciler. Away: nothing downloads or seeds; fetching goes on.",
            "qbittorrent",
        ),
        "min(max by (engine) (torrentproxy_engine_up))",
        THERE,
    ),
    light(
        About(
            "Reconciler",
            "When the reconciler last looked at the engine: a minute is too long. Stopped: what people add or pause is "
            "kept, and done when it runs again.",
            "qbittorrent",
        ),
        "max(torrentproxy_reconciler_last_look_age_seconds)",
        LOOKED,
    ),
    light(
        About(
            "Background tasks",
            "For how long the oldest task that could be done has waited. Stuck: no feed is checked, no show followed.",
            "automation",
        ),
        "max(torrentproxy_queue_oldest_ready_seconds)",
        [(120, "On time", GREEN), (300, "Late", ORANGE), (None, "Stuck", RED)],
    ),
    light(
        About(
            "Disk",
            "Free space of the downloads beside DISK_FLOOR, which is what stays free. Full: no download goes on.",
            "qbittorrent",
        ),
        "min(torrentproxy_engine_free_bytes) / max(torrentproxy_disk_floor_bytes)",
        [(1, "Full", RED), (2, "Low", ORANGE), (None, "Room", GREEN)],
    ),
    light(
        About(
            "Month's egress",
            "What this month comes to, at the rate of the last seven days, of what is free (EGRESS_LIMIT). Too much: "
            "peers get less, people do not, and more than the limit costs money.",
            "box",
        ),
        "max(torrentproxy_host_egress_forecast_bytes) / max(torrentproxy_host_egress_limit_bytes)",
        [(0.8, "Within limit", GREEN), (1, "Close", YELLOW), (None, "Too much", RED)],
    ),
    light(
        About(
            "Idle machine",
            "Oracle may take back a machine whose CPU, network and memory are all below 20 % for a week.",
            "box",
        ),
        "max(torrentproxy_host_idle_risk)",
        IDLE,
    ),
    light(
        About(
            "Feeds",
            "How late the most overdue feed is. Each is to be checked every ten minutes, one that fails less often.",
            "automation",
        ),
        "max(torrentproxy_feed_most_overdue_seconds)",
        [(120, "On time", GREEN), (600, "Late", ORANGE), (None, "Not checked", RED)],
    ),
    light(
        About(
            "Backup",
            "Age of the last backup that was made well, at the place that has the older one. It is made every day.",
            "automation",
        ),
        "time() - min(max by (destination) (torrentproxy_backup_last_success_timestamp_seconds))",
        [(26 * HOUR, "Fresh", GREEN), (50 * HOUR, "One missing", ORANGE), (None, "Too old", RED)],
    ),
    light(
        About(
            "Metrics",
            "Whether everything that Prometheus asks answers it. Gaps: the other lights may be older than they look.",
            "database",
        ),
        "min(up)",
        [(0, "Gaps", ORANGE), (None, "Complete", GREEN)],
    ),
]

NOW = [
    rows(
        About(
            "Alerts that fire",
            "Empty is well. What each means, and what to do about it, stands in the runbook under its name.",
        ),
        [
            Label("alertname", "Alert", see=RUNBOOK),
            Label(
                "severity",
                "Wants somebody",
                (("page", "now", RED), ("warning", "today", ORANGE), ("info", "some day", BLUE)),
            ),
        ],
        Column(
            "1000 * (max by (alertname, severity) (ALERTS_FOR_STATE)"
            ' and on (alertname, severity) ALERTS{alertstate="firing", heartbeat=""})',
            "Since",
            MOMENT,
        ),
        sort_by="Since",
        height=7,
    ),
    lines(
        About("Speeds", "What all torrents together receive from peers and send to them.", "qbittorrent"),
        SPEED,
        Query("max(torrentproxy_download_bytes_per_second)", "received"),
        Query("max(torrentproxy_upload_bytes_per_second)", "sent to peers"),
        Query(
            "sum(max by (user, channel) (rate(torrentproxy_user_handed_over_bytes_total[$__rate_interval])))",
            "handed over to people",
        ),
        height=7,
    ),
]

ROOM = [
    number(
        About(
            "Free on disk", "Free space on the volume of the downloads, and how it changed.", "qbittorrent"
        ),
        BYTES,
        Query("min(torrentproxy_engine_free_bytes)"),
        width=4,
        height=7,
        graph=True,
    ),
    bars(
        About(
            "Egress this month",
            "What the machine sent to anybody in this calendar month (UTC), where that leads to, and what is free.",
            "box",
        ),
        TRAFFIC,
        Query("max(torrentproxy_host_egress_month_bytes)", "so far"),
        Query("max(torrentproxy_host_egress_forecast_bytes)", "by its end"),
        Query("max(torrentproxy_host_egress_limit_bytes)", "free"),
        width=6,
    ),
    number(
        About("Last backup", "When the last backup was made well, by where it is kept.", "automation"),
        MOMENT,
        Query(
            "1000 * max by (destination) (torrentproxy_backup_last_success_timestamp_seconds)",
            "{{destination}}",
        ),
        width=4,
        height=7,
    ),
    bars(
        About(
            "Who fetches most",
            "Handed over to people in this calendar month (UTC), by HTTPS and SFTP: the ten who took most.",
            "people",
        ),
        TRAFFIC,
        Query(
            "topk(10, sum by (user) (max by (user, channel) (torrentproxy_user_handed_over_month_bytes)))",
            "{{user}}",
        ),
        levels=colours(BLUE),
        width=10,
    ),
]
