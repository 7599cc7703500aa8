"""What a query asks for, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from .pasted import Pasted

SORTS = ("relevance", "date", "votes")


@dataclass(frozen=True, slots=True)
class Clause:
    """A restriction by words.

    ``field`` is ``any``, ``title``, ``abstract`` or ``author``. All words of ``text`` must stand there;
    where it is a ``phrase``, side by side in this order.
    """

    field: str
    text: str
    phrase: bool


@dataclass(frozen=True, slots=True)
class Filters:
    """Restrictions by what is known of a paper.

    Of each kind all groups must hold, and of a group one value. The category ``cs`` means ``cs`` and
    ``cs.*``; ``has`` holds kinds of link (`model.papers.LINK_KINDS`), of which ``abstract`` means that the
    text of the abstract is known. ``after`` is the first day that counts, ``before`` the first that does not.
    Groups and values are sorted.
    """

    categories: tuple[tuple[str, ...], ...] = ()
    lists: tuple[tuple[str, ...], ...] = ()
    venues: tuple[tuple[str, ...], ...] = ()
    has: tuple[tuple[str, ...], ...] = ()
    not_categories: tuple[str, ...] = ()
    not_lists: tuple[str, ...] = ()
    not_venues: tuple[str, ...] = ()
    not_has: tuple[str, ...] = ()
    after: date | None = None
    before: date | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked for.

    ``typed`` is what was typed, cleaned; ``text`` what words and meaning search for: all words in their
    order and writing, those of phrases and of ``title:`` and ``abstract:`` included, those of exclusions,
    authors and filters not. All of ``required`` must hold (those by text in the order of ``text``, then the
    authors) and none of ``excluded``. ``notes`` tell a person what was not understood. ``pasted`` is what the
    text names, to be looked up before anything is searched.
    """

    typed: str = ""
    text: str = ""
    required: tuple[Clause, ...] = ()
    excluded: tuple[Clause, ...] = ()
    filters: Filters = field(default_factory=Filters)
    sort: str = "relevance"
    notes: tuple[str, ...] = ()
    pasted: Pasted | None = None

    @property
    def restricted(self) -> bool:
        """Whether any restriction holds."""
        return bool(self.required or self.excluded) or self.filters != Filters()
