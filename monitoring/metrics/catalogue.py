"""Every figure that is made of our own rows: its name, what it is, and by what it is told apart.

`docs/metrics.md` is made of this list: `python manage.py describe_metrics`. A test compares the list with what is
really exported. A name that changes breaks dashboards and alerts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

PREFIX = "torrentproxy_"


class Kind(StrEnum):
    GAUGE = "gauge"
    COUNTER = "counter"


@dataclass(frozen=True)
class Metric:
    """`name` without the prefix, in base units; a counter's ends with `_total`."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    kind: Kind = Kind.GAUGE

    @property
    def full_name(self) -> str:
        return PREFIX + self.name

    def header(self) -> str:
        return f"# HELP {self.full_name} {self.help}\n# TYPE {self.full_name} {self.kind}\n"


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, text, labels, Kind.COUNTER)


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return Metric(name, text, labels)


METRICS = (
    _gauge(
        "database_up",
        "Whether PostgreSQL answered this scrape. 0: all other figures of our rows are missing.",
    ),
    _gauge("build_info", "The version of the box, as a label; always 1.", "version"),
    # --- the engine, as the reconciler last found it
    _gauge("engine_up", "Whether the download engine answered when the reconciler last asked.", "engine"),
    _gauge(
        "engine_info",
        "Version of the download engine and how it reaches peers (connected, firewalled, disconnected); always 1.",
        "engine",
        "version",
        "connection",
    ),
    _gauge("engine_dht_nodes", "Nodes of the DHT that the engine knows; missing: it is away.", "engine"),
    _gauge("engine_queued_io_jobs", "Disk jobs of the engine that wait; missing: it is away.", "engine"),
    _gauge(
        "engine_alltime_received_bytes",
        "Received ever, as the engine counts: all that crossed the wire. A crash takes its last minutes back.",
        "engine",
    ),
    _gauge("engine_alltime_sent_bytes", "The same, sent.", "engine"),
    _gauge(
        "engine_free_bytes", "Free space on the volume of the downloads, as the reconciler saw it.", "engine"
    ),
    _gauge(
        "reconciler_last_look_age_seconds",
        "How long ago the reconciler last asked the engine; more than a minute: it does not run.",
        "engine",
    ),
    _gauge(
        "intents_waiting",
        "What the reconciler has yet to take up: torrents that the engine lacks, deletions and rechecks.",
    ),
    _gauge(
        "intents_oldest_seconds", "How long ago the oldest of these was added or asked for; 0: there is none."
    ),
    # --- torrents
    _gauge("torrents", "Torrents in the engine, by what they are doing.", "state"),
    _gauge("torrents_refused", "Torrents that the engine will not take."),
    _gauge("download_bytes_per_second", "What all torrents together receive."),
    _gauge("upload_bytes_per_second", "What all torrents together send to peers."),
    _gauge("connected_seeds", "Connected peers that have all of a torrent, over all torrents."),
    _gauge("connected_peers", "Connected peers that do not, over all torrents."),
    _counter("peers_sent_bytes_total", "Sent to peers, ever: the ledger outlives torrents."),
    _gauge("peers_sent_month_bytes", "Sent to peers in this calendar month (UTC)."),
    _gauge("removals_pending", "Torrents whose data is still to be deleted."),
    _gauge("foreign_torrents", "Torrents in the engine that belong to nobody here."),
    # --- what people hold
    _gauge("claims", "What people hold, by what they want and have: finished, running, paused.", "state"),
    _gauge("claims_waiting", "Claims that wait for room, by what they wait for.", "reason"),
    # --- people
    _gauge("users", "Accounts, by whether they may log in.", "state"),
    _gauge("user_disk_used_bytes", "What counts towards a person's disk quota.", "user"),
    _gauge("user_disk_quota_bytes", "A person's disk quota.", "user"),
    _gauge("user_active_torrents", "A person's torrents that were let in and are not complete.", "user"),
    _counter("user_handed_over_bytes_total", "Handed over to a person, ever.", "user", "channel"),
    _gauge(
        "user_handed_over_month_bytes",
        "Handed over to a person in this calendar month (UTC).",
        "user",
        "channel",
    ),
    _gauge(
        "logins_refused_last_day",
        "Refused attempts to log in within 24 hours, by why and where. Who is locked out is refused uncounted.",
        "reason",
        "channel",
    ),
    # --- handing over
    _gauge("sftp_up", "Whether an SFTP server runs; 0: it died. Missing: none was started.", "server"),
    _gauge("sftp_sessions", "Open SFTP and SCP connections. Missing: no server was started."),
    # --- the box
    _gauge("disk_floor_bytes", "What is to stay free: below it no download goes on (DISK_FLOOR)."),
    _gauge(
        "egress_month_bytes",
        "Handed over and sent to peers in this calendar month (UTC), as far as we count it.",
    ),
    _gauge("egress_limit_bytes", "What may be sent in a calendar month (MONTHLY_EGRESS_LIMIT)."),
    # --- the machine, against the limits of the free tier
    _gauge(
        "host_egress_month_bytes",
        "What all machines sent in this calendar month (UTC), as their interfaces count: of anything to anybody.",
    ),
    _gauge("host_egress_limit_bytes", "What is free in a calendar month (EGRESS_LIMIT)."),
    _gauge(
        "host_egress_forecast_bytes", "That month's total at its end, at the rate of the last seven days."
    ),
    _gauge("seeding_policy", "1 for what the month leaves to peers: normal, throttled, stopped.", "state"),
    _gauge(
        "host_use_p95_ratio",
        "95th percentile of seven days of what the machine has (cpu, network, memory); missing: too few samples.",
        "resource",
    ),
    _gauge("host_idle_risk", "1: all three are below 20 %, and the machine may be taken back as idle."),
    _gauge("host_measured_age_seconds", "How long ago the machine was last measured."),
    # --- feeds
    _gauge("feed_sources", "Feeds that somebody follows."),
    _gauge("feed_sources_failing", "Followed feeds whose last check failed."),
    _gauge(
        "feed_most_overdue_seconds",
        "For how long the most overdue of the followed feeds ought to have been checked; 0: none is overdue.",
    ),
    _gauge("feed_items_last_day", "New items of feeds within 24 hours."),
    _gauge("feed_decisions_last_day", "What rules decided within 24 hours.", "outcome"),
    _gauge("feed_grabs", "What was taken of feeds, by what became of it.", "origin", "state"),
    # --- the watchlist
    _gauge("watchlist_requests_last_minute", "Requests to a provider within the last minute.", "provider"),
    _gauge("watchlist_requests_allowed", "How many requests a minute a provider gets at most.", "provider"),
    _gauge(
        "watchlist_blocked_seconds",
        "For how long a provider is still left alone; 0: it is asked.",
        "provider",
    ),
    _gauge("watchlist_failures", "Failed requests to a provider in a row.", "provider"),
    _gauge("watchlist_airing_age_seconds", "Age of the oldest airing times that are followed.", "provider"),
    _gauge("watchlist_list_age_seconds", "Age of the list that was read longest ago.", "provider"),
    _gauge(
        "watchlist_links",
        "Lists of people that are followed, by how they were last read.",
        "provider",
        "state",
    ),
    _gauge("watchlist_entries", "Shows that people follow."),
    _gauge("watchlist_decisions_last_day", "What the watchlist decided within 24 hours.", "outcome"),
    # --- background tasks
    _gauge("queue_tasks", "Background tasks that are ready or being done."),
    _gauge(
        "queue_oldest_ready_seconds", "For how long the oldest ready task has been waiting; 0: none is ready."
    ),
    _gauge("queue_failures_last_day", "Background tasks that failed within 24 hours."),
    _gauge("queue_last_end_age_seconds", "How long ago a background task last ended."),
    _gauge(
        "schedule_last_success_timestamp_seconds", "When a schedule last ran well, as Unix time.", "schedule"
    ),
    _gauge("schedule_interval_seconds", "How often a schedule is to run.", "schedule"),
    # --- backups, on the host that makes them
    _gauge(
        "backup_last_success_timestamp_seconds",
        "When a place last got an archive, as Unix time; missing: never.",
        "destination",
    ),
    _gauge("backup_size_bytes", "Size of the newest archive.", "destination"),
    _gauge("backup_stored_bytes", "Size of all archives that are kept.", "destination"),
    _gauge("backup_count", "Archives that are kept.", "destination"),
    _gauge(
        "backup_last_verified_timestamp_seconds",
        "When an archive was last restored on trial and was as it should be, as Unix time; missing: never.",
    ),
    _gauge("backup_failures_in_a_row", "Failed runs since the last good one.", "task"),
    _gauge("bucket_requests_month", "Requests to the bucket in this calendar month (UTC)."),
    _gauge("bucket_requests_limit", "Requests to the bucket that a month may have (BACKUP_BUCKET_REQUESTS)."),
    _gauge("bucket_bytes_limit", "What the bucket may hold (BACKUP_BUCKET_LIMIT)."),
    # --- this answer
    _gauge("scrape_seconds", "How long it took to read the rows for this answer."),
)
BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}


