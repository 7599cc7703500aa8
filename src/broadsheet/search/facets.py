"""How many papers each year, category, venue, list and kind of link has, to narrow a search by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .query import Query

NAMES = ("year", "category", "venue", "list", "has")

# So many values of each are told; years are few and all wanted.
MOST = 20
_MOST_YEARS = 200

# Nearly every paper has an abstract and a PDF somewhere; that narrows nothing.
_EVERYWHERE = frozenset({"abstract", "pdf", "doi", "other"})


@dataclass(frozen=True, slots=True)
class FacetValue:
    """``count`` papers have this ``value``; ``chosen`` where the query asks for it."""

    value: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """What papers can be narrowed by: ``name`` is one of `NAMES`.

    Years come newest first, other values most frequent first.
    """

    name: str
    values: list[FacetValue]


def _most(name: str) -> int:
    """How many values of the facet ``name`` are told."""
    return _MOST_YEARS if name == "year" else MOST


def aggregations() -> dict[str, Any]:
    """What to ask of tantivy for `facets_of`: all facets are counted in one pass over the papers."""
    return {name: {"terms": {"field": name, "size": _most(name)}} for name in NAMES}


def aggregated(found: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """What tantivy answered to `aggregations`, as `facets_of` takes it."""
    return {
        name: {_shown(name, bucket["key"]): bucket["doc_count"] for bucket in found[name]["buckets"]}
        for name in NAMES
    }


def most_frequent(counted: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Of all values that were counted those that are told."""
    found = {}
    for name in NAMES:
        values = sorted(counted.get(name, {}).items(), key=lambda one: (-one[1], one[0]))
        found[name] = dict(values[: _most(name)])
    return found


def facets_of(
    query: Query, counted: Mapping[str, Mapping[str, int]], count: Callable[[str, str], int]
) -> list[Facet]:
    """The facets that hold at least one value.

    Args:
        query: says which values are chosen.
        counted: of each facet its values and how many papers have them, most frequent first.
        count: gives the papers of one value of one facet, for chosen ones that are not among the first.
    """
    chosen = _chosen(query)
    facets = []
    for name in NAMES:
        found = dict(counted[name])
        wanted = {value.casefold(): value for value in chosen[name]}
        named = {value.casefold() for value in found}
        found |= {value: count(name, value) for folded, value in wanted.items() if folded not in named}
        values = [
            FacetValue(value, papers, value.casefold() in wanted)
            for value, papers in found.items()
            if value.casefold() in wanted or not (name == "has" and value in _EVERYWHERE)
        ]
        if name == "year":
            values.sort(key=lambda one: one.value, reverse=True)
        if values:
            facets.append(Facet(name, values))
    return facets


def _shown(name: str, key: Any) -> str:
    return str(int(key)) if name == "year" else str(key)


def _chosen(query: Query) -> dict[str, list[str]]:
    """The values that ``query`` asks for; a year where it asks for that year and no other time."""
    filters = query.filters
    groups = {
        "category": filters.categories,
        "venue": filters.venues,
        "list": filters.lists,
        "has": filters.has,
    }
    chosen = {name: [value for group in found for value in group] for name, found in groups.items()}
    after, before = filters.after, filters.before
    whole = after and before and (after.month, after.day, before.month, before.day) == (1, 1, 1, 1)
    years = range(after.year, before.year) if whole and after and before else ()
    return chosen | {"year": [str(year) for year in years][:_MOST_YEARS]}
