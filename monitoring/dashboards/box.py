"""The machine, and what of it is free."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from monitoring.dashboards.page import Section, page
from monitoring.dashboards.vocabulary import (
    BYTES,
    COUNT,
    GREEN,
    IDLE,
    NEAR_LIMIT,
    ORANGE,
    RED,
    SECONDS,
    SHARE,
    SPEED,
    TRAFFIC,
    YELLOW,
    About,
    Query,
    bars,
    colours,
    light,
    lines,
    number,
)

# Neither loopback nor what only this machine sees.
INTERFACES = 'device!~"lo|veth.*|docker.*|br-.*|ifb.*"'
DISKS = 'device!~"loop.*|ram.*|zram.*|dm-.*|sr.*"'
VOLUMES = 'fstype!~"tmpfs|ramfs|squashfs|overlay|fuse.*|vfat"'


def box() -> Dashboard:
    return page(
        "box",
        "Box & free tier",
        "How much of the machine is used, and how far the month and the free tier's limits reach.",
        Section("What is free", FREE_TIER),
        Section("The machine", MACHINE),
        Section("What it sends", SENT),
        Section("Services", SERVICES),
        since="24h",
        refresh="30s",
    )


FREE_TIER = [
    bars(
        About(
            "Egress this month",
            "What the interfaces of all machines sent in this calendar month (UTC), where that leads at the rate of "
            "the last seven days, and what is free (EGRESS_LIMIT).",
        ),
        TRAFFIC,
        Query("max(torrentproxy_host_egress_month_bytes)", "so far"),
        Query("max(torrentproxy_host_egress_forecast_bytes)", "by its end"),
        Query("max(torrentproxy_host_egress_limit_bytes)", "free"),
        width=8,
        height=6,
    ),
    number(
        About(
            "Share of the month",
            "Egress so far, of what is free. From 80 % on peers get less, from 95 % nothing; people always get theirs.",
        ),
        SHARE,
        Query("max(torrentproxy_host_egress_month_bytes) / max(torrentproxy_host_egress_limit_bytes)"),
        levels=NEAR_LIMIT,
        height=6,
    ),
    bars(
        About(
            "In use, of seven days",
            "The 95th percentile of CPU, network and memory over seven days. While one of them is above 20 %, the "
            "machine is not idle to Oracle. A resource is missing until half a week has been measured.",
        ),
        SHARE,
        Query("max by (resource) (torrentproxy_host_use_p95_ratio)", "{{resource}}"),
        levels=colours(ORANGE, (0.2, GREEN)),
        largest=1,
        width=8,
        height=6,
    ),
    number(
        About(
            "Machine last measured",
            "How long ago the worker counted egress and use. After ten minutes peers get what is sure to be left.",
        ),
        SECONDS,
        Query("max(torrentproxy_host_measured_age_seconds)"),
        levels=colours(GREEN, (180, ORANGE), (600, RED)),
        height=6,
    ),
    light(
        About("Seeding", "What the month leaves to peers: docs/free-tier.md tells the rules."),
        'max(torrentproxy_seeding_policy{state="throttled"})'
        ' + 2 * max(torrentproxy_seeding_policy{state="stopped"})',
        [(0, "As set", GREEN), (1, "Throttled", YELLOW), (None, "Stopped", RED)],
    ),
    light(
        About("Idle machine", "At risk: all three are below 20 %, and Oracle may take the machine back."),
        "max(torrentproxy_host_idle_risk)",
        IDLE,
        width=4,
    ),
    bars(
        About(
            "Object storage",
            "Backups that are kept in the bucket, and how much of it is free of charge.",
        ),
        BYTES,
        Query('max(torrentproxy_backup_stored_bytes{destination="bucket"})', "kept"),
        Query("max(torrentproxy_bucket_bytes_limit)", "free"),
        height=3,
    ),
    bars(
        About("Requests to object storage", "In this calendar month (UTC), and how many are free of charge."),
        COUNT,
        Query("max(torrentproxy_bucket_requests_month)", "so far"),
        Query("max(torrentproxy_bucket_requests_limit)", "free"),
        height=3,
    ),
]

MACHINE = [
    lines(
        About(
            "CPU",
            "Share of all cores by what they do. steal: the host gave the time to somebody else; iowait: it waited for "
            "the disk.",
        ),
        SHARE,
        Query('avg by (mode) (rate(node_cpu_seconds_total{mode!="idle"}[$__rate_interval]))', "{{mode}}"),
        stacked=True,
    ),
    lines(
        About(
            "Memory",
            "What programs hold (in use), and all there is. The rest keeps files that were read, which is good.",
        ),
        BYTES,
        Query("sum(node_memory_MemTotal_bytes) - sum(node_memory_MemAvailable_bytes)", "in use"),
        Query("sum(node_memory_MemTotal_bytes)", "there is"),
    ),
    lines(
        About("Network", "What the interfaces receive and send, of anything: peers, people, updates."),
        SPEED,
        Query(f"sum(rate(node_network_receive_bytes_total{{{INTERFACES}}}[$__rate_interval]))", "received"),
        Query(f"sum(rate(node_network_transmit_bytes_total{{{INTERFACES}}}[$__rate_interval]))", "sent"),
    ),
    lines(
        About("Disk traffic", "What is read from and written to the disks."),
        SPEED,
        Query(f"sum(rate(node_disk_read_bytes_total{{{DISKS}}}[$__rate_interval]))", "read"),
        Query(f"sum(rate(node_disk_written_bytes_total{{{DISKS}}}[$__rate_interval]))", "written"),
    ),
    lines(
        About(
            "Waiting for a resource",
            "Share of the time in which some program could not go on for lack of it (pressure stall information). A "
            "few percent are nothing; half means it is too slow for what is asked of it.",
        ),
        SHARE,
        Query("max(rate(node_pressure_cpu_waiting_seconds_total[$__rate_interval]))", "CPU"),
        Query("max(rate(node_pressure_io_waiting_seconds_total[$__rate_interval]))", "disk"),
        Query("max(rate(node_pressure_memory_waiting_seconds_total[$__rate_interval]))", "memory"),
        width=8,
    ),
    bars(
        About("Disks, used", "How full each volume is."),
        SHARE,
        Query(
            f"1 - max by (mountpoint) (node_filesystem_avail_bytes{{{VOLUMES}}}"
            f" / node_filesystem_size_bytes{{{VOLUMES}}})",
            "{{mountpoint}}",
        ),
        levels=NEAR_LIMIT,
        largest=1,
        height=8,
    ),
    lines(
        About("Memory of monitoring", "What Prometheus, its exporters and Alertmanager take for themselves."),
        BYTES,
        Query(
            'sum by (job) (process_resident_memory_bytes{job!="torrent-proxy"})',
            "{{job}}",
        ),
        stacked=True,
        width=8,
    ),
]

SENT = [
    lines(
        About(
            "Sent, by whom it was for",
            "As the box counts: to peers, and to people by HTTPS and SFTP. Caddy's share is counted from its log, so "
            "a long download comes in one piece when it ends.",
        ),
        SPEED,
        Query("max(rate(torrentproxy_peers_sent_bytes_total[$__rate_interval]))", "peers"),
        Query(
            "sum by (channel) (max by (user, channel)"
            " (rate(torrentproxy_user_handed_over_bytes_total[$__rate_interval])))",
            "people, {{channel}}",
        ),
        stacked=True,
    ),
    bars(
        About(
            "Budgets of the box",
            "Sent in this calendar month by the box's own ledger, beside MONTHLY_EGRESS_LIMIT, from which on no new "
            "download begins.",
        ),
        TRAFFIC,
        Query("max(torrentproxy_peers_sent_month_bytes)", "to peers"),
        Query(
            "sum(max by (user, channel) (torrentproxy_user_handed_over_month_bytes))",
            "to people",
        ),
        Query("max(torrentproxy_egress_month_bytes)", "together"),
        Query("max(torrentproxy_egress_limit_bytes)", "limit"),
        width=12,
        height=8,
    ),
]

SERVICES = [
    bars(
        About(
            "Running",
            "Services of the box and of what watches it: 1 runs, 0 does not. systemctl status and journalctl -u tell "
            "why.",
        ),
        COUNT,
        Query('max by (name) (node_systemd_unit_state{type!="oneshot", state="active"})', "{{name}}"),
        levels=colours(RED, (1, GREEN)),
        largest=1,
        width=12,
        height=9,
    ),
    lines(
        About(
            "Started again", "How often systemd has started a service anew within an hour, after it ended."
        ),
        COUNT,
        Query("max by (name) (increase(node_systemd_service_restart_total[1h])) > 0", "{{name}}"),
        height=9,
    ),
]
