"""An edition: an ordered choice of papers for a period, each with the reasons for its place."""

from __future__ import annotations

from dataclasses import dataclass, field

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
