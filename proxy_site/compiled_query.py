"""Queries whose SQL Django writes once.

With joins, Django takes longer to write a query than PostgreSQL to answer it. What everybody asks once a second is
written once in a process; from then on values are put into it and rows become the same objects as ever.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=Model)


class CompiledQuery(Generic[M]):
    """What `build(*values)` would fetch, for values that take the places of `stand_ins`.

    Stand-ins are values of the right types that occur nowhere else in the query and that Django hands to the
    database as they are: no patterns of LIKE, no None. Related objects come by select_related only.
    """

    def __init__(self, build: Callable[..., QuerySet[M, M]], *stand_ins: object) -> None:
        self._build = build
        self._stand_ins = stand_ins

    def __call__(self, *values: Any) -> list[M]:
        sql, params, objects = self._compiled
        with connection.cursor() as cursor:
            cursor.execute(sql, [param if place is None else values[place] for place, param in params])
            rows = cursor.fetchall()
        return objects(rows)

    @cached_property
    def _compiled(
        self,
    ) -> tuple[str, list[tuple[int | None, Any]], Callable[[list[Sequence[Any]]], list[M]]]:
        """The SQL, its parameters with the places of those that are stand-ins, and what makes objects of rows."""
        compiler = self._build(*self._stand_ins).query.get_compiler(DEFAULT_DB_ALIAS)
        sql, given = compiler.as_sql()
        params = [(self._place(param), param) for param in given]
        if {place for place, _ in params} - {None} != set(range(len(self._stand_ins))):
            raise ValueError(f"Not every stand-in is a parameter of the query: {given}")
        return sql, params, self._maker(compiler)

    def _place(self, param: object) -> int | None:
        return self._stand_ins.index(param) if param in self._stand_ins else None

    @staticmethod
    def _maker(compiler: Any) -> Callable[[list[Sequence[Any]]], list[M]]:
        """As Django's own ModelIterable: compare with it when Django is upgraded."""
        info, select = compiler.klass_info, compiler.select
        annotations = compiler.annotation_col_map or {}
        converters = compiler.get_converters([column for column, _, _ in select])
        start, end = info["select_fields"][0], info["select_fields"][-1] + 1
        names = [column.target.attname for column, _, _ in select[start:end]]
        related = get_related_populators(info, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]  # stubs of 6.1

        def objects(rows: list[Sequence[Any]]) -> list[M]:
            found = []
            for row in compiler.apply_converters(rows, converters) if converters else rows:
                made = info["model"].from_db(DEFAULT_DB_ALIAS, names, row[start:end])
                for populator in related:
                    populator.populate(row, made)
                for name, column in annotations.items():
                    setattr(made, name, row[column])
                found.append(made)
            return found

        return objects
