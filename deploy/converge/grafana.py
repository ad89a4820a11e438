"""Grafana, where apt knows it: nothing else depends on it."""

import hashlib
import urllib.request
from pathlib import Path

from deploy.converge import packages, places
from deploy.converge.answers import Answers
from deploy.converge.commands import InstallError
from deploy.converge.files import File
from deploy.converge.run import Run
from deploy.converge.systemd import Enabled, Running

SETTINGS = places.ETC / "grafana.env"
KEYRING = Path("/etc/apt/keyrings/grafana.asc")
SOURCE = Path("/etc/apt/sources.list.d/grafana.sources")
UNIT = "grafana-server.service"


def grafana(session: Run, answers: Answers, deploy: Path) -> None:
    """Its settings and dashboards are read from the release; the drop-in of its unit says where."""
    if answers.grafana_repository:
        repository(session, answers)
    if not packages.installed("grafana") and not packages.known("grafana"):
        session.notice(
            "Grafana is left out: apt knows no package of that name (--grafana-repository names a place)."
        )
        return
    session.ensure(
        packages.AptPackages(["grafana"]),
        File(SETTINGS, content=settings(answers.domain, deploy / "grafana")),
    )
    session.ensure(Enabled(UNIT), Running(UNIT, needs=(SETTINGS,)))


def settings(domain: str, source: Path) -> str:
    """It finds new dashboards by itself; for all else it is started again when the mark changes."""
    files = [
        path
        for path in sorted(source.rglob("*"))
        if path.is_file() and path.relative_to(source).parts[0] != "dashboards"
    ]
    mark = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    return f"# Written by deploy/install.sh, for Grafana's settings of mark {mark}.\nGF_SERVER_ROOT_URL=https://{domain}/grafana/\n"


def repository(session: Run, answers: Answers) -> None:
    source = f"Types: deb\nURIs: {answers.grafana_repository}\nSuites: stable\nComponents: main\nSigned-By: {KEYRING}\n"
    key = KEYRING.read_text() if KEYRING.exists() else fetched(answers.grafana_key)
    changed = session.ensure(File(KEYRING, content=key), File(SOURCE, content=source))
    if changed and not session.dry:
        packages.update_lists()


def fetched(place: str) -> str:
    """The key that signs the repository: a file, or an address."""
    try:
        if place.startswith("https://"):
            with urllib.request.urlopen(place, timeout=60) as answer:  # noqa: S310
                return bytes(answer.read()).decode()
        return Path(place).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InstallError(
            f"The key of Grafana's repository cannot be had: {error}. --grafana-key takes its address (https://) or "
            "its file, armoured."
        ) from error
