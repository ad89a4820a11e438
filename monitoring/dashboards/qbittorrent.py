"""The download engine, and what waits for it."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from monitoring.dashboards.page import Section, page
from monitoring.dashboards.vocabulary import (
    BYTES,
    COUNT,
    GREEN,
    LOOKED,
    NONE_IS_WELL,
    ORANGE,
    RED,
    SECONDS,
    SPEED,
    THERE,
    TRAFFIC,
    About,
    Query,
    bars,
    colours,
    light,
    lines,
    number,
)


def qbittorrent() -> Dashboard:
    return page(
        "qbittorrent",
        "qBittorrent",
        "Whether the engine works, what it has, and what it still has to do.",
        Section("The engine", ENGINE),
        Section("Swarm", SWARM),
        Section("Torrents", TORRENTS),
        Section("What waits", WAITING),
        since="6h",
        refresh="15s",
    )


ENGINE = [
    light(
        About("Engine", "Whether it answered when the reconciler last asked."),
        "min(max by (engine) (torrentproxy_engine_up))",
        THERE,
    ),
    light(
        About(
            "Reconciler",
            "When the reconciler last looked at the engine: every ten seconds at least, a minute is too long.",
        ),
        "max(torrentproxy_reconciler_last_look_age_seconds)",
        LOOKED,
    ),
    number(
        About(
            "Connection",
            "How it reaches peers. connected is well. firewalled: nobody can call it, so open TORRENT_PORT for TCP and "
            "UDP, in the cloud's security list too. disconnected: it has no peer at all.",
        ),
        COUNT,
        Query("max by (connection) (torrentproxy_engine_info)", "{{connection}}"),
        named=True,
        height=3,
    ),
    number(
        About("Version", "Of qBittorrent."),
        COUNT,
        Query("max by (version) (torrentproxy_engine_info)", "{{version}}"),
        named=True,
        height=3,
    ),
    number(
        About(
            "DHT nodes",
            "Nodes of the distributed hash table that it knows: how peers are found without a tracker. Some hundred "
            "are usual; none for long means that UDP does not get out, or TORRENT_DISCOVERY is off.",
        ),
        COUNT,
        Query("sum(max by (engine) (torrentproxy_engine_dht_nodes))"),
        levels=colours(ORANGE, (1, GREEN)),
        height=3,
    ),
    number(
        About(
            "Queued disk jobs",
            "Reads and writes that wait for the disk. Hundreds for long: the disk is too slow for what is downloaded.",
        ),
        COUNT,
        Query("sum(max by (engine) (torrentproxy_engine_queued_io_jobs))"),
        levels=colours(GREEN, (200, ORANGE)),
        height=3,
    ),
    lines(
        About("Since the reconciler looked", "Above a minute nothing that people do reaches the engine."),
        SECONDS,
        Query("max by (engine) (torrentproxy_reconciler_last_look_age_seconds)", "{{engine}}"),
        levels=colours(GREEN, (60, RED)),
        width=8,
        height=7,
    ),
    lines(
        About(
            "Free space",
            "On the volume of the downloads, and what is to stay free (DISK_FLOOR): below it no download goes on.",
        ),
        BYTES,
        Query("min by (engine) (torrentproxy_engine_free_bytes)", "free on {{engine}}"),
        Query("max(torrentproxy_disk_floor_bytes)", "to stay free"),
        width=8,
        height=7,
    ),
    number(
        About(
            "Ratio, ever",
            "Sent to peers for each byte that was received, as qBittorrent counts over its whole life.",
        ),
        COUNT,
        Query(
            "sum(max by (engine) (torrentproxy_engine_alltime_sent_bytes))"
            " / sum(max by (engine) (torrentproxy_engine_alltime_received_bytes))"
        ),
        width=4,
        height=7,
    ),
    number(
        About(
            "Sent to peers", "By the ledger, which outlives torrents: this calendar month (UTC), and ever."
        ),
        TRAFFIC,
        Query("max(torrentproxy_peers_sent_month_bytes)", "this month"),
        Query("max(torrentproxy_peers_sent_bytes_total)", "ever"),
        width=4,
        height=7,
    ),
]

SWARM = [
    lines(
        About("Speeds", "What all torrents together receive and send."),
        SPEED,
        Query("max(torrentproxy_download_bytes_per_second)", "received"),
        Query("max(torrentproxy_upload_bytes_per_second)", "sent"),
    ),
    lines(
        About("Connected peers", "Seeds have all of a torrent, peers do not; over all torrents."),
        COUNT,
        Query("max(torrentproxy_connected_seeds)", "seeds"),
        Query("max(torrentproxy_connected_peers)", "peers"),
    ),
]

TORRENTS = [
    lines(
        About(
            "Torrents by state",
            "waiting: not let in yet; metadata: a magnet that still asks what it is; stalled: no peer has what is "
            "missing; error: see the torrent in the admin.",
        ),
        COUNT,
        Query("max by (state) (torrentproxy_torrents)", "{{state}}"),
        stacked=True,
    ),
    lines(
        About("What people hold", "Several people may hold one torrent: each is a claim of their own."),
        COUNT,
        Query("max by (state) (torrentproxy_claims)", "{{state}}"),
        stacked=True,
    ),
]

WAITING = [
    number(
        About("Wishes not taken up", "What people asked for and the reconciler has not seen to yet."),
        COUNT,
        Query("max(torrentproxy_intents_waiting)"),
        width=5,
    ),
    number(
        About(
            "Oldest wish", "For how long the oldest of them has waited; the reconciler takes them up at once."
        ),
        SECONDS,
        Query("max(torrentproxy_intents_oldest_seconds)"),
        levels=colours(GREEN, (30, ORANGE), (120, RED)),
        width=5,
    ),
    number(
        About("Refused torrents", "Torrents that the engine will not take: the admin's page says why."),
        COUNT,
        Query("max(torrentproxy_torrents_refused)"),
        levels=NONE_IS_WELL,
        width=5,
    ),
    number(
        About(
            "Still to be deleted",
            "Torrents whose data is to go, after the time in which it can be taken back.",
        ),
        COUNT,
        Query("max(torrentproxy_removals_pending)"),
        width=5,
    ),
    number(
        About("Of nobody here", "Torrents in the engine that were not added through the box: see the admin."),
        COUNT,
        Query("max(torrentproxy_foreign_torrents)"),
        levels=NONE_IS_WELL,
    ),
    bars(
        About(
            "Waiting for room, by what for",
            "Claims that start by themselves when there is room. user_…: within a person's own limits; box_…: within "
            "the box's, so more disk or a smaller share for each would help.",
        ),
        COUNT,
        Query("max by (reason) (torrentproxy_claims_waiting)", "{{reason}}"),
        width=12,
        height=8,
    ),
    lines(
        About(
            "Waiting for room", "The same over time: what never falls to nothing is too little of something."
        ),
        COUNT,
        Query("max by (reason) (torrentproxy_claims_waiting)", "{{reason}}"),
        stacked=True,
    ),
]
