"""Small statements that every page asks: compiled once, and asked of the driver itself.

What SQLAlchemy does around a statement takes longer than a small one takes itself.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.ext.compiler import compiles


class Among(sa.ColumnElement[bool]):
    """Whether ``column`` is one of the whole numbers that are the parameter ``name``."""

    inherit_cache = False
    type = sa.Boolean()

    def __init__(self, column: sa.Column[Any], name: str):
        self.column, self.numbers = column, sa.bindparam(name, type_=sa.Text())

    def self_group(self, against: Any = None) -> Among:
        # SQLAlchemy would write "... = 1" around it, behind which SQLite looks through the whole table.
        return self


@compiles(Among, "sqlite")
def _among_in_sqlite(element: Among, compiler: Any, **options: Any) -> str:
    column, numbers = (compiler.process(part, **options) for part in (element.column, element.numbers))
    return f"{column} IN (SELECT value FROM json_each({numbers}))"


@compiles(Among, "postgresql")
def _among_in_postgresql(element: Among, compiler: Any, **options: Any) -> str:
    column, numbers = (compiler.process(part, **options) for part in (element.column, element.numbers))
    return f"{column} IN (SELECT value::bigint FROM json_array_elements_text(({numbers})::json))"


def numbers(values: Any) -> str:
    """Whole numbers as a parameter of `Among`."""
    return orjson.dumps(list(values)).decode()


def rows_of(connection: Connection, statement: sa.Select[Any], **parameters: Any) -> list[Any]:
    """The rows of ``statement`` as the driver gives them (SQLite has JSON as text).

    Where no transaction has begun, none is: one statement sees one state of the database anyway.
    """
    text, order = _compiled(connection.dialect, statement)
    given = parameters if order is None else [parameters[name] for name in order]
    cursor = connection.connection.cursor()
    cursor.execute(text, given)
    return cursor.fetchall()


@lru_cache(maxsize=64)
def _compiled(dialect: Dialect, statement: sa.Select[Any]) -> tuple[str, list[str] | None]:
    """``statement`` in the words of ``dialect``, and its parameters where they have an order, not names."""
    compiled: Any = statement.compile(dialect=dialect)
    return str(compiled), compiled.positiontup
