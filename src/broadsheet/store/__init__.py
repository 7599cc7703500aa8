"""The database: schema, migrations and queries. The only place with SQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from sqlalchemy.engine import Connection, Engine

from ..model.events import Conflict, Event, Merge
from ..model.gathering import Announced, Coverage, GatherState
from ..model.papers import ImportReport, Listing, Paper, Record, Rejection, Withdrawal
from . import gathering, reading, uniting, writing
from .connection import StoreError, WriteTransaction, connect, migrate
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
        self,
        items: Iterable[Record | Rejection | Withdrawal],
        progress: Callable[[int], None] | None = None,
    ) -> ImportReport:
        """Stores records and reports what became of each; rejections are passed on to the report.

        A record without title, or a withdrawal, of a paper that is not stored changes nothing.
        Works in transactions of a thousand records: a kill loses at most the last of them, and the
        same records once more change nothing. ``progress`` is called with the number of items done.
        """
        return writing.add(self._engine, items, progress)

    def add_page(
        self,
        source: str,
        items: Iterable[Record | Rejection | Withdrawal],
        cursor: dict[str, Any],
        announced: Sequence[Announced],
        progress: Callable[[int], None] | None = None,
    ) -> ImportReport:
        """Stores one page of ``source`` as `add` does, and where to go on after it.

        ``cursor`` and ``announced`` are stored in the same transaction as the last records: after a
        kill either all of the page is known, or its cursor is not. What is announced of one list and
        day several times adds up.
        """

        def finish(connection: Connection) -> None:
            gathering.save_cursor(connection, source, cursor)
            gathering.announce(connection, source, announced)

        return writing.add(self._engine, items, progress, finish)

    # -- gathering

    def gather_state(self, source: str) -> GatherState:
        """How far gathering from ``source`` is; an empty state where it was never tried."""
        return self.gather_states([source])[0]

    def gather_states(self, sources: Sequence[str] | None = None) -> list[GatherState]:
        """How far gathering is from ``sources``, in that order, or from all ever tried, by name."""
        with self._engine.connect() as connection:
            return gathering.states(connection, sources)

    def note_gather(self, source: str, tried: str, problem: str = "") -> None:
        """Records that a run of ``source`` ended at ``tried`` (a UTC timestamp), well or with ``problem``."""
        with WriteTransaction(self._engine) as connection:
            gathering.note(connection, source, tried, problem)

    def claim(self, name: str, worker: str, seconds: float, now: float | None = None) -> bool:
        """Whether ``worker`` now holds the lease ``name`` for ``seconds``; who holds it prolongs it.

        A lease of a source has the name of the source. ``now`` (seconds since 1970) stands in for the
        database's clock.
        """
        with WriteTransaction(self._engine) as connection:
            return gathering.claim(connection, name, worker, seconds, now)

    def release(self, name: str, worker: str) -> None:
        """Gives back the lease ``name`` if ``worker`` holds it."""
        with WriteTransaction(self._engine) as connection:
            gathering.release(connection, name, worker)

    def coverage(self, first: str, last: str, source: str | None = None) -> list[Coverage]:
        """Announced and stored papers of each source, list and day from ``first`` to ``last``, by day."""
        with self._engine.connect() as connection:
            return gathering.coverage(connection, first, last, source)

    def missing(self, source: str) -> list[tuple[str, str, list[str]]]:
        """(list, day, identifier keys) of what ``source`` announced and no stored paper has, by day."""
        with self._engine.connect() as connection:
            return gathering.missing(connection, source)

    # -- identity

    def merge(self, one: str, other: str, reason: str = "") -> int:
        """Brings the paper ``other`` into ``one`` (any form of any id); the number of the merge.

        Raises:
            StoreError: if one of them is not stored, or both are one paper.
        """
        with WriteTransaction(self._engine) as connection:
            return uniting.merge(connection, one, other, reason)

    def split(self, paper: str, merge: int | None = None, source: str | None = None) -> tuple[str, str]:
        """Takes a paper apart; the ids of what stays and of what was taken out.

        Undoes the merge with the number ``merge``, else the last that brought what ``paper`` names; or
        takes out all that ``source`` told. What was told since goes where it belongs, and no import
        brings the two together again.

        Raises:
            StoreError: if there is nothing to undo, or one of the two would have no title.
        """
        with WriteTransaction(self._engine) as connection:
            return uniting.split(connection, paper, merge, source)

    def keep_apart(self, one: str, other: str) -> None:
        """Notes that two papers are not the same: no import brings them together.

        Raises:
            StoreError: if one of them is not stored, or both are one paper.
        """
        with WriteTransaction(self._engine) as connection:
            uniting.keep_apart(connection, one, other)

    def merges(self, paper: str | None = None) -> list[Merge]:
        """What was brought together, newest first: all ever, or what holds of ``paper``."""
        with self._engine.connect() as connection:
            return uniting.merges(connection, paper)

    def conflicts(self, limit: int | None = None) -> list[Conflict]:
        """Pairs of papers at which an editor should look, newest first.

        A pair that was merged or told apart since is not among them.
        """
        with self._engine.connect() as connection:
            return uniting.conflicts(connection, limit)

    # -- reading what happened

    def events(self, after: int, limit: int, kinds: Collection[str] | None = None) -> list[Event]:
        """What happened to papers with a number above ``after``, oldest first; of ``kinds`` only."""
        with self._engine.connect() as connection:
            return reading.events(connection, after, limit, kinds)

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

    def titles(self, keys: Sequence[int]) -> dict[int, str]:
        """The titles of the papers with ``keys``, by key."""
        with self._engine.connect() as connection:
            return reading.titles(connection, keys)

    def keys_without_abstract(self, limit: int, after: int = 0) -> list[int]:
        """Keys, ascending from above ``after``, of papers on arXiv whose abstract is not known."""
        with self._engine.connect() as connection:
            return reading.keys_without_abstract(connection, limit, after)

    def keys_to_enrich(
        self,
        source: str,
        limit: int,
        *,
        after: tuple[str, int] | None = None,
        older_than: str,
        since: str | None = None,
        above: int | None = None,
        schemes: Sequence[str] = (),
        linked: str = "",
    ) -> list[tuple[str, int]]:
        """Papers of which ``source`` has no count on or after the day ``older_than``, the newest first.

        Told are what they are ordered by (the moment of publication, else of the first listing, else of
        storing) and their keys; the last pair is the ``after`` of the next call. ``schemes`` asks for
        papers with an identifier in one of them, ``linked`` for papers with a link to code whose address
        holds it, ``since`` and ``above`` for papers as new as the one or with a key above the other.
        """
        with self._engine.connect() as connection:
            return reading.keys_to_enrich(
                connection, source, limit, after, older_than, since, above, schemes, linked
            )

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
