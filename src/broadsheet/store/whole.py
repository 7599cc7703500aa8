"""Papers with all that belongs to them, read by one statement: each page of the site needs a few dozen.

One row a paper, its authors, categories, identifiers and links as JSON beside it: many small rows cost
more than what they hold, and other threads wait at each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

from ..model.identifiers import SCHEMES, Identifier
from ..model.papers import Author, Link, Paper
from . import schema as s

# What of a paper stands in its own row, in the order of the statement.
_OWN = [column for column in s.papers.c if column.name in {field.name for field in fields(Paper)}]
_NAMES = [column.name for column in _OWN]
_JSON = [place for place, column in enumerate(_OWN) if isinstance(column.type, sa.JSON)]
# And what stands in rows of other tables; the first column of each is what it is ordered by.
_BESIDE = (
    (s.authors, "position", "name", "account"),
    (s.categories, "position", "name"),
    (s.identifiers, "identifier"),
    (s.links, "position", "kind", "url", "source", "provenance", "data"),
)
_PLACES = {scheme: place for place, scheme in enumerate(SCHEMES)}


def papers_of(connection: Connection, keys: Sequence[int]) -> dict[int, Paper]:
    """The papers with ``keys`` by key, with authors, categories, identifiers and links."""
    given: Any = list(keys) if connection.dialect.name == "postgresql" else orjson.dumps(list(keys)).decode()
    rows = connection.exec_driver_sql(_statement(connection.dialect), (given,)).fetchall()
    papers = (_paper(row) for row in rows)
    return {paper.key: paper for paper in papers}


@lru_cache(maxsize=4)
def _statement(dialect: Dialect) -> str:
    """The statement in the words of ``dialect``; its one parameter are the keys."""
    if dialect.name == "postgresql":
        row, rows, chosen = sa.func.json_build_array, sa.func.json_agg, "key = ANY(%s)"
    else:
        row, rows = sa.func.json_array, sa.func.json_group_array
        chosen = "key IN (SELECT value FROM json_each(?))"
    beside = [
        sa.select(rows(row(*(table.c[name] for name in names))))
        .where(table.c.paper == s.papers.c.key)
        .scalar_subquery()
        for table, *names in _BESIDE
    ]
    # The parameter is put in behind: what SQLAlchemy compiles may hold none.
    return f"{sa.select(*_OWN, *beside).compile(dialect=dialect)} WHERE papers.{chosen}"


def _paper(row: Sequence[Any]) -> Paper:
    values = list(row[: len(_OWN)])
    for place in _JSON:
        values[place] = _loaded(values[place])
    told = {name: value for name, value in zip(_NAMES, values, strict=True) if value is not None}
    authors, categories, identifiers, links = (_loaded(value) or [] for value in row[len(_OWN) :])
    return Paper(
        **told,
        authors=[Author(name, _loaded(account)) for _, name, account in sorted(authors, key=_first)],
        categories=[name for _, name in sorted(categories, key=_first)],
        identifiers=sorted(map(Identifier.from_key, (name for (name,) in identifiers)), key=_place),
        links=[Link(*told, _loaded(data)) for _, *told, data in sorted(links, key=_first)],
    )


def _first(row: Sequence[Any]) -> Any:
    return row[0]


def _place(identifier: Identifier) -> tuple[int, str]:
    return _PLACES[identifier.scheme], identifier.value


def _loaded(value: Any) -> Any:
    """What JSON holds; SQLite gives it as text, the driver of PostgreSQL has read it already."""
    return orjson.loads(value) if isinstance(value, str) else value
