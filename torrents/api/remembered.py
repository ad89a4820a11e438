"""A torrent as JSON, rendered once for as long as all that it is rendered from stays the same.

Each request reads the rows; only what is made of them is remembered, with the very row that it was made of. So there is
nothing to invalidate, in however many processes, and nobody is told what their own claim's row does not hold.
"""

from threading import Lock
from uuid import UUID

import orjson

from proxy_site.compiled_query import CompiledQuery, Row
from torrents.allowances import Allowances
from torrents.api.rendering import render_torrent
from torrents.models import Claim
from torrents.states import is_told_by_rows

MOST = 2000  # claims; some 4 kB each


class Remembered:
    """For queries that fetch the same columns."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._made: dict[UUID, tuple[Row, bytes]] = {}  # by claim, the one that was made first first
        self._writing = Lock()

    def __len__(self) -> int:
        return len(self._made)

    def rendered(self, query: CompiledQuery[Claim], rows: list[Row]) -> list[bytes]:
        """The JSON of each of the rows, which `query` has fetched."""
        allowances = Allowances()
        found = []
        for row in rows:
            made_of, made = self._made.get(row[0], (None, b""))
            found.append(made if made_of == row else self._render(query, row, allowances))
        return found

    def _render(self, query: CompiledQuery[Claim], row: Row, allowances: Allowances) -> bytes:
        (claim,) = query.objects([row])
        made = orjson.dumps(render_torrent(claim, allowances))
        if is_told_by_rows(claim):
            with self._writing:
                self._made.pop(claim.pk, None)
                self._made[claim.pk] = row, made
                while len(self._made) > self._most:
                    del self._made[next(iter(self._made))]
        return made
