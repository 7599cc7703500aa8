"""From `Query` back to text, and the queries that links of facets and orders ask for."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any

from ...model.text import clean_line, words
from .keys import FACET_KEYS, GROUPS, HAS
from .model import SORTS, Clause, Query
from .parsing import MAX_RESTRICTIONS, named_in
from .tokens import category, distinct, unquoted

_SIMPLE = re.compile(r"[\w][\w.+/&-]*")


def written(query: Query) -> str:
    """``query`` as a text that `parse` reads as the same query; equal queries are written alike."""
    parts = [_text_with_clauses(query)]
    authors = [clause for clause in query.required if clause.field == "author"]
    parts += [_written_clause(clause) for clause in authors]
    parts += [f"-{_written_clause(clause)}" for clause in query.excluded]
    for key, (name, not_name) in GROUPS.items():
        for values in getattr(query.filters, name):
            parts.append(f"{key}:{','.join(_written_value(value) for value in values)}")
        parts += [f"-{key}:{_written_value(value)}" for value in getattr(query.filters, not_name)]
    parts += _written_dates(query.filters.after, query.filters.before)
    if query.sort != "relevance":
        parts.append(f"sort:{query.sort}")
    return " ".join(part for part in parts if part)


def _text_with_clauses(query: Query) -> str:
    """The text of ``query`` with its phrases in quotation marks where they stand in it."""
    text, parts, at = f" {query.text} ", [], 0
    for clause in query.required:
        if clause.field == "author":
            continue
        found = text.find(f" {clause.text} ", at)
        if found < 0:
            parts.append(_written_clause(clause))
            continue
        parts += [text[at:found].strip(), _written_clause(clause)]
        at = found + len(clause.text) + 1
    return " ".join(part for part in (*parts, text[at:].strip()) if part)


def _written_clause(clause: Clause) -> str:
    text = f'"{clause.text}"' if clause.phrase else clause.text
    return text if clause.field == "any" else f"{clause.field}:{text}"


def _written_value(value: str) -> str:
    return value if _SIMPLE.fullmatch(value) and value[-1] not in "." else f'"{value}"'


def _written_dates(after: date | None, before: date | None) -> list[str]:
    if after and before and (after.month, after.day, before.month, before.day) == (1, 1, 1, 1):
        last = before.year - 1
        return [f"year:{after.year}" if last == after.year else f"year:{after.year}-{last}"]
    days = (("after", after), ("before", before))
    return [f"{key}:{day:%Y-%m}" if day.day == 1 else f"{key}:{day}" for key, day in days if day]


def has_filter(query: Query, name: str, value: str) -> bool:
    """Whether ``query`` is restricted to ``value`` of the facet ``name`` (see `FACET_KEYS`)."""
    value = _facet_value(name, value)
    if name == "year":
        year = int(value)
        return (query.filters.after, query.filters.before) == (date(year, 1, 1), date(year + 1, 1, 1))
    return any(_same(value, one) for group in getattr(query.filters, _field(name)) for one in group)


def with_filter(query: Query, name: str, value: str) -> Query:
    """``query`` restricted to papers with ``value`` of the facet ``name`` besides.

    A year takes the place of other dates, a venue that of other venues. A query with as many restrictions
    as count stays as it is.

    Raises:
        ValueError: if there is no such facet, or ``value`` can be none of its values.
    """
    value = _facet_value(name, value)
    if name == "year":
        year = int(value)
        return _refiltered(query, after=date(year, 1, 1), before=date(year + 1, 1, 1))
    groups = getattr(query.filters, _field(name))
    if name == "venue":
        groups = ()
    more = _refiltered(query, **{_field(name): distinct((*groups, (value,)))})
    return more if _restrictions(more) <= MAX_RESTRICTIONS else query


def without_filter(query: Query, name: str, value: str) -> Query:
    """``query`` without what restricts it to ``value`` of the facet ``name``; of a year, without any date.

    Raises:
        ValueError: if there is no such facet, or ``value`` can be none of its values.
    """
    value = _facet_value(name, value)
    if name == "year":
        return _refiltered(query, after=None, before=None)
    groups = [
        tuple(one for one in group if not _same(value, one)) for group in getattr(query.filters, _field(name))
    ]
    return _refiltered(query, **{_field(name): distinct(group for group in groups if group)})


def with_sort(query: Query, sort: str) -> Query:
    """``query`` in another order, one of `SORTS`."""
    if sort not in SORTS:
        raise ValueError(f"{sort!r} is no order; write one of {', '.join(SORTS)}")
    return _rewritten(replace(query, sort=sort))


def _facet_value(name: str, value: str) -> str:
    if name not in FACET_KEYS:
        raise ValueError(f"{name!r} is no facet; write one of {', '.join(FACET_KEYS)}")
    if name == "year":
        if not re.fullmatch(r"[1-9]\d{3}", value) or value == "9999":
            raise ValueError(f"{value!r} is no year")
        return value
    value = clean_line(unquoted(value))
    if not words(value):
        raise ValueError(f"{value!r} is no value of the facet {name}")
    if name == "has":
        if value.lower() not in HAS:
            raise ValueError(f"{value!r} is nothing that a paper has; write one of {', '.join(HAS)}")
        return HAS[value.lower()]
    return category(value) if name == "category" else value


def _same(value: str, other: str) -> bool:
    # A venue may be typed in small letters that its papers write in capitals.
    return value.casefold() == other.casefold()


def _field(name: str) -> str:
    return GROUPS[FACET_KEYS[name]][0]


def _restrictions(query: Query) -> int:
    values = [group for name, _ in GROUPS.values() for group in getattr(query.filters, name)]
    values += [getattr(query.filters, not_name) for _, not_name in GROUPS.values()]
    return len(query.required) + len(query.excluded) + sum(len(group) for group in values)


def _refiltered(query: Query, **filters: Any) -> Query:
    return _rewritten(replace(query, filters=replace(query.filters, **filters)))


def _rewritten(query: Query) -> Query:
    query = named_in(replace(query, notes=()))
    return replace(query, typed=written(query))
