"""The database: schema, migrations and queries. The only place with SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy.engine import Engine

from ..model.papers import ImportReport, Listing, Paper, Record, Rejection
from . import reading, writing
from .connection import StoreError, connect, migrate
from .reading import Change, Standing

__all__ = ["Change", "Standing", "Store", "StoreError"]


class Store:
    """What is known of papers, in one database. Safe to use from several threads and processes."""

    def __init__(self, engine: Engine):
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Store:
        """Opens the database at ``url``, making or upgrading it as needed.

        Raises:
            StoreError: if it cannot be opened or belongs to something else.
        """
        engine = connect(url)
        migrate(engine)
        return cls(engine)

    def close(self) -> None:
        self._engine.dispose()

    # -- writing

    def add(
        self, items: Iterable[Record | Rejection], progress: Callable[[int], None] | None = None
    ) -> ImportReport:
        """Stores records and reports what became of each; rejections are passed on to the report.

        Works in transactions of a thousand records: a kill loses at most the last of them, and the
        same records once more change nothing. ``progress`` is called with the number of items done.
        """
        return writing.add(self._engine, items, progress)

    # -- reading papers

    def paper(self, text: str) -> Paper | None:
        """The paper that ``text`` names (any form of any id, or its URL), with versions and listings."""
        with self._engine.connect() as connection:
            key = reading.key_of(connection, text)
            return reading.whole_paper(connection, key) if key is not None else None

    def resolve(self, text: str) -> int | None:
        """The key of the paper that ``text`` names, in any written form."""
        with self._engine.connect() as connection:
            return reading.key_of(connection, text)

    def papers(self, keys: Sequence[int], *, listings: bool = False) -> list[Paper]:
        """The papers with ``keys``, in that order; a key that is not stored is left out.

        Their ``listings`` are read where they are asked for, their versions are not.
        """
        with self._engine.connect() as connection:
            return reading.papers(connection, keys, listings=listings)

    def keys_with_title(self, title: str) -> list[int]:
        """Keys of the papers whose title is ``title``, as `model.text.title_key` compares titles."""
        with self._engine.connect() as connection:
            return reading.keys_with_title(connection, title)

    def keys_without_abstract(self, limit: int, after: int = 0) -> list[int]:
        """Keys, ascending from above ``after``, of papers on arXiv whose abstract is not known."""
        with self._engine.connect() as connection:
            return reading.keys_without_abstract(connection, limit, after)

    def recent(self, limit: int, offset: int = 0) -> list[Paper]:
        """The newest papers by publication (where unknown: by first listing)."""
        with self._engine.connect() as connection:
            return reading.papers(connection, reading.newest_keys(connection, limit, offset))

    # -- reading listings

    def listed(
        self,
        first: str | None = None,
        last: str | None = None,
        lists: Sequence[str] | None = None,
        submitter: str | None = None,
        limit: int = 50,
        offset: int = 0,
        latest_first: bool = False,
    ) -> tuple[int, list[tuple[Paper, Listing]]]:
        """How many papers were listed from day ``first`` to day ``last``, and one page of them.

        Each paper once, with its latest and best listing of the period; most upvoted first, then by
        place in the list; ``latest_first`` puts the day before both. ``lists`` and ``submitter``
        narrow it.
        """
        with self._engine.connect() as connection:
            return reading.listed(connection, first, last, lists, submitter, limit, offset, latest_first)

    def lists_between(self, first: str, last: str) -> dict[str, int]:
        """Names of the lists with papers from day ``first`` to day ``last``, with their numbers."""
        with self._engine.connect() as connection:
            return reading.lists_between(connection, first, last)

    def ids_between(self, first: str, last: str) -> list[tuple[str, str]]:
        """(id, last day listed) of the papers listed from day ``first`` to day ``last``."""
        with self._engine.connect() as connection:
            return reading.ids_between(connection, first, last)

    def latest_day(self, lists: Sequence[str] | None = None) -> str | None:
        """The last day with listings."""
        with self._engine.connect() as connection:
            return reading.last_day(connection, None, lists)

    def day_before(self, day: str, lists: Sequence[str] | None = None) -> str | None:
        """The last day with listings before ``day``."""
        with self._engine.connect() as connection:
            return reading.last_day(connection, day, lists)

    def day_after(self, day: str, lists: Sequence[str] | None = None) -> str | None:
        """The first day with listings after ``day``."""
        with self._engine.connect() as connection:
            return reading.first_day(connection, day, lists)

    def days(self) -> list[tuple[str, str, int]]:
        """(day, list, number of papers) for every day that has listings, oldest first."""
        with self._engine.connect() as connection:
            return reading.days(connection)

    def papers_by_day(self, lists: Sequence[str] | None = None) -> list[tuple[str, int]]:
        """(day, number of papers) for every day on which ``lists`` have papers, latest first."""
        with self._engine.connect() as connection:
            return reading.papers_by_day(connection, lists)

    def standings_since(self, day: str, limit: int) -> list[Standing]:
        """Votes and comments of the papers listed on or after ``day``, most upvoted first."""
        with self._engine.connect() as connection:
            return reading.standings_since(connection, day, limit)

    # -- following and counting

    def changes(self, after: int, limit: int) -> list[Change]:
        """The changes with a number above ``after``, oldest first; of each paper only the newest."""
        with self._engine.connect() as connection:
            return reading.changes(connection, after, limit)

    def last_change(self) -> int:
        """The number of the newest change, 0 where nothing is stored."""
        with self._engine.connect() as connection:
            return reading.last_change(connection)

    def counts(self) -> dict[str, int]:
        """How many papers, listings, identifiers, authors, links, versions, abstracts and days there are."""
        with self._engine.connect() as connection:
            return reading.counts(connection)
