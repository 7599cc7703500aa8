"""Papers brought together and taken apart again, by an import or by an editor; see docs/identity.md."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..model import dates
from ..model.events import Conflict, Merge
from ..model.papers import Record
from . import schema as s
from .agreement import as_record, same_work
from .connection import StoreError, in_chunks
from .merging import State, trust
from .reading import key_of
from .states import Joining, Outcome, free_name, load, mark_apart, save
from .tellings import Telling, together, write_down

EDITOR = "editor"


def unite(kept: State, dropped: State, source: str, where: str, reason: str) -> Joining:
    """Moves all that is told of ``dropped`` to ``kept``; what undoes it is in the answer."""
    write_down(kept)
    write_down(dropped)
    came, stayed = dropped.tellings or [], kept.tellings or []
    for told in came:
        told.changed = True
    kept.tellings = sorted([*stayed, *came], key=_order)
    kept.apart |= dropped.apart
    together(kept)
    return Joining(kept, dropped, came, stayed, source, where, reason)


def _order(told: Telling) -> float:
    return float("inf") if told.number is None else told.number


# -- by an editor ---------------------------------------------------------------------------


def merge(connection: Connection, one: str, other: str, reason: str) -> int:
    """Brings two papers together; see `Store.merge`."""
    keys = [_key(connection, text) for text in (one, other)]
    if keys[0] == keys[1]:
        raise StoreError(f"{one} and {other} are one paper already")
    found = {state.key: state for state in load(connection, keys)}
    kept, dropped = found[keys[0]], found[keys[1]]
    low, high = sorted(keys)
    connection.execute(s.apart.delete().where(s.apart.c.low == low, s.apart.c.high == high))
    joining = unite(kept, dropped, EDITOR, "", reason)
    apart = [(kept, key) for key in dropped.apart - {kept.key}]
    save(connection, Outcome([kept], dropped=[dropped], joinings=[joining], apart=apart))
    return _living(connection, kept.key)[-1].number


def keep_apart(connection: Connection, one: str, other: str) -> None:
    """Notes that two papers are not the same; see `Store.keep_apart`."""
    keys = [_key(connection, text) for text in (one, other)]
    if keys[0] == keys[1]:
        raise StoreError(f"{one} and {other} are one paper; take it apart with: broadsheet split {other}")
    mark_apart(connection, *keys, dates.now())


def split(connection: Connection, text: str, number: int | None, source: str | None) -> tuple[str, str]:
    """Takes a paper apart; see `Store.split`."""
    key = _key(connection, text)
    [state] = load(connection, [key])
    write_down(state)
    merged = None if source else _chosen(connection, state, text, number)
    moved, rest = _parted(state.tellings or [], merged, source)
    if not any(t.has_title() for t in moved) or not any(t.has_title() for t in rest):
        known = ", ".join(sorted({t.source for t in state.tellings or () if t.has_title()}))
        raise StoreError(f"{text} cannot be taken apart so; with a title it is told by: {known}")
    _part_identifiers(moved, rest, set(merged.moved["identifiers"]) if merged else set())
    made = State(merged.dropped if merged else None, (merged.dropped_id or "") if merged else "")
    made.newest = state.newest
    _rebuild(connection, state, rest, ())
    _rebuild(connection, made, moved, state.identifiers)
    outcome = Outcome([state], renamed=[state], apart=[(state, made)])
    if made.key is None:
        outcome.states.append(made)
    else:
        outcome.restored.append(made)
    save(connection, outcome)
    _settle(connection, merged, {t.number for t in moved}, state, made)
    told = {"merge": merged.number} if merged else {}
    pairs = ((state, made), (made, state))
    events = [(one, "split", {"key": other.key, "id": other.id, **told}) for one, other in pairs]
    save(connection, Outcome(events=events))
    return state.id, made.id


def _parted(tellings: list[Telling], merged: Any, source: str | None) -> tuple[list[Telling], list[Telling]]:
    """``tellings`` parted into what goes and what stays."""
    if merged is None:
        return [t for t in tellings if t.source == source], [t for t in tellings if t.source != source]
    numbers, stayed = set(merged.moved["tellings"]), set(merged.moved["stayed"])
    moved = [t for t in tellings if t.number in numbers]
    stay = [t for t in tellings if t.number in stayed]
    later = [t for t in tellings if t.number not in numbers | stayed]
    _follow(moved, stay, later, merged.moved["identifiers"])
    return moved, stay


def _key(connection: Connection, text: str) -> int:
    key = key_of(connection, text)
    if key is None:
        raise StoreError(f"{text} is the id of no stored paper; `broadsheet search` finds ids")
    return key


def _chosen(connection: Connection, state: State, text: str, number: int | None) -> Any:
    """The merge to undo: the one with ``number``, else the narrowest that brought what ``text`` names."""
    living = _living(connection, state.key)
    if number is not None:
        found = [row for row in living if row.number == number]
        if not found:
            raise StoreError(
                f"merge {number} is none of {state.id} that holds; see: broadsheet merge --list {state.id}"
            )
        return found[0]
    if not living:
        sources = ", ".join(dict.fromkeys(t.source for t in state.tellings or ()))
        raise StoreError(
            f"nothing was merged into {state.id}; name with --source what to take out of it: {sources}"
        )
    by_number = {t.number: t for t in state.tellings or ()}
    for row in sorted(living, key=lambda row: (len(row.moved["tellings"]), -row.number)):
        keys = set(row.moved["identifiers"])
        for told in row.moved["tellings"]:
            keys |= set(by_number[told].state.identifiers) if told in by_number else set()
        if any(text.strip().casefold() in (key.casefold(), key.partition(":")[2].casefold()) for key in keys):
            return row
    return living[-1]


def _living(connection: Connection, key: int | None) -> list[Any]:
    """Merges that hold of the paper with ``key``, also of papers that were merged into it; oldest first."""
    found: dict[int, Any] = {}
    keys = {key}
    while keys:
        query = sa.select(s.merges).where(s.merges.c.kept.in_(keys), s.merges.c.undone.is_(None))
        rows = list(connection.execute(query))
        found |= {row.number: row for row in rows}
        keys = {row.dropped for row in rows if row.dropped is not None}
    return [found[number] for number in sorted(found)]


def _follow(moved: list[Telling], stay: list[Telling], later: list[Telling], owned: Collection[str]) -> None:
    """Gives what was told since to the paper that it names alone or, where it names none, agrees with."""
    own = set(owned) or _claims(moved) - _claims(stay)
    theirs = _claims(stay) - own
    for told in later:
        names = _claims([told])
        if names:
            goes = bool(names & own) and not names & theirs
        else:
            record = as_record(told.state) if told.has_title() else None
            goes = record is not None and _is_of(moved, record) and not _is_of(stay, record)
        (moved if goes else stay).append(told)


def _claims(tellings: Collection[Telling]) -> set[str]:
    return {key for told in tellings for key in told.state.identifiers if not key.startswith("title:")}


def _is_of(tellings: list[Telling], record: Record) -> bool:
    """Whether ``record`` agrees with what ``tellings`` say together."""
    state = State(None, tellings=tellings)
    together(state)
    state.identifiers = {}
    return bool(state.fields.get("title")) and same_work(state, record)


def _part_identifiers(moved: list[Telling], rest: list[Telling], owned: set[str]) -> None:
    """Leaves each identifier with one of the two; the other's tellings keep it as denied.

    What the paper had before it was merged is its own again. Otherwise who would have none at all gets
    it, then whose source is trusted more.
    """
    for key in sorted(_claims(moved) & _claims(rest)):
        if owned:
            to_moved = key in owned
        else:
            only_moved, only_rest = _claims(moved) - _claims(rest), _claims(rest) - _claims(moved)
            if bool(only_moved) != bool(only_rest):
                to_moved = not only_moved
            else:
                to_moved = _trust_in(moved, key) > _trust_in(rest, key)
        for told in rest if to_moved else moved:
            if told.state.identifiers.pop(key, None) is not None:
                told.denied = (told.denied or set()) | {key}
                told.changed = True


def _trust_in(tellings: list[Telling], key: str) -> int:
    return max(trust(told.source) for told in tellings if key in told.state.identifiers)


def _rebuild(connection: Connection, state: State, tellings: list[Telling], taken: Collection[str]) -> None:
    """Makes ``state`` what ``tellings`` say, with a name made from its title where it has no other."""
    state.tellings = sorted(tellings, key=_order)
    for told in tellings:
        told.changed = True
    if not any(told.state.identifiers for told in tellings):
        titled = next(told for told in state.tellings if told.has_title())
        name = free_name(connection, titled.state.fields["title"], taken)
        titled.state.identifiers[name] = titled.source
        titled.changed = True
    together(state)


def _settle(connection: Connection, merged: Any, numbers: set[int | None], state: State, made: State) -> None:
    """Notes that ``merged`` is undone, and with which of the two papers the other merges are now."""
    table, now = s.merges, dates.now()
    for row in _living(connection, state.key):
        told = row.moved["tellings"]
        if merged is not None and row.number == merged.number:
            values: dict[str, Any] = {"undone": now}
        elif row.kept == state.key and numbers.issuperset(told):
            values = {"undone": now} if numbers == set(told) else {"kept": made.key}
        else:
            continue
        connection.execute(table.update().where(table.c.number == row.number).values(values))


# -- to be looked at ------------------------------------------------------------------------


def merges(connection: Connection, text: str | None) -> list[Merge]:
    """What was brought together, newest first; see `Store.merges`."""
    if text is None:
        rows = connection.execute(sa.select(s.merges).order_by(s.merges.c.number.desc())).all()
    else:
        rows = _living(connection, _key(connection, text))[::-1]
    into = {row.dropped: row.kept for row in rows if row.dropped is not None and not row.undone}
    where = {row.number: _last(row.kept, into) for row in rows}
    numbers = {number for row in rows for number in row.moved["tellings"]}
    sources: dict[int, str] = {}
    for chunk in in_chunks(numbers):
        query = sa.select(s.tellings.c.number, s.tellings.c.source).where(s.tellings.c.number.in_(chunk))
        sources |= dict(tuple(row) for row in connection.execute(query))
    names = _names(connection, set(where.values()))
    found = []
    for row in rows:
        paper, title = names.get(where[row.number], ("", ""))
        told = tuple(dict.fromkeys(sources[n] for n in row.moved["tellings"] if n in sources))
        why = (row.source, row.place, row.reason, row.undone or "")
        found.append(Merge(row.number, row.at, paper, title, row.dropped_id or "", told, *why))
    return found


def _last(key: int, into: dict[int, int]) -> int:
    while key in into:
        key = into[key]
    return key


def _names(connection: Connection, keys: Collection[int]) -> dict[int, tuple[str, str]]:
    """(id, title) of the papers with ``keys``."""
    found: dict[int, tuple[str, str]] = {}
    for chunk in in_chunks(keys):
        query = sa.select(s.papers.c.key, s.papers.c.id, s.papers.c.title).where(s.papers.c.key.in_(chunk))
        found |= {key: (name, title) for key, name, title in connection.execute(query)}
    return found


def conflicts(connection: Connection, limit: int | None) -> list[Conflict]:
    """What an editor should look at, newest first; see `Store.conflicts`."""
    one, other, table = s.papers.alias("one"), s.papers.alias("other"), s.conflicts
    apart = sa.select(s.apart.c.low).where(s.apart.c.low == table.c.low, s.apart.c.high == table.c.high)
    query = (
        sa.select(table, one.c.id, one.c.title, other.c.id, other.c.title)
        .join(one, one.c.key == table.c.low)
        .join(other, other.c.key == table.c.high)
        .where(~apart.exists())
        .order_by(table.c.at.desc(), table.c.low, table.c.high, table.c.kind)
    )
    rows = connection.execute(query.limit(limit)).all()
    return [Conflict(row[0], row[3], (row[7], row[8]), (row[9], row[10]), *row[4:7]) for row in rows]
