"""The box's units of systemd: written, read, enabled, and (re)started in an order that loses nothing."""

from pathlib import Path

from deploy.converge import places
from deploy.converge.files import File, Missing
from deploy.converge.run import Resource
from deploy.converge.systemd import Enabled, Reloaded, Running, Started, Stopped, Together

TARGET = "torrentproxy.target"
FIREWALL = "torrentproxy-firewall.service"  # qBittorrent does not start without what it loads
ENGINE = "torrentproxy-qbittorrent.service"
# What takes wishes stops first. qBittorrent is not among them: downloads go on.
CODE_UNITS = tuple(
    f"torrentproxy-{name}.service" for name in ("web", "sftp", "worker", "reconciler", "handover")
)
OTHERS = ("caddy.service", "grafana-server.service")  # which have drop-ins of ours
UNIT_KINDS = {".service", ".target", ".timer", ".socket", ".slice", ".path"}


def unit_files(deploy: Path) -> dict[Path, str]:
    """Where each file of deploy/systemd goes; drop-ins are in directories `NAME.d`."""
    source = deploy / "systemd"
    names = [path for path in sorted(source.rglob("*")) if path.is_file()]
    return {
        places.SYSTEMD / path.relative_to(source): path.read_text()
        for path in names
        if path.suffix in UNIT_KINDS or path.parent.name.endswith(".d")
    }


def own_units(deploy: Path) -> list[str]:
    return [path.name for path in unit_files(deploy) if path.parent == places.SYSTEMD]


def written(deploy: Path) -> list[Resource]:
    """The units of this release, and none of an earlier one."""
    wanted = unit_files(deploy)
    ours = [*places.SYSTEMD.glob("torrentproxy*"), *places.SYSTEMD.glob("torrentproxy*.d/*")]
    stale = [path for path in sorted(ours) if path.is_file() and path not in wanted]
    return [
        *(Stopped(path.name) for path in stale if path.parent == places.SYSTEMD),
        *(Missing(path) for path in stale),
        *(File(path, content=text) for path, text in wanted.items()),
    ]


def reloaded(deploy: Path) -> Resource:
    return Reloaded([*own_units(deploy), *OTHERS])


def running(deploy: Path) -> list[Resource]:
    """Everything of ours started from what is there now. Only qBittorrent does not care about a new release."""
    names = own_units(deploy)
    timers = [name for name in names if name.endswith(".timer")]
    code = [name for name in CODE_UNITS if name in names]
    engine = [Running(ENGINE, needs=(places.ENGINE_ENV,))] if ENGINE in names else []
    return [
        *(Enabled(name) for name in [TARGET, *timers] if name in names),
        *(Running(name, needs=(places.BOX_ENV, places.CURRENT)) for name in [FIREWALL] if name in names),
        *engine,
        Together([Running(name, needs=(places.BOX_ENV, places.CURRENT)) for name in code]),
        *(Running(name) for name in timers),
        Started(TARGET),
    ]


def stopped() -> list[Resource]:
    return [Stopped(name) for name in CODE_UNITS]
