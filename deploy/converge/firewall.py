"""Who reaches what: the ports that the box offers, and what qBittorrent may not reach."""

from collections.abc import Sequence
from pathlib import Path

from deploy.converge.run import Resource


def packages() -> Sequence[str]:
    return ()


def firewall(deploy: Path) -> list[Resource]:
    return []
