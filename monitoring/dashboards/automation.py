"""What happens by itself: feeds, the watchlist, background tasks, backups."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from monitoring.dashboards.page import Section, page
from monitoring.dashboards.vocabulary import (
    BYTES,
    COUNT,
    GREEN,
    MOMENT,
    NONE_IS_WELL,
    ORANGE,
    RED,
    SECONDS,
    SHARE,
    YELLOW,
    About,
    Column,
    Label,
    Query,
    bars,
    colours,
    lines,
    number,
    rows,
)

MINUTE, HOUR, DAY = 60, 3600, 86400


def automation() -> Dashboard:
    return page(
        "automation",
        "Automation",
        "Whether feeds are read, shows are followed, tasks run and backups are made, all by themselves.",
        Section("Feeds", FEEDS),
        Section("Watchlist", WATCHLIST),
        Section("Background tasks", TASKS),
        Section("Backups", BACKUPS),
        since="24h",
        refresh="30s",
    )


FEEDS = [
    number(
        About("Feeds followed", "Each is fetched once, however many people follow it."),
        COUNT,
        Query("max(torrentproxy_feed_sources)"),
        width=6,
    ),
    number(
        About(
            "Failing feeds",
            "Feeds whose last check failed. They are asked less and less often, and come back.",
        ),
        COUNT,
        Query("max(torrentproxy_feed_sources_failing)"),
        levels=NONE_IS_WELL,
        width=6,
    ),
    number(
        About(
            "Most overdue",
            "For how long the most overdue feed ought to have been checked. Minutes: the worker does not keep up.",
        ),
        SECONDS,
        Query("max(torrentproxy_feed_most_overdue_seconds)"),
        levels=colours(GREEN, (2 * MINUTE, ORANGE), (10 * MINUTE, RED)),
        width=6,
    ),
    number(
        About("New items, last day", "What appeared in feeds within 24 hours."),
        COUNT,
        Query("max(torrentproxy_feed_items_last_day)"),
        width=6,
    ),
    bars(
        About("Rules decided, last day", "What people's rules made of items within 24 hours."),
        COUNT,
        Query("max by (outcome) (torrentproxy_feed_decisions_last_day)", "{{outcome}}"),
        height=8,
    ),
    lines(
        About(
            "Feeds that fail or are late", "Failing feeds, and the seconds by which the latest is overdue."
        ),
        COUNT,
        Query("max(torrentproxy_feed_sources_failing)", "failing"),
        Query("max(torrentproxy_feed_most_overdue_seconds)", "seconds overdue"),
        width=8,
        height=8,
    ),
    bars(
        About("Taken of feeds", "What rules, the watchlist or people took, by what became of it."),
        COUNT,
        Query("max by (origin, state) (torrentproxy_feed_grabs)", "{{origin}}, {{state}}"),
        height=8,
    ),
]

WATCHLIST = [
    bars(
        About(
            "Requests to providers, last minute",
            "Beside the most that the budget allows: reaching it is normal after a start, always is not.",
        ),
        COUNT,
        Query("max by (provider) (torrentproxy_watchlist_requests_last_minute)", "{{provider}}"),
        Query("max by (provider) (torrentproxy_watchlist_requests_allowed)", "{{provider}}: allowed"),
        height=5,
    ),
    number(
        About(
            "Left alone for",
            "After refusals and faults a provider is not asked for a while (circuit breaker). 0: it is asked.",
        ),
        SECONDS,
        Query("max by (provider) (torrentproxy_watchlist_blocked_seconds)", "{{provider}}"),
        levels=colours(GREEN, (1, ORANGE), (HOUR, RED)),
        height=5,
    ),
    number(
        About("Failures in a row", "Requests to a provider that failed, one after another."),
        COUNT,
        Query("max by (provider) (torrentproxy_watchlist_failures)", "{{provider}}"),
        levels=colours(GREEN, (1, YELLOW), (5, RED)),
        height=5,
    ),
    number(
        About("Shows followed", "By all people together."),
        COUNT,
        Query("max(torrentproxy_watchlist_entries)"),
        height=5,
    ),
    number(
        About("Lists followed", "Lists of people at providers, by how they were last read."),
        COUNT,
        Query("sum by (state) (max by (provider, state) (torrentproxy_watchlist_links))", "{{state}}"),
        height=5,
    ),
    lines(
        About("Age of the oldest list", "Promised: never older than 60 minutes while the provider answers."),
        SECONDS,
        Query("max by (provider) (torrentproxy_watchlist_list_age_seconds)", "{{provider}}"),
        levels=colours(GREEN, (HOUR, RED)),
        width=8,
        height=7,
    ),
    lines(
        About(
            "Age of the oldest airing times",
            "Promised: never older than 30 minutes while the provider answers.",
        ),
        SECONDS,
        Query("max by (provider) (torrentproxy_watchlist_airing_age_seconds)", "{{provider}}"),
        levels=colours(GREEN, (30 * MINUTE, RED)),
        width=8,
        height=7,
    ),
    bars(
        About("Watchlist decided, last day", "What was made of releases of followed shows within 24 hours."),
        COUNT,
        Query("max by (outcome) (torrentproxy_watchlist_decisions_last_day)", "{{outcome}}"),
        height=7,
    ),
]

TASKS = [
    number(
        About("Tasks ready or running", "More than usual for long: the worker does not keep up."),
        COUNT,
        Query("max(torrentproxy_queue_tasks)"),
    ),
    number(
        About(
            "Oldest ready task",
            "For how long it has waited. After four minutes the worker starts afresh by itself.",
        ),
        SECONDS,
        Query("max(torrentproxy_queue_oldest_ready_seconds)"),
        levels=colours(GREEN, (2 * MINUTE, ORANGE), (4 * MINUTE, RED)),
    ),
    number(
        About(
            "Failed, last day", "Tasks that failed within 24 hours; the admin lists them with their reasons."
        ),
        COUNT,
        Query("max(torrentproxy_queue_failures_last_day)"),
        levels=NONE_IS_WELL,
    ),
    number(
        About("Last task ended", "How long ago. Some task is due every minute."),
        SECONDS,
        Query("max(torrentproxy_queue_last_end_age_seconds)"),
        levels=colours(GREEN, (3 * MINUTE, ORANGE), (5 * MINUTE, RED)),
    ),
    lines(
        About("Queue", "How long the oldest ready task has waited."),
        SECONDS,
        Query("max(torrentproxy_queue_oldest_ready_seconds)", "oldest ready task"),
        levels=colours(GREEN, (4 * MINUTE, RED)),
        width=8,
        height=4,
    ),
    rows(
        About(
            "Schedules",
            "When each last ran well, beside how often it is to run. Late counts intervals: from 3 on something is "
            "wrong with it.",
        ),
        [Label("schedule", "Schedule")],
        Column(
            "1000 * max by (schedule) (torrentproxy_schedule_last_success_timestamp_seconds)",
            "Last ran well",
            MOMENT,
        ),
        Column("max by (schedule) (torrentproxy_schedule_interval_seconds)", "Every", SECONDS),
        Column(
            "(time() - max by (schedule) (torrentproxy_schedule_last_success_timestamp_seconds))"
            " / max by (schedule) (torrentproxy_schedule_interval_seconds)",
            "Late",
            COUNT,
            colours(GREEN, (2, YELLOW), (3, RED)),
        ),
        sort_by="Late",
        width=24,
        height=9,
    ),
]

BACKUPS = [
    number(
        About("Last backup", "When one was last made well, by where it is kept. It is made every day."),
        SECONDS,
        Query(
            "time() - max by (destination) (torrentproxy_backup_last_success_timestamp_seconds)",
            "{{destination}}",
        ),
        levels=colours(GREEN, (26 * HOUR, ORANGE), (50 * HOUR, RED)),
        width=6,
    ),
    number(
        About(
            "Last one that was tried",
            "How long ago a backup was last restored into an empty database to see that it is one.",
        ),
        SECONDS,
        Query("time() - max(torrentproxy_backup_last_verified_timestamp_seconds)"),
        levels=colours(GREEN, (8 * DAY, ORANGE), (15 * DAY, RED)),
        width=6,
    ),
    number(
        About("Failures in a row", "Of making and of trying backups; the journal of the unit says why."),
        COUNT,
        Query("max by (task) (torrentproxy_backup_failures_in_a_row)", "{{task}}"),
        levels=NONE_IS_WELL,
        width=6,
    ),
    number(
        About("Backups kept", "How many there are, by where."),
        COUNT,
        Query("max by (destination) (torrentproxy_backup_count)", "{{destination}}"),
        width=6,
    ),
    lines(
        About("Size of the newest backup", "A sudden drop means that something is missing in it."),
        BYTES,
        Query("max by (destination) (torrentproxy_backup_size_bytes)", "{{destination}}"),
        height=7,
    ),
    bars(
        About(
            "Space of all backups",
            "What all that are kept take, by where; the bucket beside what is free of it.",
        ),
        BYTES,
        Query("max by (destination) (torrentproxy_backup_stored_bytes)", "{{destination}}"),
        Query("max(torrentproxy_bucket_bytes_limit)", "bucket: free"),
        width=6,
    ),
    bars(
        About("Share of the bucket", "Of the space and of the month's requests that are free of charge."),
        SHARE,
        Query(
            'max(torrentproxy_backup_stored_bytes{destination="bucket"})'
            " / max(torrentproxy_bucket_bytes_limit)",
            "space",
        ),
        Query(
            "max(torrentproxy_bucket_requests_month) / max(torrentproxy_bucket_requests_limit)", "requests"
        ),
        levels=colours(GREEN, (0.8, ORANGE), (0.95, RED)),
        largest=1,
        width=6,
    ),
]
