"""One file for whoever helps: how the box is, with what opens anything taken out."""

import io
import json
import os
import re
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from accounts import audit
from accounts.models import User
from monitoring.support.parts import LEFT_OUT, SECRET_NAME, parts, setting_names
from monitoring.support.redaction import Redactor

PASSWORD_IN_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^\s:/@]*:(\S+)@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bundle:
    """`unread` has why parts are missing; `removed` how often what was taken out."""

    path: Path
    size: int
    files: list[str]
    unread: dict[str, str]
    removed: dict[str, int]


def make_bundle(
    path: Path, *, hours: int = 24, logs: Sequence[Path] = (), user_names: bool = False
) -> Bundle:
    """A .tar.gz at `path` that only its owner may read. Raises FileExistsError or another OSError."""
    redactor = Redactor(secrets=known_secrets(), people={} if user_names else _aliases())
    unread: dict[str, str] = {}
    written: dict[str, str] = {}
    for name, part in parts(hours=hours, logs=logs):
        try:
            written[name] = _as_text(redactor, part())
        except (
            Exception
        ) as error:  # a part that cannot be read is itself worth knowing; the others still help
            unread[name] = redactor.text(f"{type(error).__name__}: {error}")
    contents = {"README.txt": _readme(written, unread, redactor, user_names), **written}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
            for name, text in contents.items():
                _add(archive, f"{path.name.removesuffix('.tar.gz')}/{name}", text)
    except OSError:  # the disk is full: half a bundle would only be in the way
        path.unlink()
        raise
    detail = path.name.encode(errors="replace").decode()
    with suppress(DatabaseError, InterfaceError):  # it is made just when the database is away, too
        audit.record(audit.Action.SUPPORT_BUNDLE, user=None, by=audit.COMMAND_LINE, detail=detail)
    return Bundle(path, path.stat().st_size, list(contents), unread, dict(sorted(redactor.removed.items())))


def known_secrets() -> Iterator[str]:
    """Every value of ours that opens something, wherever it comes from."""
    yield settings.DATABASES["default"]["PASSWORD"]
    held = [getattr(settings, name, None) for name in setting_names() if SECRET_NAME.search(name)]
    held += [value for name, value in os.environ.items() if SECRET_NAME.search(name)]
    held += [match[1] for value in os.environ.values() if (match := PASSWORD_IN_ADDRESS.match(value))]
    for value in held:
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))
    for file in sorted((settings.DATA_DIR / "secrets").glob("*")):
        with suppress(OSError):  # who may not read it has not got it in anything they collect either
            yield file.read_text(errors="replace")


def _aliases() -> dict[str, str]:
    try:
        people = User.objects.listed().values_list("pk", "username")
        return {name: f"user-{number}" for number, name in people}
    except (DatabaseError, InterfaceError):
        return {}


def _as_text(redactor: Redactor, content: Any) -> str:
    if isinstance(content, str):
        return redactor.text(content)
    return json.dumps(redactor.value(content), indent=1) + "\n"


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    data = text.encode(errors="replace")
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(data), 0o600, int(timezone.now().timestamp())
    archive.addfile(entry, io.BytesIO(data))


def _readme(written: dict[str, str], unread: dict[str, str], redactor: Redactor, user_names: bool) -> str:
    removed = [f"  {kind}: {count}" for kind, count in sorted(redactor.removed.items())]
    kept = "User names are in it." if user_names else "Users are called by the numbers of their accounts."
    return "\n".join(
        [
            f"Support bundle of an OCI Torrent Proxy, made {timezone.now():%Y-%m-%d %H:%M} UTC.",
            "",
            "In it:",
            *(f"  {name} ({len(text)} characters)" for name, text in written.items()),
            "",
            "Could not be read:",
            *(f"  {name}: {why}" for name, why in unread.items()),
            "",
            "Taken out, and how often:",
            *removed,
            "",
            f"Not collected: {LEFT_OUT}",
            f"{kept} Host names are in it: your own, and those of feeds that failed.",
            "Look through it before you hand it to somebody.",
            "",
        ]
    )
