"""How far gathering is: cursors, leases, and what was announced and is not stored."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..model import dates
from ..model.gathering import Announced, Coverage, GatherState
from . import schema as s
from .connection import in_chunks

_CLOCK = {
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())::float8",
}


def _now(connection: Connection) -> float:
    """Seconds since 1970 by the clock of the database, which all workers share."""
    return connection.execute(sa.text(_CLOCK[connection.dialect.name])).scalar()


def put(connection: Connection, table: sa.Table, key: dict[str, Any], values: dict[str, Any]) -> None:
    """Writes ``values`` into the row of ``key``, making it where there is none; by the one writer."""
    where = [table.c[name] == value for name, value in key.items()]
    if not connection.execute(table.update().where(*where).values(values)).rowcount:
        connection.execute(table.insert().values(key | values))


# -- cursors --------------------------------------------------------------------------------


def states(connection: Connection, sources: Sequence[str] | None) -> list[GatherState]:
    query = sa.select(s.gathers)
    if sources is not None:
        query = query.where(s.gathers.c.source.in_(list(sources)))
    rows = {row.source: row for row in connection.execute(query.order_by(s.gathers.c.source))}
    leases = sa.select(s.leases.c.name, s.leases.c.holder).where(s.leases.c.until > _now(connection))
    holders = dict(tuple(row) for row in connection.execute(leases))
    found = []
    for source in rows if sources is None else sources:
        row, holder = rows.get(source), holders.get(source, "")
        if row is None:
            found.append(GatherState(source, {}, holder=holder))
        else:
            told = (row.tried, row.succeeded, row.problem, row.failures)
            found.append(GatherState(source, row.cursor or {}, *told, holder))
    return found


_NEVER = {"tried": "", "succeeded": "", "problem": "", "failures": 0}


def save_cursor(connection: Connection, source: str, cursor: dict[str, Any]) -> None:
    table = s.gathers
    found = connection.execute(table.update().where(table.c.source == source).values(cursor=cursor))
    if not found.rowcount:
        connection.execute(table.insert().values(source=source, cursor=cursor, **_NEVER))


def note(connection: Connection, source: str, tried: str, problem: str) -> None:
    """Records the end of a run; see `Store.note_gather`."""
    [state] = states(connection, [source])
    values: dict[str, Any] = {"tried": tried, "problem": problem, "failures": state.failures + 1}
    if not problem:
        values |= {"succeeded": tried, "failures": 0}
    found = connection.execute(s.gathers.update().where(s.gathers.c.source == source).values(values))
    if not found.rowcount:
        connection.execute(s.gathers.insert().values(_NEVER | values | {"source": source}))
    _forget_found(connection, source)


# -- leases ---------------------------------------------------------------------------------


def claim(connection: Connection, name: str, worker: str, seconds: float, now: float | None) -> bool:
    """Whether ``worker`` holds the lease ``name`` from now on; see `Store.claim`."""
    if now is None:
        now = _now(connection)
    row = connection.execute(sa.select(s.leases).where(s.leases.c.name == name)).first()
    if row is not None and row.holder != worker and row.until > now:
        return False
    put(connection, s.leases, {"name": name}, {"holder": worker, "until": now + seconds})
    return True


def release(connection: Connection, name: str, worker: str) -> None:
    connection.execute(s.leases.delete().where(s.leases.c.name == name, s.leases.c.holder == worker))


# -- coverage -------------------------------------------------------------------------------


def announce(connection: Connection, source: str, announced: Sequence[Announced]) -> None:
    """Adds ``announced`` to what is known of these lists and days.

    A listing is not taken back by a later try that failed; papers that were named stay named.
    """
    tried = dates.now()
    for told in announced:
        where = {"source": source, "list": told.list, "day": told.day}
        row = connection.execute(_same(sa.select(s.announcements), s.announcements, where)).first()
        names = _unpacked(row.identifiers) if row else []
        known = set(names)
        added = [key for key in dict.fromkeys(told.identifiers) if key not in known]
        names += added
        listed = not told.state or bool(added) or (row is not None and not row.state)
        count = told.count if told.count is not None else (row.count if row else None)
        put(
            connection,
            s.announcements,
            where,
            {
                "count": count,
                "named": len(names),
                "identifiers": _packed(names),
                "state": "" if listed else told.state,
                "reason": told.reason,
                "tried": tried,
            },
        )
        stored = _stored(connection, added)
        rows = [{**where, "identifier": key} for key in added if key not in stored]
        if rows:
            connection.execute(s.absent.insert(), rows)


def coverage(connection: Connection, first: str, last: str, source: str | None) -> list[Coverage]:
    """What was announced from day ``first`` to day ``last``; see `Store.coverage`."""
    table = s.announcements
    columns = [column for column in table.c if column.name != "identifiers"]
    query = sa.select(*columns).where(table.c.day >= first, table.c.day <= last)
    if source is not None:
        query = query.where(table.c.source == source)
    query = query.order_by(table.c.day, table.c.source, table.c.list)
    absent = _absent(connection, s.absent.c.day >= first, s.absent.c.day <= last)
    found = []
    for row in connection.execute(query):
        missing = tuple(absent.get((row.source, row.list, row.day), ()))
        found.append(_covered(connection, row, missing))
    return found


def _covered(connection: Connection, row: Any, missing: tuple[str, ...]) -> Coverage:
    stored, announced = row.named - len(missing), row.named
    if row.state:
        announced = None
    elif row.count is not None and row.count > row.named:
        # The source told only how many there are: those count that stand in its list on that day.
        announced = row.count
        query = sa.select(sa.func.count(sa.distinct(s.listings.c.paper)))
        query = query.where(s.listings.c.list == row.list, s.listings.c.day == row.day)
        stored = min(announced, max(stored, connection.execute(query).scalar() or 0))
    state = row.state or ("complete" if stored >= announced else "incomplete")
    reason = "" if state == "complete" else row.reason
    return Coverage(row.source, row.list, row.day, announced, stored, missing, state, reason, row.tried)


def missing(connection: Connection, source: str) -> list[tuple[str, str, list[str]]]:
    """What ``source`` announced and is not stored; see `Store.missing`."""
    absent = _absent(connection, s.absent.c.source == source)
    return [(name, day, keys) for (_, name, day), keys in absent.items()]


def _absent(connection: Connection, *conditions: Any) -> dict[tuple[str, str, str], list[str]]:
    """Keys that no stored paper has, of each (source, list, day), by day."""
    table = s.absent
    stored = sa.select(s.identifiers.c.paper).where(s.identifiers.c.identifier == table.c.identifier)
    query = sa.select(table).where(*conditions, ~stored.exists())
    found: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    order = (table.c.day, table.c.source, table.c.list, table.c.identifier)
    for row in connection.execute(query.order_by(*order)):
        found[row.source, row.list, row.day].append(row.identifier)
    return found


def _forget_found(connection: Connection, source: str) -> None:
    """Takes what is stored by now off the list of what is absent."""
    stored = sa.select(s.identifiers.c.paper).where(s.identifiers.c.identifier == s.absent.c.identifier)
    connection.execute(s.absent.delete().where(s.absent.c.source == source, stored.exists()))


def _stored(connection: Connection, keys: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for chunk in in_chunks(keys):
        query = sa.select(s.identifiers.c.identifier).where(s.identifiers.c.identifier.in_(chunk))
        found.update(connection.execute(query).scalars())
    return found


def _same(query: sa.Select[Any], table: sa.Table, key: dict[str, Any]) -> sa.Select[Any]:
    return query.where(*(table.c[name] == value for name, value in key.items()))


def _packed(names: Sequence[str]) -> bytes | None:
    return zlib.compress("\n".join(names).encode()) if names else None


def _unpacked(packed: bytes | None) -> list[str]:
    return zlib.decompress(packed).decode().split("\n") if packed else []
