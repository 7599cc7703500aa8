"""The queries around one query, as texts to be typed: narrowed, widened, in another order or time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

from ..search.facets import Facet
from ..search.query import Clause, Filters, Query, has_filter, with_filter, without_filter, written
from . import stories

RECENT_DAYS = 30
_RECENT = f"after:{RECENT_DAYS}d"

# What a facet is called, and what a paper that has a link of a kind has.
FACET_TITLES = {"year": "Year", "category": "Category", "venue": "Venue", "list": "List", "has": "With"}
_HAS = {"model": "models", "dataset": "data sets", "space": "a space", "project": "a project page"}
_ORDERS = {"relevance": "Best first", "date": "Newest", "votes": "Most voted"}


@dataclass(frozen=True, slots=True)
class Choice:
    """A link of a search page: what it is called, the query behind it, and whether it is the present one."""

    text: str
    query: str
    chosen: bool = False


class Variants:
    """The queries around ``query``.

    Each is written as `search.query.written` writes it, only that a time counted from today stays one:
    who keeps the address of "the last 30 days" means them tomorrow, too.
    """

    def __init__(self, query: Query, today: date, more: str = ""):
        """``more`` is what all addresses end with, as it stands in them."""
        self._query = query
        self._today = today
        self._more = more
        # The words are written once: they may be a whole abstract, and a page has fifty of these links.
        self.words = written(replace(query, filters=Filters(), sort="relevance"))
        self._bare = Query(filters=query.filters, sort=query.sort)
        self._since = today - timedelta(RECENT_DAYS)
        self.is_recent = query.filters.after == self._since and query.filters.before is None
        self._recent = written(Query(filters=Filters(after=self._since)))
        self._tails = _tails_of(self._bare)
        self._url = "/search?q=" + quote_plus(self.words)

    def url(self, query: str) -> str:
        """The address of the results of ``query``, one of these variants."""
        if not query:
            return "/search"
        if self.words and query.startswith(self.words):
            return self._url + _quoted(query[len(self.words) :]) + self._more
        return "/search?q=" + quote_plus(query) + self._more

    def _with_words(self, bare: Query) -> str:
        return f"{self.words} {self._timed(bare)}".strip()

    def _timed(self, query: Query) -> str:
        text, filters = written(query), query.filters
        is_recent = filters.after == self._since and filters.before is None
        return text.replace(self._recent, _RECENT) if is_recent else text

    @property
    def written(self) -> str:
        """The query itself."""
        return self._with_words(self._bare)

    def facet_value(self, name: str, value: str, chosen: bool) -> str:
        """The query narrowed to ``value`` of the facet ``name``, or widened where that is ``chosen``.

        Empty where ``value`` cannot be typed.
        """
        key = name, value, chosen
        if key not in self._tails:
            if len(self._tails) >= _MOST_TAILS:
                self._tails.clear()
            self._tails[key] = _facet_value(self._bare, name, value, chosen)
        tail = self._tails.get(key)
        if tail is None:
            return ""
        if self.is_recent and name != "year":
            tail = tail.replace(self._recent, _RECENT)
        return f"{self.words} {tail}".strip()

    def orders(self) -> list[Choice]:
        """The orders in which results can stand; without words none is the best."""
        text = bool(self._query.text)
        present = self._query.sort if text or self._query.sort != "relevance" else "date"
        return [
            Choice(name, self._with_words(replace(self._bare, sort=sort)), sort == present)
            for sort, name in _ORDERS.items()
            if text or sort != "relevance"
        ]

    def times(self) -> list[Choice]:
        """Any time, this year, the last 30 days; and the time that was typed, where it is another."""
        after, before = self._query.filters.after, self._query.filters.before
        year = date(self._today.year, 1, 1), date(self._today.year + 1, 1, 1)
        times = {
            "Any time": (None, None),
            "This year": year,
            f"Last {RECENT_DAYS} days": (self._since, None),
        }
        found = [
            Choice(
                name,
                self._with_words(_refiltered(self._bare, after=span[0], before=span[1])),
                (after, before) == span,
            )
            for name, span in times.items()
        ]
        if not any(one.chosen for one in found):
            text = _time_text(after, before)
            found.append(Choice(text[0].upper() + text[1:], self.written, True))
        return found

    def restrictions(self) -> list[Choice]:
        """What the query demands, in words, each with the query without that demand."""
        query, filters = self._query, self._query.filters
        found = [
            (_clause_text(clause), replace(query, required=_without(query.required, clause), pasted=None))
            for clause in query.required
        ]
        found += [
            (
                _clause_text(clause, "without"),
                replace(query, excluded=_without(query.excluded, clause), pasted=None),
            )
            for clause in query.excluded
        ]
        for name, told in _GROUP_TEXTS.items():
            for group in getattr(filters, name):
                text = told.format(" or ".join(map(_VALUE_TEXTS.get(name, str), group)))
                found.append((text, _refiltered(query, **{name: _without(getattr(filters, name), group)})))
            for value in getattr(filters, f"not_{name}"):
                text = "not " + told.format(_VALUE_TEXTS.get(name, str)(value))
                rest = _without(getattr(filters, f"not_{name}"), value)
                found.append((text, _refiltered(query, **{f"not_{name}": rest})))
        if filters.after or filters.before:
            text = f"last {RECENT_DAYS} days" if self.is_recent else _time_text(filters.after, filters.before)
            found.append((text, _refiltered(query, after=None, before=None)))
        return [Choice(text, self._timed(changed)) for text, changed in found]


_MOST_TAILS = 4_096


@lru_cache(64)
def _tails_of(bare: Query) -> dict[tuple[str, str, bool], str | None]:
    """What `_facet_value` said of ``bare`` so far: the same few values are on every page."""
    return {}


def _facet_value(bare: Query, name: str, value: str, chosen: bool) -> str | None:
    """The restrictions of ``bare`` narrowed or widened, as text; None where ``value`` cannot be typed."""
    try:
        if chosen and name == "year":
            # Of several years in one span, one alone is meant.
            chosen = has_filter(bare, name, value)
        return (without_filter if chosen else with_filter)(bare, name, value).typed
    except ValueError:
        return None


_quoted = lru_cache(4_096)(quote_plus)

_GROUP_TEXTS = {
    "categories": "in {}",
    "lists": "listed in {}",
    "venues": "published at {}",
    "has": "with {}",
}
_VALUE_TEXTS = {"lists": stories.list_title, "has": lambda value: _HAS.get(value, value)}


def value_text(facet: str, value: str) -> str:
    """``value`` of ``facet`` as people read it."""
    if facet == "list":
        return stories.list_title(value)
    return _HAS.get(value, value) if facet == "has" else value


def _clause_text(clause: Clause, how: str = "with") -> str:
    words = f"“{clause.text}”"
    if clause.field == "author":
        return f"{'not ' if how == 'without' else ''}by {clause.text}"
    if clause.field in ("title", "abstract"):
        return f"{words} {'not ' if how == 'without' else ''}in the {clause.field}"
    return f"{how} {words}"


def _without(values: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    return tuple(one for one in values if one is not value)


def _refiltered(query: Query, **filters: Any) -> Query:
    return replace(query, filters=replace(query.filters, **filters))


def _time_text(after: date | None, before: date | None) -> str:
    if after and before and (after.month, after.day, before.month, before.day) == (1, 1, 1, 1):
        years = f"{after.year} to {before.year - 1}"
        return str(after.year) if before.year == after.year + 1 else years
    told = []
    if after:
        told.append(f"from {stories.short_day(after.isoformat())}")
    if before:
        told.append(f"to {stories.short_day((before - timedelta(1)).isoformat())}")
    return " ".join(told)


def facets_json(facets: list[Facet], variants: Variants) -> list[dict[str, Any]]:
    """``facets`` for programs; ``query`` narrows to a value, or widens where it is chosen."""
    return [
        {
            "name": facet.name,
            "values": [
                {
                    "value": one.value,
                    "count": one.count,
                    "chosen": one.chosen,
                    "query": variants.facet_value(facet.name, one.value, one.chosen),
                }
                for one in facet.values
            ],
        }
        for facet in facets
    ]
