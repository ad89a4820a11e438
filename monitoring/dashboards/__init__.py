"""Grafana's dashboards as code. Needed to build them only: nothing of the box imports this, or the SDK it uses.

`python -m monitoring.dashboards` writes `deploy/grafana/dashboards/`, which Grafana reads on a server.
"""
