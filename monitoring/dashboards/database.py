"""PostgreSQL, and the web processes that ask it."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from monitoring.dashboards.page import Section, page
from monitoring.dashboards.vocabulary import (
    A_SECOND,
    BYTES,
    COUNT,
    GREEN,
    ORANGE,
    RED,
    REQUESTS,
    SECONDS,
    SHARE,
    THERE,
    YELLOW,
    About,
    Query,
    colours,
    light,
    lines,
    number,
)

OURS = 'datname!~"template.*"'
# Of what answers at once, as in the recording rules: bytes of files take as long as they take.
BUCKET = (
    "django_http_requests_latency_seconds_by_view_method_bucket"
    '{view!~".*(content|archive|link|login|metrics).*"}'
)
ANSWERS = "django_http_responses_total_by_status_view_method_total"


def database() -> Dashboard:
    return page(
        "database",
        "Database & web",
        "How PostgreSQL fares, how long we wait for it, and how long people wait for us.",
        Section("PostgreSQL", NUMBERS),
        Section("", GRAPHS),
        Section("Our queries", QUERIES),
        Section("The web", WEB),
        Section("Metrics themselves", SCRAPES),
        since="6h",
        refresh="30s",
    )


def _rate(counter: str, *, by: str = "") -> str:
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate({counter}[$__rate_interval]))"


def _quantile(share: float, histogram: str, *, by: str = "") -> str:
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, {_rate(histogram, by=labels)})"


NUMBERS = [
    light(
        About("PostgreSQL", "Whether it answers its exporter."),
        "min(pg_up)",
        THERE,
    ),
    number(
        About("Connections", "Of all that PostgreSQL allows (max_connections)."),
        SHARE,
        Query("max(postgresql_connections_used) / max(postgresql_connections_allowed)"),
        levels=colours(GREEN, (0.6, YELLOW), (0.8, RED)),
        height=3,
    ),
    number(
        About("Size", "Of our database on disk."),
        BYTES,
        Query(f"sum(pg_database_size_bytes{{{OURS}}})"),
        height=3,
    ),
    number(
        About(
            "Cache hits",
            "Share of reads that PostgreSQL had in memory since its statistics began. Below 95 % for long: give it "
            "more shared_buffers.",
        ),
        SHARE,
        Query(
            f"sum(pg_stat_database_blks_hit{{{OURS}}}) /"
            f" (sum(pg_stat_database_blks_hit{{{OURS}}}) + sum(pg_stat_database_blks_read{{{OURS}}}))"
        ),
        levels=colours(RED, (0.8, ORANGE), (0.95, GREEN)),
        height=3,
    ),
    number(
        About(
            "Deadlocks",
            "Since PostgreSQL's statistics began. A few resolve themselves; many are a mistake of ours.",
        ),
        COUNT,
        Query(f"sum(pg_stat_database_deadlocks{{{OURS}}})"),
        levels=colours(GREEN, (1, YELLOW), (100, RED)),
        height=3,
    ),
    number(
        About(
            "Longest transaction",
            "For how long the oldest open transaction has been going on. Minutes keep dead rows from being cleaned.",
        ),
        SECONDS,
        Query("max(postgresql_transactions_oldest_seconds)"),
        levels=colours(GREEN, (300, YELLOW), (1800, RED)),
        height=3,
    ),
]

GRAPHS = [
    lines(
        About(
            "Connections by state",
            "active works; idle waits for the next query; idle in transaction holds locks.",
        ),
        COUNT,
        Query(f"sum by (state) (pg_stat_activity_count{{{OURS}}})", "{{state}}"),
        stacked=True,
    ),
    lines(
        About("Transactions", "A second. Many rollbacks: something fails again and again."),
        A_SECOND,
        Query(_rate(f"pg_stat_database_xact_commit{{{OURS}}}"), "committed"),
        Query(_rate(f"pg_stat_database_xact_rollback{{{OURS}}}"), "rolled back"),
    ),
    lines(
        About("Locks", "Held or waited for, by kind. exclusive ones for long make others wait."),
        COUNT,
        Query(f"sum by (mode) (pg_locks_count{{{OURS}}}) > 0", "{{mode}}"),
        stacked=True,
        width=8,
    ),
    lines(
        About(
            "Waiting for a lock",
            "Clients that wait for another's lock. Some for minutes: somebody holds one.",
        ),
        COUNT,
        Query("max(postgresql_transactions_waiting_for_locks)", "clients"),
        width=8,
    ),
    lines(
        About(
            "Dead rows", "Rows that autovacuum has still to clean away, of the five tables that have most."
        ),
        COUNT,
        Query("topk(5, max by (table) (postgresql_table_dead_rows))", "{{table}}"),
        width=8,
    ),
    lines(
        About("Largest tables", "With their indexes, of the five largest."),
        BYTES,
        Query("topk(5, max by (table) (postgresql_table_size_bytes))", "{{table}}"),
        stacked=True,
    ),
    lines(
        About("Rows read and written", "A second, in all our tables."),
        A_SECOND,
        Query(_rate(f"pg_stat_database_tup_fetched{{{OURS}}}"), "read"),
        Query(_rate(f"pg_stat_database_tup_inserted{{{OURS}}}"), "inserted"),
        Query(_rate(f"pg_stat_database_tup_updated{{{OURS}}}"), "updated"),
        Query(_rate(f"pg_stat_database_tup_deleted{{{OURS}}}"), "deleted"),
    ),
]

QUERIES = [
    lines(
        About(
            "How long our queries take",
            "As the web processes measure: half of them, and 95 of 100, are quicker.",
        ),
        SECONDS,
        Query(_quantile(0.5, "django_db_query_duration_seconds_bucket"), "half"),
        Query(_quantile(0.95, "django_db_query_duration_seconds_bucket"), "95 %"),
        width=8,
    ),
    lines(
        About("Our queries", "That the web processes ask, a second."),
        A_SECOND,
        Query(_rate("django_db_execute_total"), "queries"),
        width=8,
    ),
    lines(
        About(
            "New connections",
            "That the web processes open, a second. They are kept, so there are next to none.",
        ),
        A_SECOND,
        Query(_rate("django_db_new_connections_total"), "opened"),
        width=8,
    ),
]

WEB = [
    lines(
        About(
            "Answers by status",
            "A second. 5xx are mistakes of ours; 401 and 404 are usually scripts of strangers.",
        ),
        REQUESTS,
        Query(_rate(ANSWERS, by="status"), "{{status}}"),
        stacked=True,
        width=8,
    ),
    lines(
        About(
            "How long answers take",
            "Half of all requests, and 95 of 100, are answered within this time; without files and logging in.",
        ),
        SECONDS,
        Query(_quantile(0.5, BUCKET), "half"),
        Query(_quantile(0.95, BUCKET), "95 %"),
        width=8,
    ),
    number(
        About("Mistakes of ours", "Share of requests that were answered with 5xx in the last hour."),
        SHARE,
        Query(
            f'(sum(increase({ANSWERS}{{status=~"5.."}}[1h])) or 0 * sum(increase({ANSWERS}[1h])))'
            f" / sum(increase({ANSWERS}[1h]))"
        ),
        levels=colours(GREEN, (0.001, YELLOW), (0.01, RED)),
        height=8,
    ),
    number(
        About("Version", "Of the box."),
        COUNT,
        Query("max by (version) (torrentproxy_build_info)", "{{version}}"),
        named=True,
        height=8,
    ),
    lines(
        About(
            "Slowest views",
            "The time within which 95 of 100 requests are answered, of the ten slowest views that send no files.",
        ),
        SECONDS,
        Query(f"topk(10, {_quantile(0.95, BUCKET, by='view')} > 0)", "{{view}}"),
    ),
    lines(
        About("Busiest views", "Requests a second, of the ten views that are asked most."),
        REQUESTS,
        Query(f"topk(10, {_rate(ANSWERS, by='view')} > 0)", "{{view}}"),
        stacked=True,
    ),
]

SCRAPES = [
    lines(
        About("Scrapes", "How long each part took to answer Prometheus, which asks every 15 seconds."),
        SECONDS,
        Query("max by (job) (scrape_duration_seconds)", "{{job}}"),
        width=8,
        height=7,
    ),
    lines(
        About(
            "Reading our rows", "How long PostgreSQL and the web process took for the figures of one scrape."
        ),
        SECONDS,
        Query("max(torrentproxy_scrape_seconds)", "rows"),
        width=8,
        height=7,
    ),
    lines(
        About(
            "Time series",
            "That Prometheus keeps in memory: some thousands. Growth without end is a mistake of ours.",
        ),
        COUNT,
        Query('max(prometheus_tsdb_head_series{job="prometheus"})', "time series"),
        width=8,
        height=7,
    ),
]
