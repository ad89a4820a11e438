"""What alerts and dashboards ask for, and the stack of the tests cannot show."""

# There only on some machines, or only after something has happened, and why.
ELSEWHERE = {
    "node_systemd_unit_state": "node_exporter asks systemd, which does not run where most tests do",
    "node_systemd_service_restart_total": "node_exporter asks systemd, which does not run where most tests do",
}
