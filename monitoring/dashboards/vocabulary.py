"""What panels are made of, said in one place: kinds of panels, units, colours, words, and what they ask Prometheus.

Figures of our rows are the same from every web process that is scraped, so expressions take their `max`. What a process
counts by itself is added up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    table,
    text,
    timeseries,
)
from grafana_foundation_sdk.models import common as shared
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DashboardRangeMapOptions,
    DashboardSpecialValueMapOptions,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    RangeMap,
    SpecialValueMap,
    SpecialValueMatch,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

RUNBOOK = "runbook"  # the uid of its dashboard
PROMETHEUS = DataSourceRef(type_val="prometheus", uid="prometheus")
GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "#7f7f7f"

# Files and quotas are told in GiB as everywhere in the app; what the free tier allows, in Oracle's decimal units.
BYTES, TRAFFIC, SPEED = units.BytesIEC, units.BytesSI, units.BytesPerSecondIEC
COUNT, SHARE, SECONDS = units.Short, units.PercentUnit, units.Seconds
A_SECOND, REQUESTS, MOMENT = units.OpsPerSecond, units.RequestsPerSecond, units.DateTimeFromNow
PLAIN = units.NoUnit

P = TypeVar("P", bargauge.Panel, stat.Panel, table.Panel, timeseries.Panel)
Panel = bargauge.Panel | stat.Panel | table.Panel | text.Panel | timeseries.Panel
# Ascending: up to and with this value (None: and above), this word in this colour.
Words = Sequence[tuple[float | None, str, str]]

# What several dashboards say of the same figures.
THERE: Words = [(0, "Away", RED), (None, "Answers", GREEN)]
LOOKED: Words = [(30, "Works", GREEN), (60, "Slow", YELLOW), (None, "Stopped", RED)]  # seconds ago
IDLE: Words = [(0, "In use", GREEN), (None, "At risk", ORANGE)]


@dataclass(frozen=True)
class Query:
    """`legend` with {{label}}s; in a table, the title of the column."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Column(Query):
    unit: str = COUNT
    colours: tuple[Threshold, ...] = ()


@dataclass(frozen=True)
class Label:
    """A column of a table that tells a label; `words` shows some of its values otherwise: value, word, colour.

    A click leads to the dashboard of the uid `see`.
    """

    name: str
    title: str
    words: tuple[tuple[str, str, str], ...] = ()
    see: str = ""


@dataclass(frozen=True)
class About:
    """What stands above and behind a panel. `description` is for a person who wonders what to make of it; `see` is the
    uid of the dashboard that tells more."""

    title: str
    description: str
    see: str = ""


def colours(lowest: str, *steps: tuple[float, str]) -> tuple[Threshold, ...]:
    """From each value on, its colour."""
    return (Threshold(None, lowest), *(Threshold(value, colour) for value, colour in steps))


COLOURED_TEXT = DynamicConfigValue("custom.cellOptions", {"type": "color-text"})
PLAIN_COLOURS = colours(BLUE)
NONE_IS_WELL = colours(GREEN, (1, ORANGE))
NEAR_LIMIT = colours(GREEN, (0.8, YELLOW), (0.95, RED))


def light(about: About, expr: str, words: Words, *, width: int = 4, height: int = 3) -> Panel:
    """A word on its colour. What cannot be known stands there as that."""
    panel = _with(stat.Panel(), about, PLAIN, width, height, [Query(expr)], instant=True)
    more = [link("More about this", about.see)] if about.see else []
    panel.links([*more, link("What to do", RUNBOOK)])
    return (
        panel.mappings(_mapped(words))
        .thresholds(_thresholds(colours(GREY)))
        .no_value("Unknown")
        .color_mode(shared.BigValueColorMode.BACKGROUND)
        .graph_mode(shared.BigValueGraphMode.NONE)
        .text_mode(shared.BigValueTextMode.VALUE)
    )


def number(
    about: About,
    unit: str,
    *queries: Query,
    levels: Sequence[Threshold] = PLAIN_COLOURS,
    width: int = 4,
    height: int = 4,
    named: bool = False,
    graph: bool = False,
) -> Panel:
    """One figure, or some side by side; `named` shows their legend alone, as what labels tell; `graph` its past."""
    panel = _with(stat.Panel(), about, unit, width, height, queries, instant=not graph)
    return (
        panel.thresholds(_thresholds(levels))
        .no_value("–")
        .text_mode(shared.BigValueTextMode.NAME if named else shared.BigValueTextMode.AUTO)
        .graph_mode(shared.BigValueGraphMode.AREA if graph else shared.BigValueGraphMode.NONE)
    )


def bars(
    about: About,
    unit: str,
    *queries: Query,
    levels: Sequence[Threshold] = PLAIN_COLOURS,
    largest: float | None = None,
    width: int = 8,
    height: int = 7,
) -> Panel:
    """One bar for each series."""
    panel = _with(bargauge.Panel(), about, unit, width, height, queries, instant=True).min(0)
    if largest is not None:
        panel.max(largest)
    return (
        panel.thresholds(_thresholds(levels))
        .no_value("–")
        .orientation(shared.VizOrientation.HORIZONTAL)
        .display_mode(shared.BarGaugeDisplayMode.BASIC)
    )


