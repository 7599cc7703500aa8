"""The database: schema, migrations and queries. The only place with SQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.engine import Connection, Engine

from ..model.audiences import Audience
from ..model.editions import ComposedEdition
from ..model.events import Conflict, Event, Merge
from ..model.gathering import Announced, Coverage, GatherState
from ..model.papers import ImportReport, Listing, Paper, Record, Rejection, Withdrawal
from ..model.subscriptions import Deliveries, Due, NewItem, OutboxItem, Subscription, Suppression
from . import editions, gathering, outbox, reading, subscriptions, uniting, writing
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

    def papers(self, keys: Sequence[int], *, listings: bool = False, brief: bool = False) -> list[Paper]:
        """The papers with ``keys``, in that order; a key that is not stored is left out.

        Their ``listings`` are read where they are asked for, their versions are not. ``brief`` leaves out
        categories and identifiers, which a list of results does not show.
        """
        with self._engine.connect() as connection:
            return reading.papers(connection, keys, listings=listings, brief=brief)

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

    def standings_since(
        self, day: str, limit: int, stars_since: str = "", lists: Sequence[str] = ()
    ) -> list[Standing]:
        """What trending is computed from, of papers listed on or after ``day``.

        Of those with votes or comments the ``limit`` most upvoted, then those that gained most stars since
        the day ``stars_since``. ``lists`` are those of which it is counted in how many a paper stood.
        """
        with self._engine.connect() as connection:
            return reading.standings_since(connection, day, limit, stars_since or day, lists)

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

    # -- subscriptions

    def subscribe(self, wanted: Subscription, confirmed: bool = False) -> Subscription:
        """Stores ``wanted`` (its id, state and times do not matter); what is stored now.

        Where the address has a subscription of that audience already, there is no second one: one that was
        left or never confirmed begins anew; an active one takes the settings only with ``confirmed``, so
        that a stranger changes nothing.
        """
        with WriteTransaction(self._engine) as connection:
            return subscriptions.subscribe(connection, wanted, confirmed)

    def subscription(self, number: int) -> Subscription | None:
        """The subscription ``number``; None where it was deleted or never was."""
        with self._engine.connect() as connection:
            return subscriptions.subscription(connection, number)

    def subscriptions_by_id(self, numbers: Collection[int]) -> dict[int, Subscription]:
        with self._engine.connect() as connection:
            return subscriptions.by_id(connection, numbers)

    def subscriptions(
        self,
        *,
        address: str | None = None,
        channel: str | None = None,
        state: str | None = None,
        audience: Audience | None = None,
        limit: int | None = None,
        after: int = 0,
    ) -> list[Subscription]:
        """Subscriptions by id from above ``after``, of one address, channel, state or audience only."""
        with self._engine.connect() as connection:
            return subscriptions.subscriptions(connection, address, channel, state, audience, limit, after)

    def subscription_counts(self) -> dict[str, int]:
        """How many subscriptions there are in each state."""
        with self._engine.connect() as connection:
            return subscriptions.count(connection)

    def confirm(self, number: int) -> Subscription | None:
        """Makes a subscription active, also one that was paused or left; None where there is none."""
        with WriteTransaction(self._engine) as connection:
            return subscriptions.set_state(connection, number, "active")

    def pause(self, number: int) -> Subscription | None:
        """Stops a subscription until `confirm`; what waits for it is not sent."""
        with WriteTransaction(self._engine) as connection:
            return subscriptions.set_state(connection, number, "paused")

    def leave(self, number: int) -> Subscription | None:
        """Ends a subscription at once; what waits for it is not sent. Left twice is left once."""
        with WriteTransaction(self._engine) as connection:
            return subscriptions.set_state(connection, number, "left")

    def update(self, number: int, **values: Any) -> Subscription | None:
        """Changes ``audience``, ``frequency``, ``days``, ``hour``, ``zone`` or ``options``.

        Where the address has another subscription of the new ``audience``, that one takes the settings and
        is returned, and this one is left.
        """
        with WriteTransaction(self._engine) as connection:
            return subscriptions.update(connection, number, values)

    def forget(self, number: int) -> bool:
        """Deletes a subscription and all that is known of it; whether there was one."""
        with WriteTransaction(self._engine) as connection:
            return subscriptions.forget(connection, number)

    def due(self, now: datetime | None = None, *, today: bool = False, day: date | None = None) -> list[Due]:
        """Active subscriptions whose edition is due at ``now`` and not composed, with their local day.

        By their hours; of several days that were missed only the last, which holds the others. ``today``
        asks for the present local day of each whatever the hour, ``day`` for that day.
        """
        with self._engine.connect() as connection:
            return subscriptions.due(connection, now or datetime.now(UTC), today, day)

    def suppress(self, address: str, reason: str) -> None:
        """Nothing is sent to a mail ``address`` any more; the first reason is kept."""
        with WriteTransaction(self._engine) as connection:
            subscriptions.suppress(connection, address, reason)

    def unsuppress(self, address: str) -> bool:
        """Takes ``address`` off the suppressed ones; whether it was among them."""
        with WriteTransaction(self._engine) as connection:
            return subscriptions.unsuppress(connection, address)

    def suppressed(self, address: str) -> str:
        """Why nothing is sent to a mail ``address``; empty where mail goes there."""
        with self._engine.connect() as connection:
            return subscriptions.suppressed(connection, address)

    def suppressions(self, limit: int = 100) -> list[Suppression]:
        """The suppressed addresses, newest first."""
        with self._engine.connect() as connection:
            return subscriptions.suppressions(connection, limit)

    def suppressed_count(self) -> int:
        """How many addresses are suppressed."""
        with self._engine.connect() as connection:
            return subscriptions.suppressed_count(connection)

    # -- editions and the outbox

    def save_edition(
        self, edition: ComposedEdition, items: Sequence[NewItem] = (), now: float | None = None
    ) -> int:
        """`save_editions` for one; its id."""
        return self.save_editions([(edition, items)], now)[0]

    def save_editions(
        self, batch: Sequence[tuple[ComposedEdition, Sequence[NewItem]]], now: float | None = None
    ) -> list[int]:
        """Stores editions and, in the same transaction, what is to be sent of each; their ids.

        A subscription that has a row for that day already, or is not active any more, gets none. Its papers
        count as delivered from now on. ``now`` (seconds since 1970) is when sending may begin.
        """
        now = datetime.now(UTC).timestamp() if now is None else now
        with WriteTransaction(self._engine) as connection:
            return outbox.add(connection, batch, now)

    def edition(self, number: int) -> ComposedEdition | None:
        with self._engine.connect() as connection:
            return editions.edition(connection, number)

    def editions_by_id(self, numbers: Collection[int]) -> dict[int, ComposedEdition]:
        with self._engine.connect() as connection:
            return editions.by_id(connection, numbers)

    def editions(
        self,
        audience: Audience | None = None,
        *,
        first: str | None = None,
        last: str | None = None,
        limit: int = 30,
    ) -> list[ComposedEdition]:
        """Stored editions, newest first; only of ``audience``, or with days from ``first`` to ``last``."""
        with self._engine.connect() as connection:
            return editions.editions(connection, audience, first, last, limit)

    def listed_keys(self, first: str, last: str, limit: int) -> list[int]:
        """Keys of the papers that were listed from day ``first`` to day ``last``, the latest stored first."""
        with self._engine.connect() as connection:
            return editions.listed_keys(connection, first, last, limit)

    def versions_between(self, first: str, last: str) -> list[Event]:
        """The events ``version`` of the days ``first`` to ``last`` (UTC), oldest first."""
        with self._engine.connect() as connection:
            return editions.versions_between(connection, first, last)

    def delivered(self, subscription: int) -> dict[int, int]:
        """Keys of the papers that a subscription got or is about to get, each with its last told version."""
        with self._engine.connect() as connection:
            return editions.delivered(connection, subscription)

    def delivered_of(
        self, papers: Collection[int], subscriptions: Collection[int]
    ) -> dict[int, set[tuple[int, int]]]:
        """Of each of ``subscriptions`` the (paper, version) among ``papers`` that it got."""
        with self._engine.connect() as connection:
            return editions.delivered_of(connection, papers, subscriptions)

    def matched_before(
        self, subscriptions: Collection[int], since: str
    ) -> dict[int, tuple[frozenset[int], ...]]:
        """Of each subscription the papers that its editions with days from ``since`` on considered."""
        with self._engine.connect() as connection:
            return editions.matched_before(connection, subscriptions, since)

    def prune_editions(self, before: str) -> int:
        """Removes editions of days before ``before`` that are done with; the number of them."""
        with WriteTransaction(self._engine) as connection:
            return editions.prune(connection, before)

    def take(
        self,
        limit: int,
        now: float,
        worker: str,
        seconds: float = 600.0,
        *,
        channels: Collection[str] | None = None,
        without: Collection[str] = (),
    ) -> list[OutboxItem]:
        """Up to ``limit`` rows that wait to be sent at ``now``; ``worker`` has them for ``seconds``.

        Those of a worker whose time is over are among them. ``without`` names mail domains to leave out.
        What must not be sent any more (paused, left, suppressed) is ended on the way.
        """
        with WriteTransaction(self._engine) as connection:
            return outbox.take(connection, limit, now, worker, seconds, channels, without)

    def mark_sent(self, number: int, message_id: str = "") -> None:
        """The other side took the row ``number``."""
        with WriteTransaction(self._engine) as connection:
            outbox.mark_sent(connection, number, message_id)

    def mark_all_sent(self, sent: Collection[tuple[int, str]]) -> None:
        """The other side took all of these rows: (number, message id)."""
        with WriteTransaction(self._engine) as connection:
            outbox.mark_all_sent(connection, sent)

    def mark_retry(self, number: int, when: float, error: str, *, counted: bool = True) -> None:
        """The row ``number`` is tried again at ``when`` (seconds since 1970)."""
        with WriteTransaction(self._engine) as connection:
            outbox.mark_retry(connection, number, when, error, counted)

    def mark_failed(self, number: int, error: str, state: str = "failed") -> None:
        """The row ``number`` was not delivered and is not tried again.

        ``state`` is ``failed``, ``bounced`` or ``suppressed``. Its papers count as not delivered.
        """
        with WriteTransaction(self._engine) as connection:
            outbox.mark_failed(connection, number, error, state)

    def give_back(self, worker: str, numbers: Collection[int] | None = None) -> int:
        """What ``worker`` was sending (or only ``numbers``) waits again; how many rows."""
        with WriteTransaction(self._engine) as connection:
            return outbox.give_back(connection, worker, numbers)

    def senders(self) -> list[str]:
        """The workers that have rows of the outbox."""
        with self._engine.connect() as connection:
            return outbox.holders(connection)

    def next_try(self) -> float | None:
        """When the first waiting row may be sent (seconds since 1970); None where none waits."""
        with self._engine.connect() as connection:
            return outbox.next_try(connection)

    def outbox(
        self,
        *,
        subscription: int | None = None,
        slot: str | None = None,
        state: str | None = None,
        limit: int = 100,
    ) -> list[OutboxItem]:
        """Rows of the outbox, newest first; of one subscription, local day or state only."""
        with self._engine.connect() as connection:
            return outbox.items(connection, subscription, slot, state, limit)

    def sent_as(self, message_id: str) -> OutboxItem | None:
        """The row that was sent under ``message_id``."""
        with self._engine.connect() as connection:
            return outbox.by_message(connection, message_id)

    def last_sent_to(self, address: str) -> OutboxItem | None:
        """The last row that was sent to a mail ``address``."""
        with self._engine.connect() as connection:
            return outbox.latest_of_address(connection, address)

    def deliveries(self, day: str) -> Deliveries:
        """What became of the editions of ``day``, the local day of each subscription."""
        with self._engine.connect() as connection:
            return outbox.deliveries(connection, day)

    def delivery_days(self, limit: int = 30) -> list[str]:
        """The days that have rows in the outbox, latest first."""
        with self._engine.connect() as connection:
            return outbox.slots(connection, limit)

    def last_sent(self) -> str:
        """When an edition was last taken by the other side (a UTC timestamp); empty where none was."""
        with self._engine.connect() as connection:
            return outbox.last_sent(connection)

    def outbox_counts(self, states: Collection[str] | None = None) -> dict[tuple[str, str], int]:
        """How many rows of the outbox there are, by channel and state, of ``states`` where given."""
        with self._engine.connect() as connection:
            return outbox.counts(connection, states)
