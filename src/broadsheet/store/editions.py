"""Composed editions: storing them, reading them again, and what was delivered of them."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..model.audiences import Audience
from ..model.editions import ComposedEdition, ComposedEntry
from ..model.events import Event
from . import schema as s
from .connection import in_chunks
from .states import take_numbers


def add(connection: Connection, editions: Sequence[ComposedEdition]) -> list[int]:
    """Stores ``editions``; their ids."""
    first = take_numbers(connection, "next_edition", len(editions))
    rows = [_row(number, edition) for number, edition in enumerate(editions, first)]
    if rows:
        connection.execute(s.editions.insert(), rows)
    return [row["id"] for row in rows]


def _row(number: int, edition: ComposedEdition) -> dict[str, Any]:
    entries = [(e.paper, e.news, e.version, round(e.score, 4), e.reasons) for e in edition.entries]
    return {
        "id": number,
        "audience": edition.audience.key,
        "kind": edition.kind,
        "first": edition.first,
        "last": edition.last,
        "composed_at": edition.composed_at,
        "entries": zlib.compress(orjson.dumps(entries), 1),
        "matched": zlib.compress(np.asarray(edition.matched, np.int64).tobytes(), 1),
        "incomplete": edition.incomplete,
    }


def _edition(row: Any) -> ComposedEdition:
    entries = tuple(
        ComposedEntry(paper, place, news, score, tuple(reasons), version)
        for place, (paper, news, version, score, reasons) in enumerate(
            orjson.loads(zlib.decompress(row.entries)), start=1
        )
    )
    matched = tuple(_keys(row.matched))
    told = (row.id, Audience.parse(row.audience), row.kind, row.first, row.last, row.composed_at)
    return ComposedEdition(*told, entries, matched, row.incomplete)


def _keys(packed: bytes) -> list[int]:
    return np.frombuffer(zlib.decompress(packed), np.int64).tolist()


def edition(connection: Connection, number: int) -> ComposedEdition | None:
    row = connection.execute(sa.select(s.editions).where(s.editions.c.id == number)).first()
    return _edition(row) if row else None


def by_id(connection: Connection, numbers: Collection[int]) -> dict[int, ComposedEdition]:
    found: dict[int, ComposedEdition] = {}
    for chunk in in_chunks(set(numbers)):
        rows = connection.execute(sa.select(s.editions).where(s.editions.c.id.in_(chunk)))
        found |= {row.id: _edition(row) for row in rows}
    return found


def editions(
    connection: Connection, audience: Audience | None, first: str | None, last: str | None, limit: int
) -> list[ComposedEdition]:
    """Stored editions, newest first; see `Store.editions`."""
    query = sa.select(s.editions)
    if audience is not None:
        query = query.where(s.editions.c.audience == audience.key)
    if first is not None:
        query = query.where(s.editions.c.last >= first)
    if last is not None:
        query = query.where(s.editions.c.first <= last)
    rows = connection.execute(query.order_by(s.editions.c.id.desc()).limit(limit))
    return [_edition(row) for row in rows]


# -- what subscriptions got before ------------------------------------------------------------


def mark_delivered(connection: Connection, pairs: Iterable[tuple[int, int, int]]) -> None:
    """Notes (paper, version, subscription), those already noted among them."""
    rows = [{"paper": p, "version": v, "subscription": n} for p, v, n in pairs]
    if not rows:
        return
    # SQLite and PostgreSQL write it alike.
    insert = "INSERT INTO delivered (paper, version, subscription) VALUES (:paper, :version, :subscription)"
    connection.execute(sa.text(f"{insert} ON CONFLICT DO NOTHING"), rows)


def unmark_delivered(connection: Connection, subscription: int, pairs: Iterable[Sequence[int]]) -> None:
    table = s.delivered
    for paper, version in pairs:
        connection.execute(
            table.delete().where(
                table.c.paper == paper, table.c.subscription == subscription, table.c.version == version
            )
        )


def delivered(connection: Connection, subscription: int) -> dict[int, int]:
    """The papers that ``subscription`` got, and the highest version of each that was told (0: none)."""
    table = s.delivered
    query = sa.select(table.c.paper, sa.func.max(table.c.version)).where(table.c.subscription == subscription)
    return dict(tuple(row) for row in connection.execute(query.group_by(table.c.paper)))


def delivered_of(
    connection: Connection, papers: Collection[int], subscriptions: Collection[int]
) -> dict[int, set[tuple[int, int]]]:
    """Of each subscription the (paper, version) among ``papers`` that it got.

    What was delivered under the key of a paper that was merged into one of ``papers`` since counts as it.
    """
    wanted, former = set(subscriptions), _former_keys(connection, papers)
    found: dict[int, set[tuple[int, int]]] = defaultdict(set)
    table = s.delivered
    for chunk in in_chunks({*papers, *former}):
        query = sa.select(table.c.subscription, table.c.paper, table.c.version)
        for number, paper, version in connection.execute(query.where(table.c.paper.in_(chunk))):
            if number in wanted:
                found[number].add((former.get(paper, paper), version))
    return found


def _former_keys(connection: Connection, papers: Collection[int]) -> dict[int, int]:
    """The keys that were merged into ``papers``, also by way of others, and into which."""
    former: dict[int, int] = {}
    kept = {key: key for key in papers}
    while kept:
        found: dict[int, int] = {}
        for chunk in in_chunks(kept):
            query = sa.select(s.merges.c.dropped, s.merges.c.kept).where(
                s.merges.c.kept.in_(chunk), s.merges.c.dropped.is_not(None), s.merges.c.undone.is_(None)
            )
            found |= {dropped: kept[into] for dropped, into in connection.execute(query)}
        kept = {key: into for key, into in found.items() if key not in former and key not in papers}
        former |= kept
    return former


def matched_before(
    connection: Connection, subscriptions: Collection[int], since: str
) -> dict[int, tuple[frozenset[int], ...]]:
    """Of each subscription the papers that its editions of days from ``since`` on considered."""
    lost = ("failed", "bounced", "suppressed")
    by_edition: dict[int, frozenset[int]] = {}
    found: dict[int, list[frozenset[int]]] = defaultdict(list)
    for chunk in in_chunks(set(subscriptions)):
        query = sa.select(s.outbox.c.subscription, s.outbox.c.edition).join(
            s.editions, s.editions.c.id == s.outbox.c.edition
        )
        # What was not delivered may come again.
        query = query.where(
            s.outbox.c.subscription.in_(chunk), s.editions.c.last >= since, s.outbox.c.state.not_in(lost)
        )
        pairs = connection.execute(query).all()
        missing = {number for _, number in pairs} - by_edition.keys()
        for numbers in in_chunks(missing):
            rows = sa.select(s.editions.c.id, s.editions.c.matched).where(s.editions.c.id.in_(numbers))
            for number, packed in connection.execute(rows):
                by_edition[number] = frozenset(_keys(packed))
        for subscription, number in pairs:
            found[subscription].append(by_edition[number])
    return {subscription: tuple(sets) for subscription, sets in found.items()}


# -- what there is to compose from -----------------------------------------------------------


def listed_keys(connection: Connection, first: str, last: str, limit: int) -> list[int]:
    """Keys of the papers that were listed from day ``first`` to day ``last``, the latest stored first."""
    query = sa.select(s.listings.c.paper).where(s.listings.c.day >= first, s.listings.c.day <= last)
    query = query.distinct().order_by(s.listings.c.paper.desc()).limit(limit)
    return list(connection.execute(query).scalars())


def versions_between(connection: Connection, first: str, last: str) -> list[Event]:
    """The versions that were noticed from day ``first`` to day ``last`` (UTC), oldest first."""
    # Numbers rise with time: read from the end, it is over at the first that is too old.
    query = sa.select(s.events).order_by(s.events.c.seq.desc()).execution_options(yield_per=500)
    found: list[Event] = []
    for row in connection.execute(query):
        if row.at[:10] < first:
            break
        if row.kind == "version" and row.at[:10] <= last:
            found.append(Event(row.seq, row.paper, row.kind, row.at, row.data or {}))
    return found[::-1]


def prune(connection: Connection, before: str) -> int:
    """Removes outbox rows that are done with and editions that nothing refers to, of days before ``before``.

    What was delivered to whom stays known. The number of editions.
    """
    done = ("sent", "failed", "bounced", "suppressed", "skipped")
    # The newest row of a subscription says where its next edition begins.
    newest = sa.select(sa.func.max(s.outbox.c.id)).group_by(s.outbox.c.subscription)
    connection.execute(
        s.outbox.delete().where(
            s.outbox.c.slot < before, s.outbox.c.state.in_(done), s.outbox.c.id.not_in(newest)
        )
    )
    used = sa.select(s.outbox.c.edition)
    gone = connection.execute(
        s.editions.delete().where(s.editions.c.last < before, s.editions.c.id.not_in(used))
    )
    return gone.rowcount
