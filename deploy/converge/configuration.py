"""The box's settings and secrets: /etc/oci-torrent-proxy, made once and afterwards the operator's."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.converge import environment_files, places
from deploy.converge.answers import Answers, as_toml
from deploy.converge.commands import run
from deploy.converge.files import File
from deploy.converge.run import Run

HEADING = """# Settings of the box: .env.example in {current} explains each. Change lines here and add others, then run
# deploy/install.sh again (or: systemctl restart torrentproxy.target). It keeps every line that you changed, added or
# took out.
"""
ENGINE_HEADING = """# What qBittorrent's own process is told: made from box.env by deploy/install.sh. Change it there.
# The secrets of the box are not in here, so that nobody who breaks into qBittorrent finds them.
"""
# Of box.env, what the process that starts qBittorrent has to know.
ENGINE_SETTINGS = (
    "DOWNLOADS_DIR", "QBITTORRENT_URL", "QBITTORRENT_USERNAME", "QBITTORRENT_PASSWORD", "QBITTORRENT_BINARY",
    "TORRENT_PORT", "TORRENT_INTERFACE", "TORRENT_DISCOVERY", "TORRENT_LOOPBACK_PEERS",
)  # fmt: skip
SECRETS = ("SECRET_KEY", "METRICS_TOKEN", "QBITTORRENT_PASSWORD", "BACKUP_KEY")


@dataclass
class Configuration:
    """What box.env says now, or would after a dry run."""

    variables: dict[str, str]

    @property
    def database_url(self) -> str:
        return self.variables.get("DATABASE_URL", "")


def wanted_settings(answers: Answers, made: Mapping[str, str]) -> dict[str, str]:
    """`made`: the secrets of this box. What the operator asked for by [box] counts most."""
    return {
        "ENVIRONMENT": "production",
        "DATA_DIR": str(places.DATA),
        "DOWNLOADS_DIR": str(places.DOWNLOADS),
        "BACKUP_DIR": str(places.BACKUPS),
        "DATABASE_URL": places.DATABASE_URL,
        # The loopback addresses are for Prometheus, which asks the web process directly.
        "ALLOWED_HOSTS": f"{answers.domain},127.0.0.1,localhost",
        "WEB_ADDRESS": f"127.0.0.1:{places.WEB_PORT}",
        "BEHIND_HTTPS_PROXY": "true",
        "HANDOVER_BY_CADDY": "true",
        "CADDY_LOG": "/var/log/caddy/box.log",
        "SFTP_ADDRESS": "0.0.0.0:8022",
        "SFTP_PUBLIC_HOST": answers.domain,
        "QBITTORRENT_URL": "http://127.0.0.1:8090",
        "TORRENT_PORT": "51413",
        **made,
        **answers.box,
    }


def new_secrets(known: Mapping[str, str]) -> dict[str, str]:
    """Every secret of the box: those that it has, and new ones for what is missing."""
    made = {name: known.get(name) or secrets.token_urlsafe(48) for name in SECRETS if name != "BACKUP_KEY"}
    return {**made, "BACKUP_KEY": known.get("BACKUP_KEY") or age_identity()}


def age_identity() -> str:
    """A new key of `age`, which encrypts backups."""
    shown = run(
        ["age-keygen"],
        secret=True,
        failure="age-keygen made no key. Install the package age, then run this again:",
    )
    return next(line for line in shown.stdout.splitlines() if line.startswith("AGE-SECRET-KEY-"))


def configure(session: Run, answers: Answers, restored: Mapping[str, str]) -> Configuration:
    """Write box.env, qbittorrent.env and the answers. `restored`: variables of a backup that this box goes on with."""
    heading = HEADING.format(current=places.CURRENT)
    existing = places.BOX_ENV.read_text() if places.BOX_ENV.exists() else ""
    if restored:  # as if the operator had written them: what differs from a new box's is theirs
        existing = heading + "".join(environment_files.line_of(*one) + "\n" for one in restored.items())
    there = environment_files.read_variables(existing)
    made = {name: there.get(name, "(made then)") for name in SECRETS} if session.dry else new_secrets(there)
    written = {} if restored else read_written()
    merged = environment_files.merge(existing, wanted_settings(answers, made), written, heading=heading)
    sets = [*merged.added, *merged.updated]
    for name in merged.kept:
        session.notice(f"{name} in {places.BOX_ENV} is the operator's own and stays as it is.")
    found = Configuration(environment_files.read_variables(merged.text))
    box = private(places.BOX_ENV, merged.text)
    box.about = f" ({', '.join(sets)})" if sets else ""
    # In this order: a value that is not remembered yet is recognised by the next run, because it is the wanted one.
    session.ensure(
        box,
        private(places.WRITTEN, json.dumps(merged.written, indent=1, sort_keys=True) + "\n"),
        private(places.ENGINE_ENV, engine_environment(found.variables)),
        private(places.ANSWERS, as_toml(answers)),
    )
    return found


def engine_environment(variables: Mapping[str, str]) -> str:
    """It is no `production` process: it serves nobody, and has no secrets to be refused for."""
    chosen = {
        "DATA_DIR": str(places.ENGINE_DATA),
        **{name: variables[name] for name in ENGINE_SETTINGS if name in variables},
    }
    return ENGINE_HEADING + "".join(environment_files.line_of(*one) + "\n" for one in chosen.items())


def private(path: Path, content: str) -> File:
    """A file of /etc/oci-torrent-proxy: the box reads it (backups hold it), nobody else."""
    return File(path, "root", places.BOX_USER, 0o640, content=content)


def read_written() -> dict[str, str]:
    try:
        found = json.loads(places.WRITTEN.read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(mark) for name, mark in found.items()} if isinstance(found, dict) else {}
