"""Papers with all that belongs to them, read by one statement: each page of the site needs a few dozen.

One row a paper, its authors, categories, identifiers and links as JSON in it: many small rows cost more
than what they hold, and other threads wait at each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..model.identifiers import SCHEMES, Identifier
from ..model.papers import Author, Link, Paper
from . import schema as s
from .statements import Among, numbers, rows_of

# What of a paper stands in rows of other tables: the table, what orders its rows, what is read.
_BESIDE = {
    "authors": (s.authors, "position", ("name", "account")),
    "categories": (s.categories, "position", ("name",)),
    "identifiers": (s.identifiers, "", ("identifier",)),
    "links": (s.links, "position", ("kind", "url", "source", "provenance", "data")),
}
# Each of these is some forty further pages of the database for twenty papers.
_NOT_IN_BRIEF = ("categories", "identifiers")
_PLACES = {scheme: place for place, scheme in enumerate(SCHEMES)}


def papers_of(connection: Connection, keys: Sequence[int], brief: bool = False) -> dict[int, Paper]:
    """The papers with ``keys`` by key, with what stands beside their rows; if ``brief``, less of that."""
    statement = _statement(connection.dialect.name, brief)
    papers = (_paper(row) for row in rows_of(connection, statement, keys=numbers(keys)))
    return {paper.key: paper for paper in papers}


@lru_cache(maxsize=4)
def _statement(dialect: str, brief: bool) -> sa.Select[Any]:
    """The papers ``keys``: a column for each field of `Paper`, in order, null where it is not read."""
    if dialect == "postgresql":
        row, rows = sa.func.json_build_array, sa.func.json_agg
    else:
        row, rows = sa.func.json_array, sa.func.json_group_array
    columns: list[Any] = []
    for field in fields(Paper):
        if field.name in s.papers.c:
            columns.append(s.papers.c[field.name])
        elif field.name in _BESIDE and not (brief and field.name in _NOT_IN_BRIEF):
            table, order, names = _BESIDE[field.name]
            beside = (
                sa.select(*(table.c[name] for name in names))
                .where(table.c.paper == s.papers.c.key)
                .order_by(*([table.c[order]] if order else []))
                .correlate(s.papers)
                .subquery()
            )
            columns.append(sa.select(rows(row(*beside.c))).scalar_subquery())
        else:
            columns.append(sa.null())
    return sa.select(*columns).where(Among(s.papers.c.key, "keys"))


def _paper(row: Sequence[Any]) -> Paper:
    values = list(row)
    for place, read, nothing in _READ:
        value = values[place]
        values[place] = nothing() if value is None else read(value)
    return Paper(*values)


def _authors(told: Any) -> list[Author]:
    return [Author(name, _loaded(account)) for name, account in _loaded(told)]


def _categories(told: Any) -> list[str]:
    return [name for (name,) in _loaded(told)]


def _identifiers(told: Any) -> list[Identifier]:
    return sorted((Identifier.from_key(key) for (key,) in _loaded(told)), key=_place)


def _place(identifier: Identifier) -> tuple[int, str]:
    return _PLACES[identifier.scheme], identifier.value


def _links(told: Any) -> list[Link]:
    return [Link(*parts, _loaded(data)) for *parts, data in _loaded(told)]


def _loaded(value: Any) -> Any:
    """What JSON holds; SQLite gives it as text, the driver of PostgreSQL has read it already."""
    return orjson.loads(value) if isinstance(value, str) else value


_READERS = {"authors": _authors, "categories": _categories, "identifiers": _identifiers, "links": _links}


def _read() -> list[tuple[int, Callable[[Any], Any], Callable[[], Any]]]:
    """Of each field of `Paper` that is not plain: its place, what reads it, and what stands for null."""
    found = []
    for place, field in enumerate(fields(Paper)):
        column = s.papers.c.get(field.name)
        if column is None or isinstance(column.type, sa.JSON):
            nothing = type(None) if field.default_factory is MISSING else field.default_factory
            found.append((place, _READERS.get(field.name, _loaded), nothing))
    return found


_READ = _read()
