"""What is new in a period: papers that were listed in it, and further versions of papers known before."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from ..model.events import Event
from ..model.gathering import Coverage
from ..model.papers import Listing, Paper
from ..store import Store

# A month of everything: more than one edition can be made of.
_MOST = 50_000
# What of a day's account means that papers may still be missing.
_INCOMPLETE = ("incomplete", "late", "failed", "refused")
# So many lists are named in a sentence.
_NAMED = 3


@dataclass(slots=True)
class News:
    """The news of the days ``first`` to ``last``.

    ``papers`` are those that were listed in the period and those of ``versions`` (the newest version of a
    paper that was not listed in it), by key, with all their listings. ``listed`` has the listings of the
    period of each paper that was.
    """

    first: str
    last: str
    papers: dict[int, Paper] = field(default_factory=dict)
    listed: dict[int, list[Listing]] = field(default_factory=dict)
    versions: dict[int, Event] = field(default_factory=dict)
    coverage: list[Coverage] = field(default_factory=list)

    @property
    def lists(self) -> set[str]:
        """The lists that have papers in the period."""
        return {listing.list for listings in self.listed.values() for listing in listings}

    def listing(self, key: int, lists: Collection[str] | None = None) -> Listing | None:
        """The latest and best listing of a paper in the period, of ``lists`` where given."""
        listings = (one for one in self.listed.get(key, ()) if lists is None or one.list in lists)
        return min(
            listings, key=lambda one: (-date.fromisoformat(one.day).toordinal(), one.rank), default=None
        )

    def incomplete(self, lists: Collection[str] | None = None) -> str:
        """A sentence on what sources had not told of the period, of ``lists`` where given; else empty."""
        missing = [
            told
            for told in self.coverage
            if told.state in _INCOMPLETE and (lists is None or told.list in lists)
        ]
        if not missing:
            return ""
        named = [f"{told.list} of {told.day} ({_what(told)})" for told in missing[:_NAMED]]
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        return f"Sources were incomplete when this edition was composed: {', '.join(named)}{more}."


def _what(told: Coverage) -> str:
    if told.state == "incomplete" and told.announced is not None:
        return f"{told.stored} of {told.announced} papers"
    return told.state


def read_news(store: Store, first: str, last: str) -> News:
    """The news of the days ``first`` to ``last`` (inclusive)."""
    keys = store.listed_keys(first, last, _MOST)
    versions = {event.paper_key: event for event in store.versions_between(first, last)}
    known = set(keys)
    versions = {key: event for key, event in versions.items() if key not in known}
    papers = {paper.key: paper for paper in store.papers([*keys, *versions], listings=True)}
    listed = {
        key: [one for one in papers[key].listings if first <= one.day <= last]
        for key in keys
        if key in papers
    }
    versions = {key: event for key, event in versions.items() if key in papers}
    return News(first, last, papers, listed, versions, store.coverage(first, last))