def lines(
    about: About,
    unit: str,
    *queries: Query,
    levels: Sequence[Threshold] = (),
    stacked: bool = False,
    width: int = 12,
    height: int = 8,
) -> Panel:
    """The past; `levels` are drawn as dashed lines."""
    panel = _with(timeseries.Panel(), about, unit, width, height, queries, instant=False)
    (
        panel.min(0)
        .no_value("–")
        .line_width(1)
        .fill_opacity(40 if stacked else 10)
        .show_points(shared.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .display_mode(shared.LegendDisplayMode.LIST)
            .placement(shared.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull"])
        )
        .tooltip(
            common.VizTooltipOptions().mode(shared.TooltipDisplayMode.MULTI).sort(shared.SortOrder.DESCENDING)
        )
    )
    if levels:
        panel.thresholds(_thresholds(levels)).thresholds_style(
            common.GraphThresholdsStyleConfig().mode(shared.GraphThresholdsStyleMode.DASHED)
        )
    if stacked:
        panel.stacking(common.StackingConfig().mode(shared.StackingMode.NORMAL))
    return panel


def rows(
    about: About,
    labels: Sequence[Label],
    *columns: Column,
    sort_by: str,
    width: int = 12,
    height: int = 8,
) -> Panel:
    """One row for each value of the labels, which are all that the series have. Several columns share one label.

    The largest of the column that is titled `sort_by` stand at the top.
    """
    panel = _with(table.Panel(), about, columns[0].unit, width, height, columns, instant=True)
    values = [f"Value #{ref}" if len(columns) > 1 else "Value" for ref in _refs(len(columns))]
    titles = {label.name: label.title for label in labels}
    titles |= zip(values, (column.legend for column in columns), strict=True)
    if len(columns) > 1:
        (label,) = labels
        panel.with_transformation(
            DataTransformerConfig("joinByField", options={"byField": label.name, "mode": "outer"})
        )
    panel.with_transformation(
        DataTransformerConfig("filterFieldsByName", options={"include": {"names": list(titles)}})
    ).with_transformation(
        DataTransformerConfig(
            "organize",
            options={"indexByName": {name: n for n, name in enumerate(titles)}, "renameByName": titles},
        )
    )
    for told in labels:
        properties = []
        if told.words:
            shown = {value: ValueMappingResult(text=word, color=colour) for value, word, colour in told.words}
            properties += [DynamicConfigValue("mappings", [ValueMap(shown)]), COLOURED_TEXT]
        if told.see:
            properties.append(DynamicConfigValue("links", [link("What to do", told.see).build()]))
        if properties:
            panel.override_by_name(told.title, properties)
    for column in columns:
        properties = [DynamicConfigValue("unit", column.unit)]
        if column.colours:
            properties += [
                DynamicConfigValue("thresholds", {"mode": "absolute", "steps": list(column.colours)}),
                COLOURED_TEXT,
            ]
        panel.override_by_name(column.legend, properties)
    return panel.no_value("–").sort_by([common.TableSortByFieldState().display_name(sort_by).desc(True)])


def link(title: str, uid: str) -> dashboard.DashboardLink:
    """To another of our dashboards; Grafana puts its own sub path before it."""
    return dashboard.DashboardLink(title).type(DashboardLinkType.LINK).url(f"/d/{uid}").keep_time(True)


def _with(
    panel: P, about: About, unit: str, width: int, height: int, queries: Sequence[Query], *, instant: bool
) -> P:
    panel.title(about.title).description(about.description).unit(unit).datasource(PROMETHEUS)
    panel.span(width).height(height)
    for ref, query in zip(_refs(len(queries)), queries, strict=True):
        asked = prometheus.Dataquery().expr(query.expr).ref_id(ref).datasource(PROMETHEUS)
        if isinstance(query, Column):
            asked.format(PromQueryFormat.TABLE)
        elif query.legend:
            asked.legend_format(query.legend)
        panel.with_target(asked.instant() if instant else asked.range())
    if about.see:
        panel.links([link("More about this", about.see)])
    return panel


def _refs(count: int) -> list[str]:
    assert count <= 26
    return [chr(ord("A") + number) for number in range(count)]


def _thresholds(steps: Sequence[Threshold]) -> dashboard.ThresholdsConfig:
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(list(steps))


def _mapped(words: Words) -> list[ValueMapping]:
    """The first range that has a value counts, so each begins where the one before ends."""
    ranges: list[ValueMapping] = [
        RangeMap(
            DashboardRangeMapOptions(None, upper, ValueMappingResult(text=word, color=colour, index=place))
        )
        for place, (upper, word, colour) in enumerate(words)
    ]
    unknown = ValueMappingResult(text="Unknown", color=GREY, index=len(ranges))
    nothing = DashboardSpecialValueMapOptions(SpecialValueMatch.NULL_AND_NAN, unknown)
    return [*ranges, SpecialValueMap(nothing)]
