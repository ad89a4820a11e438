"""A dashboard: panels in sections, and what all dashboards share."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from monitoring.dashboards.vocabulary import PROMETHEUS, RED, Panel

TAG = "torrent-proxy"
COLUMNS = 24
REFRESHES = ["15s", "30s", "1m", "5m"]
EVERYBODY = VariableOption(selected=True, text="All", value="$__all")


@dataclass(frozen=True)
class Section:
    """Panels fill the width line by line. Without a title there is no heading."""

    title: str
    panels: Sequence[Panel]


def page(
    uid: str, title: str, description: str, *sections: Section, since: str, refresh: str, people: bool = False
) -> Dashboard:
    """`since` and `refresh` as Grafana writes durations: 6h, 30s; an empty `refresh`: never.

    `people` adds the choice of users, `$user`.
    """
    made = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .readonly()
        .time(f"now-{since}", "now")
        .refresh(refresh)
        .timepicker(dashboard.TimePicker().refresh_intervals(REFRESHES))
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("Dashboards")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .keep_time(True)
        )
        .annotation(_firing())
        .variables([_users()] if people else [])
    )
    number = 0
    for section in sections:
        if section.title:
            number += 1
            made.with_row(dashboard.Row(section.title).id(number))
        for panel in section.panels:
            number += 1
            made.with_panel(panel.id(number))
    return made.build()


def _firing() -> dashboard.AnnotationQuery:
    """A mark in every graph for as long as an alert fires."""
    return (
        dashboard.AnnotationQuery()
        .name("Alerts")
        .datasource(PROMETHEUS)
        .enable(True)
        .icon_color(RED)
        .expr('ALERTS{alertstate="firing", heartbeat=""}')
    )


def _users() -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable("user")
        .label("Person")
        .description("Of whom the panels tell; All includes who has no name here: (others).")
        .datasource(PROMETHEUS)
        .query("label_values(torrentproxy_user_disk_quota_bytes, user)")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(EVERYBODY)
    )