@dataclass
class Samples:
    """Figures that were read: to be looked up, or written in the order of the catalogue."""

    _values: dict[str, dict[tuple[str, ...], float]] = field(default_factory=dict)

    def add(self, name: str, value: float, *labels: str) -> None:
        """`labels` are values, in the order of the metric's labels. Raises KeyError for what the catalogue lacks."""
        if len(labels) != len(BY_NAME[name].labels):
            raise ValueError(f"{name} has other labels than {labels}")
        self._values.setdefault(name, {})[labels] = value

    def of(self, name: str) -> Mapping[tuple[str, ...], float]:
        """By the values of its labels; empty where nothing was read."""
        return self._values.get(name, {})

    def value(self, name: str, *labels: str) -> float | None:
        return self.of(name).get(labels)

    def text(self) -> str:
        """In Prometheus' text format."""
        return "".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for metric in METRICS:
            if metric.name in self._values:
                yield metric.header()
                for labels, value in self._values[metric.name].items():
                    yield f"{_series(metric, labels)} {value}\n"


def _series(metric: Metric, labels: tuple[str, ...]) -> str:
    told = ",".join(f'{label}="{_escaped(text)}"' for label, text in zip(metric.labels, labels, strict=True))
    return f"{metric.full_name}{{{told}}}" if told else metric.full_name


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
