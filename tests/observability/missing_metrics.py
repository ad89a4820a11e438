"""What alerts and dashboards ask for, and the stack of the tests cannot show."""

# Made by parts of the box that are not there yet. A test fails as soon as one of them is: take it away then.
EXPECTED_SOON = {
    "torrentproxy_backup_count",
    "torrentproxy_backup_failures_in_a_row",
    "torrentproxy_backup_last_success_timestamp_seconds",
    "torrentproxy_backup_last_verified_timestamp_seconds",
    "torrentproxy_backup_size_bytes",
    "torrentproxy_backup_stored_bytes",
    "torrentproxy_bucket_bytes_limit",
    "torrentproxy_bucket_requests_limit",
    "torrentproxy_bucket_requests_month",
    "torrentproxy_engine_dht_nodes",
    "torrentproxy_engine_queued_io_jobs",
    "torrentproxy_intents_oldest_seconds",
    "torrentproxy_intents_waiting",
    "torrentproxy_sftp_sessions",
    "torrentproxy_sftp_up",
}

# There only on some machines, or only after something has happened, and why.
ELSEWHERE = {
    "node_systemd_unit_state": "node_exporter asks systemd, which does not run where most tests do",
    "node_systemd_service_restart_total": "node_exporter asks systemd, which does not run where most tests do",
}
