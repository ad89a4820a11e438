"""What an archive says of itself, before anything else in it is read."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from proxy_site.backups.errors import BackupError

FORMAT = 1  # of archives; what a release does not know it refuses


@dataclass(frozen=True)
class Contents:
    """What a database held at one moment: an archive's, or one that was restored from it."""

    tables: Mapping[str, int]  # schema.table: rows, counted
    migrations: tuple[str, ...]  # app.name, sorted
    newest_row_at: datetime | None  # when the worker last noted something, or a migration was applied


@dataclass(frozen=True)
class Manifest:
    made_at: datetime
    release: str
    host: str
    postgresql_major: (
        int  # of the server, and of the pg_dump that was used: an older pg_restore cannot read it
    )
    database_bytes: int  # as the server held it, indexes included
    dump_bytes: int
    contents: Contents
    secret_key_mark: str  # tells whether two SECRET_KEYs are the same, and nothing more
    left_out: tuple[str, ...] = ()  # of the configuration: what the user that made it may not read
    format: int = field(default=FORMAT)

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), default=datetime.isoformat, indent=1).encode() + b"\n"


def parse(text: bytes) -> Manifest:
    """Raises BackupError for what this release cannot read."""
    try:
        told = json.loads(text)
        if told["format"] != FORMAT:
            raise BackupError(
                f"The archive has format {told['format']}, which this release does not know. Restore it with the "
                f"release that made it ({told.get('release', 'not known')}) or a newer one."
            )
        manifest = Manifest(
            **{
                **told,
                "made_at": datetime.fromisoformat(told["made_at"]),
                "contents": _contents(told["contents"]),
                "left_out": tuple(told["left_out"]),
            }
        )
        _require_kinds(manifest)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BackupError(
            f"The archive's manifest cannot be read ({error!r}). Use another archive."
        ) from error
    return manifest


def _require_kinds(manifest: Manifest) -> None:
    """Raises ValueError for what is not what it is declared as: whoever has the key can write anything."""
    contents = manifest.contents
    numbers = (
        *(manifest.postgresql_major, manifest.database_bytes, manifest.dump_bytes),
        *contents.tables.values(),
    )
    shown = (manifest.release, manifest.host)  # in a terminal, to whoever is asked
    texts = (
        *(*shown, manifest.secret_key_mark),
        *(*contents.tables, *contents.migrations, *manifest.left_out),
    )
    if wrong := [value for value in numbers if type(value) is not int or value < 0]:
        raise ValueError(f"{wrong[0]!r} is no number of anything")
    if not all(isinstance(value, str) for value in texts) or not all(value.isprintable() for value in shown):
        raise ValueError("a name is none")
    moments = (manifest.made_at, contents.newest_row_at or manifest.made_at)
    if any(moment.tzinfo is None for moment in moments):
        raise ValueError("a moment has no time zone")


def _contents(told: Mapping[str, Any]) -> Contents:
    newest = told["newest_row_at"]
    return Contents(
        tables=dict(told["tables"]),
        migrations=tuple(told["migrations"]),
        newest_row_at=None if newest is None else datetime.fromisoformat(newest),
    )
