"""Prometheus, Alertmanager and the exporters, set up as deploy/prometheus says; Grafana where there is one."""

from collections.abc import Mapping
from pathlib import Path

from deploy.converge import places
from deploy.converge.answers import Answers
from deploy.converge.commands import InstallError
from deploy.converge.files import Directory, File, Missing, gid_of
from deploy.converge.run import Resource
from deploy.converge.systemd import Enabled, Running
from deploy.prometheus import render

PROMETHEUS = Path("/etc/prometheus")
# What each service reads when it starts, beside its flags in /etc/default.
READ_BY = {
    "prometheus": ("prometheus.yml", "rules", "targets"),
    "prometheus-alertmanager": ("alertmanager.yml",),
    "prometheus-node-exporter": (),
    "prometheus-postgres-exporter": ("postgres-queries.yml",),
    "prometheus-blackbox-exporter": ("blackbox.yml",),
}


def variables(answers: Answers, box: Mapping[str, str]) -> dict[str, str]:
    """What deploy/prometheus/render.py reads; ALERT_… are settings of box.env."""
    return {
        "SITE_ADDRESS": answers.domain,
        "SITE_CERTIFICATE": "own" if answers.internal_tls else "public",
        "DATABASE_NAME": places.DATABASE,
        **{name: value for name, value in box.items() if name.startswith("ALERT_")},
    }


def written(answers: Answers, box: Mapping[str, str]) -> list[Resource]:
    """Before the packages are installed: what they start by themselves then listens on the loopback only."""
    group = render.GROUP if gid_of(render.GROUP) is not None else "root"
    try:
        wanted = {Path("/") / name: text for name, text in render.files(variables(answers, box))}
    except render.WrongVariable as error:
        raise InstallError(f"{error} Mend it in {places.BOX_ENV}, then run this again.") from error
    gone = [path for path in sorted((PROMETHEUS / "rules").glob("*.yml")) if path not in wanted]
    return [
        *(Directory(PROMETHEUS / name, mode=0o755) for name in ("rules", "targets")),
        *(File(path, "root", group, 0o640, content=text) for path, text in wanted.items()),
        *(Missing(path) for path in gone),
    ]


def running() -> list[Resource]:
    found: list[Resource] = []
    for name, reads in READ_BY.items():
        needs = [Path("/etc/default") / name]
        for path in (PROMETHEUS / one for one in reads):
            needs += [path, *sorted(path.glob("*.yml"))] if path.is_dir() else [path]
        found += [Enabled(f"{name}.service"), Running(f"{name}.service", needs=needs)]
    return found
