"""An edition: an ordered choice of papers for a period, each with the reasons for its place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from .audiences import Audience
from .papers import Listing, Paper
from .periods import Period


@dataclass(slots=True)
class Entry:
    """One paper of an edition at ``place`` (from 1).

    ``listing`` is the listing that brought it there (none in trending), ``reasons`` say in plain
    sentences why it stands where it stands, ``score`` is the number it was ordered by.
    """

    paper: Paper
    place: int
    listing: Listing | None = None
    score: float | None = None
    reasons: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Edition:
    """One page of an edition: ``entries`` from ``offset`` on, of ``total`` papers.

    ``period`` is None for trending and where nothing was ever listed. ``previous`` and
    ``following`` are the neighbouring periods of the same kind that have papers.
    ``lists`` names the lists it was composed from, ``other_lists`` the further lists that have
    papers in the period, with their number of papers.
    """

    entries: list[Entry]
    total: int
    offset: int = 0
    period: Period | None = None
    previous: Period | None = None
    following: Period | None = None
    lists: list[str] = field(default_factory=list)
    other_lists: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ComposedEntry:
    """The paper with the key ``paper`` at ``place`` (from 1) of a composed edition.

    ``news`` is ``new``, or ``version`` where a further ``version`` (its number, else 0) of a known paper
    came out. ``reasons`` are plain sentences, ``score`` is what it was ordered by (higher first).
    """

    paper: int
    place: int
    news: str = "new"
    score: float = 0.0
    reasons: tuple[str, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class ComposedEdition:
    """An edition as it was composed once, at ``composed_at`` (a UTC timestamp), for all who get it.

    ``kind`` is ``day``, ``week`` or ``trending``; ``first`` and ``last`` day inclusive. ``matched`` are
    the keys of all papers of the period that concern the audience, also those beyond the last entry.
    ``incomplete`` is a sentence where sources had not told all of the period, else empty. ``id`` is 0 until
    it is stored.
    """

    id: int
    audience: Audience
    kind: str
    first: str
    last: str
    composed_at: str
    entries: tuple[ComposedEntry, ...] = ()
    matched: tuple[int, ...] = ()
    incomplete: str = ""

    def only(self, papers: Collection[int]) -> ComposedEdition:
        """The same edition with these of its papers, in its order, their places counted anew."""
        wanted = set(papers)
        kept = (entry for entry in self.entries if entry.paper in wanted)
        entries = tuple(replace(entry, place=place) for place, entry in enumerate(kept, start=1))
        return replace(self, entries=entries)
