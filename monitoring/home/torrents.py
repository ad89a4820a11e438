"""The engine, what is in it, and what waits."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.text import capfirst

from monitoring.home.figures import Figure, Link, Section, ago, number, speed
from monitoring.metrics.catalogue import Samples
from torrents.models import Claim, LiveState


def sections(samples: Samples, now: datetime) -> Iterator[Section]:
    yield _engine(samples)
    yield _torrents(samples)
    yield _waiting(samples)


def _engine(samples: Samples) -> Section:
    figures = []
    for (engine, version, connection), _ in samples.of("engine_info").items():
        up = bool(samples.value("engine_up", engine))
        figures += [
            Figure("Answers", "yes" if up else "no", version, wrong=not up),
            Figure(
                "Reaches peers", connection or "not known", wrong=connection in ("disconnected", "firewalled")
            ),
            Figure("Reconciler looked", ago(samples.value("reconciler_last_look_age_seconds", engine))),
        ]
    figures += [
        Figure("Receives", speed(samples.value("download_bytes_per_second"))),
        Figure("Sends to peers", speed(samples.value("upload_bytes_per_second"))),
        Figure(
            "Connected to",
            f"{number(samples.value('connected_seeds'))} seeds",
            f"{number(samples.value('connected_peers'))} other peers",
        ),
    ]
    for title, metric in (
        ("Nodes of the DHT", "engine_dht_nodes"),
        ("Disk jobs that wait", "engine_queued_io_jobs"),
    ):
        figures += [Figure(title, number(value)) for value in samples.of(metric).values()]
    return Section("Engine", figures, [Link("Engines", reverse("admin:torrents_engine_changelist"))])


def _torrents(samples: Samples) -> Section:
    page = reverse("admin:torrents_torrent_changelist")
    figures = [
        Figure(
            LiveState.State(state).label,
            number(count),
            wrong=state == LiveState.State.ERROR,
            url=f"{page}?live__state__exact={state}",
        )
        for (state,), count in samples.of("torrents").items()
        if count
    ]
    for name, metric, model in (
        ("Refused by the engine", "torrents_refused", "torrent"),
        ("Being deleted", "removals_pending", "removal"),
        ("In the engine, but nobody's", "foreign_torrents", "foreigntorrent"),
    ):
        if count := samples.value(metric):
            figures.append(Figure(name, number(count), url=reverse(f"admin:torrents_{model}_changelist")))
    links = [Link("Torrents", page), Link("Blocked", reverse("admin:torrents_blockedinfohash_changelist"))]
    return Section("Torrents", figures, links, none="There is no torrent yet.")


def _waiting(samples: Samples) -> Section:
    figures = [
        Figure(capfirst(Claim.WaitsFor(reason).label), number(count))
        for (reason,), count in samples.of("claims_waiting").items()
        if count
    ]
    return Section("Waiting for", figures, none="Nothing waits for room.")
