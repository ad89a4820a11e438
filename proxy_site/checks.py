"""What must not reach production, what PostgreSQL must be, and what looks like a mistake. Errors here stop every
process at start; a warning is shown by each."""

import socket
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

OLDEST_POSTGRESQL = 15


@register(Tags.security)
def production_is_safe(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Every way in which a production server is open to strangers, listed at once."""
    if not settings.PRODUCTION:
        return []
    rules = [
        (
            not settings.SECRET_KEY_IS_SET,
            "SECRET_KEY is not set.",
            "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'",
            "E001",
        ),
        (
            settings.SECRET_KEY_IS_SET and len(settings.SECRET_KEY) < 40,
            "SECRET_KEY is shorter than 40 characters.",
            "Sessions are signed with it: make a long random one.",
            "E002",
        ),
        (settings.DEBUG, "DEBUG is on.", "It shows settings and code to strangers: remove it.", "E003"),
        (
            any("*" in host for host in settings.ALLOWED_HOSTS) or not settings.ALLOWED_HOSTS,
            "ALLOWED_HOSTS has a wildcard or is empty.",
            "Name the host people connect to, for example ALLOWED_HOSTS=torrents.example.org",
            "E004",
        ),
        (
            settings.OUTBOUND_ALLOW_PRIVATE,
            "OUTBOUND_ALLOW_PRIVATE is on.",
            "People could read this machine's own services through it: remove it.",
            "E005",
        ),
        (
            bool(settings.TORRENT_LOOPBACK_PEERS),
            "TORRENT_LOOPBACK_PEERS is set.",
            "It opens the loopback network to torrents and is for the demo only: remove it.",
            "E006",
        ),
        (
            settings.ENGINE == "fake",
            "ENGINE is fake.",
            "Nothing would be downloaded: set ENGINE=qbittorrent",
            "E007",
        ),
        (
            not settings.BEHIND_HTTPS_PROXY,
            "BEHIND_HTTPS_PROXY is off.",
            "Passwords must travel encrypted: put Caddy in front and set BEHIND_HTTPS_PROXY=true",
            "E008",
        ),
        (
            not settings.DATABASE_IS_NAMED,
            "DATABASE_URL is not set.",
            f"A server needs a PostgreSQL ({OLDEST_POSTGRESQL} or newer) of its own, for example "
            "DATABASE_URL=postgresql://proxy:PASSWORD@127.0.0.1/proxy",
            "E009",
        ),
    ]
    return [
        Error(text, hint=hint, id=f"proxy_site.{number}") for broken, text, hint, number in rules if broken
    ]


@register()
def backups_are_set_up(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A production server without a key is warned only: it works, and somebody may save it otherwise."""
    problems: list[CheckMessage] = []
    if settings.PRODUCTION and not settings.BACKUP_KEY:
        problems.append(
            Warning(
                "BACKUP_KEY is not set: there are no backups.",
                hint="docs/backups.md says how to make a key, and where to keep a copy of it.",
                id="proxy_site.W002",
            )
        )
    needed = ("BACKUP_ENDPOINT", "BACKUP_REGION", "BACKUP_ACCESS_KEY", "BACKUP_SECRET_KEY")
    if settings.BACKUP_BUCKET and (missing := [name for name in needed if not getattr(settings, name)]):
        problems.append(
            Error(
                f"BACKUP_BUCKET is set without {', '.join(missing)}.",
                hint=".env.example says what each is.",
                id="proxy_site.E011",
            )
        )
    return problems


@register()
def the_interface_exists(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A warning only: a VPN may come up later. Until then qBittorrent waits and reaches nobody."""
    names = sorted(name for _, name in socket.if_nameindex())
    ours = settings.ENGINE == "qbittorrent" and settings.QBITTORRENT_MANAGED
    if not ours or not settings.TORRENT_INTERFACE or settings.TORRENT_INTERFACE in names:
        return []
    return [
        Warning(
            f"TORRENT_INTERFACE: there is no network interface {settings.TORRENT_INTERFACE} now.",
            hint=f"Nothing is downloaded while it is missing. This machine has: {', '.join(names)}.",
            id="proxy_site.W001",
        )
    ]


@register(Tags.database)
def postgresql_is_new_enough(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Runs before `migrate` and wherever a database is named."""
    problems: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        connection.ensure_connection()
        version = connection.connection.info.server_version // 10000
        if version < OLDEST_POSTGRESQL:
            problems.append(
                Error(
                    f"PostgreSQL {version} is too old.",
                    hint=f"DATABASE_URL must name a server of version {OLDEST_POSTGRESQL} or newer.",
                    id="proxy_site.E010",
                )
            )
    return problems
