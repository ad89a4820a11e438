"""Queries whose SQL Django writes once.

With joins, Django takes longer to write a query than PostgreSQL to answer it. What everybody asks once a second is
written once in a process; from then on values are put into it and rows become the same objects as ever.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet
from django.db.models.base import ModelState
from django.db.models.expressions import RawSQL

M = TypeVar("M", bound=Model)
Row = tuple[Any, ...]
Statement = tuple[str, list[Any]]


def hidden(number: int) -> RawSQL:
    """A number that PostgreSQL's planner does not see, so that one plan serves everybody and is made once a connection.

    Where it sees that somebody has few rows, or that little changed, a plan for that looks so much cheaper than one for
    all that it is made anew each time they ask, which takes several times as long as answering.
    """
    return RawSQL("SELECT %s::bigint", [number])


def rows_together(*statements: Statement) -> list[list[Row]]:
    """The rows of several statements, by one round trip to the database. Each is answered as of its own moment, in
    their order, unless all are in a transaction that says otherwise."""
    rows: list[list[Row]] = connection.fetch_together(statements)  # type: ignore[attr-defined]  # of our backend
    return rows


class CompiledQuery(Generic[M]):
    """What `build(*values)` would fetch, for values that take the places of `stand_ins`.

    Stand-ins are values of the right types that occur nowhere else in the query and that Django hands to the
    database as they are: no patterns of LIKE, no None. Related objects come by select_related only.
    """

    def __init__(self, build: Callable[..., QuerySet[M, M]], *stand_ins: object) -> None:
        self._build = build
        self._stand_ins = stand_ins

    def __call__(self, *values: Any) -> list[M]:
        return self.objects(self.rows(*values))

    def rows(self, *values: Any) -> list[Row]:
        """What `objects` makes objects of: each begins with its object's own columns, in the order of its fields."""
        rows: list[Row] = connection.fetch(*self.statement(*values))  # type: ignore[attr-defined]  # of our backend
        return rows

    def statement(self, *values: Any) -> Statement:
        """The SQL and its parameters, for `rows_together`."""
        sql, params, _ = self._compiled
        return sql, [param if place is None else values[place] for place, param in params]

    def objects(self, rows: list[Row]) -> list[M]:
        make = self._compiled[2]
        return make(rows)

    @cached_property
    def _compiled(self) -> tuple[str, list[tuple[int | None, Any]], Callable[[list[Row]], list[M]]]:
        """The SQL, its parameters with the places of those that are stand-ins, and what makes objects of rows."""
        compiler: Any = self._build(*self._stand_ins).query.get_compiler(DEFAULT_DB_ALIAS)
        sql, given = compiler.as_sql()
        params = [(self._place(param), param) for param in given]
        if {place for place, _ in params} - {None} != set(range(len(self._stand_ins))):
            raise ValueError(f"Not every stand-in is a parameter of the query: {given}")
        converters = compiler.get_converters([column for column, _, _ in compiler.select])
        make = _Maker(compiler.klass_info, compiler.select, compiler.annotation_col_map or {})

        def objects(rows: list[Row]) -> list[M]:
            return [
                make(row) for row in (compiler.apply_converters(rows, converters) if converters else rows)
            ]

        return sql, params, objects

    def _place(self, param: object) -> int | None:
        return self._stand_ins.index(param) if param in self._stand_ins else None


class _Maker:
    """Makes an object of a row, and those that are related to it.

    As Django's ModelIterable, with which to compare it when Django is upgraded, but without Model.__init__: its
    signals, which nobody here listens to, took a tenth of all the time of a web process.
    """

    def __init__(self, info: Any, select: Any, annotations: dict[str, int] | None = None) -> None:
        fields = info["select_fields"]
        self._model = info["model"]
        self._columns = slice(fields[0], fields[-1] + 1)
        self._names = [column.target.attname for column, _, _ in select[self._columns]]
        self._key = self._names.index(self._model._meta.pk.attname)
        self._annotations = annotations or {}
        self._related = [
            (_Maker(related, select), related["local_setter"], related["remote_setter"])
            for related in info.get("related_klass_infos", ())
        ]

    def __call__(self, row: Sequence[Any]) -> Any:
        """None where a row of an outer join has nothing."""
        values = row[self._columns]
        if values[self._key] is None:
            return None
        made = self._model.__new__(self._model)
        state = made._state = ModelState()
        state.adding, state.db = False, DEFAULT_DB_ALIAS
        made.__dict__.update(zip(self._names, values, strict=True))
        for make, set_here, set_there in self._related:
            other = make(row)
            set_here(made, other)
            if other is not None:
                set_there(other, made)
        for name, column in self._annotations.items():
            setattr(made, name, row[column])
        return made
