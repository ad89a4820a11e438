"""What an archive says of itself, whoever wrote it."""

import json
from datetime import UTC, datetime

import pytest

from proxy_site.backups.errors import BackupError
from proxy_site.backups.manifest import Contents, Manifest, parse

MOMENT = datetime(2026, 11, 23, tzinfo=UTC)
MANIFEST = Manifest(
    made_at=MOMENT,
    release="1",
    host="box",
    postgresql_major=15,
    database_bytes=1,
    dump_bytes=1,
    contents=Contents({"public.auth_group": 3}, ("auth.0001_initial",), MOMENT),
    secret_key_mark="0123",
)


def test_a_manifest_is_read_back_as_it_was_written() -> None:
    assert parse(MANIFEST.to_json()) == MANIFEST


@pytest.mark.parametrize(
    "wrong",
    [
        {"dump_bytes": "1"},
        {"dump_bytes": -(10**15)},
        {"database_bytes": True},
        {"postgresql_major": None},
        {"made_at": "2026-11-23T00:00:00"},
        {"host": "box\x1b[2J"},
        {"release": ["1"]},
        {"left_out": [1]},
        {"contents": {"tables": {"public.auth_group": "3"}, "migrations": [], "newest_row_at": None}},
        {"contents": {"tables": {}, "migrations": [1], "newest_row_at": None}},
        {"contents": {"tables": {}, "migrations": [], "newest_row_at": "2026-11-23T00:00:00"}},
        {"more": 1},
    ],
    ids=str,
)
def test_what_is_not_as_declared_is_refused_in_words(wrong: dict[str, object]) -> None:
    with pytest.raises(BackupError, match="manifest cannot be read"):
        parse(json.dumps({**json.loads(MANIFEST.to_json()), **wrong}).encode())


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"1", b"\xff", b"[" * 100_000, b'{"format": ' + b"1" * 5000 + b"}"]
)
def test_what_is_no_manifest_is_refused_in_words(text: bytes) -> None:
    with pytest.raises(BackupError):
        parse(text)
