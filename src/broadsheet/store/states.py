"""Papers between the database and an import: read with all that is theirs, written back with what changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..model import dates
from ..model.identifiers import title_identifier
from ..model.papers import Counts
from . import schema as s
from .connection import in_chunks
from .merging import State, title_hash
from .reading import authors_of, link_of, listing_of
from .tellings import Telling


@dataclass(slots=True)
class Joining:
    """A paper, or a first telling of a source, that came to the paper ``kept``; see `schema.merges`.

    ``stayed`` are the tellings that ``kept`` had.
    """

    kept: State
    dropped: State | None
    tellings: list[Telling]
    stayed: list[Telling]
    source: str
    where: str
    reason: str


@dataclass(slots=True)
class Doubt:
    """Two papers at which an editor should look, and why; see `schema.conflicts`."""

    kind: str
    one: State
    other: State
    source: str
    where: str
    reason: str


@dataclass(slots=True)
class Outcome:
    """What a transaction makes of papers, to be written at its end."""

    states: list[State] = field(default_factory=list)
    # Papers that are taken away, that come back under their old key, and that may give up their id.
    dropped: list[State] = field(default_factory=list)
    restored: list[State] = field(default_factory=list)
    renamed: list[State] = field(default_factory=list)
    # (paper, kind, data) of what happened to papers that were stored before.
    events: list[tuple[State, str, dict[str, Any]]] = field(default_factory=list)
    joinings: list[Joining] = field(default_factory=list)
    # Papers that no import may bring together.
    apart: list[tuple[State, int | State]] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


# -- reading --------------------------------------------------------------------------------


def load(connection: Connection, keys: Iterable[int]) -> list[State]:
    """The papers with ``keys``, with all that is theirs."""
    states: dict[int, State] = {}
    for chunk in in_chunks(set(keys)):
        for row in connection.execute(sa.select(s.papers).where(s.papers.c.key.in_(chunk))).mappings():
            state = states[row["key"]] = State(row["key"], row["id"], newest=row["newest"])
            state.fields = {name: row[name] for name in _COLUMNS if row[name] not in (None, "")}
            state.extra = dict(row["extra"] or {})
            state.provenance = dict(row["provenance"] or {})
        for key, names in authors_of(connection, chunk).items():
            states[key].fields["authors"] = names
        for row in _children(connection, s.categories, chunk, "position"):
            states[row.paper].fields.setdefault("categories", []).append(row.name)
        for row in _children(connection, s.identifiers, chunk):
            states[row.paper].identifiers[row.identifier] = row.source
        for row in _children(connection, s.links, chunk, "position"):
            states[row.paper].links[row.kind, row.url] = link_of(row)
        for row in _children(connection, s.versions, chunk):
            states[row.paper].versions[row.number] = row.date
        for row in _children(connection, s.listings, chunk):
            states[row.paper].listings[row.telling] = listing_of(row)
        for row in _children(connection, s.counts, chunk):
            states[row.paper].counts[row.source, row.day] = Counts(
                row.source, row.day, row.upvotes, row.num_comments, row.github_stars, row.citations
            )
        for row in _children(connection, s.bibliographies, chunk):
            states[row.paper].fields["references"] = row.identifiers
        for row in _children(connection, s.tellings, chunk, "number"):
            state = states[row.paper]
            told = Telling(row.number, row.source, row.body, (state.fields, state.extra))
            state.tellings = [*(state.tellings or ()), told]
        for low, high in connection.execute(_apart(chunk)):
            for one, other in ((low, high), (high, low)):
                if one in states:
                    states[one].apart.add(other)
    return list(states.values())


def _children(connection: Connection, table: sa.Table, keys: Sequence[int], order: str | None = None) -> Any:
    query = sa.select(table).where(table.c.paper.in_(keys))
    return connection.execute(query.order_by(table.c.paper, table.c[order]) if order else query)


def _apart(keys: Sequence[int]) -> sa.Select[Any]:
    table = s.apart
    return sa.select(table.c.low, table.c.high).where(table.c.low.in_(keys) | table.c.high.in_(keys))


# -- writing --------------------------------------------------------------------------------


def save(connection: Connection, outcome: Outcome) -> None:
    """Writes all of ``outcome``: papers first, then what is said of them."""
    now = dates.now()
    new = [state for state in outcome.states if state.key is None]
    changed = [state for state in outcome.states if state.changed and state.key is not None]
    first = take_numbers(connection, "next_key", len(new))
    for key, state in enumerate(new, first):
        state.key = key
    new += outcome.restored
    # Identifiers are one paper's each: what moves between papers is taken off before it is put on.
    touched = {
        table.name: [state for state in changed if table.name in state.changed] for table in _CHILD_ROWS
    }
    for table in _CHILD_ROWS:
        for chunk in in_chunks([state.key for state in touched[table.name] + outcome.dropped]):
            connection.execute(table.delete().where(table.c.paper.in_(chunk)))
    _free_ids(connection, [state.key for state in outcome.dropped + outcome.renamed])
    rows = [_paper_row(state, now) for state in new]
    if rows:
        connection.execute(s.papers.insert(), rows)
    rows = [_paper_row(state, now) for state in changed]
    if rows:
        statement = s.papers.update().where(s.papers.c.key == sa.bindparam("_key"))
        columns = {c.name: sa.bindparam(c.name) for c in s.papers.c if c.name != "key"}
        connection.execute(statement.values(columns), [{**row, "_key": row.pop("key")} for row in rows])
    for table, rows_of in _CHILD_ROWS.items():
        rows = [row for state in new + touched[table.name] for row in rows_of(state)]
        if rows:
            connection.execute(table.insert(), rows)
    _save_tellings(connection, outcome.states + outcome.restored)
    for chunk in in_chunks([state.key for state in outcome.dropped]):
        connection.execute(s.papers.delete().where(s.papers.c.key.in_(chunk)))
    _log(connection, [state.key for state in outcome.dropped], "removed", now)
    _log(connection, [state.key for state in new + changed], "changed", now)
    numbers = _save_joinings(connection, outcome.joinings, now)
    for one, other in outcome.apart:
        mark_apart(connection, one.key, other.key if isinstance(other, State) else other, now)
    _save_doubts(connection, outcome.doubts, now)
    events = [*outcome.events, *_merged(outcome.joinings, numbers)]
    _save_events(connection, events, now)


def _free_ids(connection: Connection, keys: list[int | None]) -> None:
    """Takes the ids off papers that give way to others, so that no two have one at any moment."""
    for chunk in in_chunks(keys):
        away = {"id": sa.literal("away-") + sa.cast(s.papers.c.key, sa.Text)}
        connection.execute(s.papers.update().where(s.papers.c.key.in_(chunk)).values(away))


def _save_tellings(connection: Connection, states: list[State]) -> None:
    fresh, changed = [], []
    for state in states:
        for told in state.tellings or ():
            if told.number is None:
                fresh.append((state, told))
            elif told.changed:
                changed.append((state, told))
    if fresh:
        first = take_numbers(connection, "next_telling", len(fresh))
        for number, (_, told) in enumerate(fresh, first):
            told.number = number
        rows = [
            {"number": told.number, "paper": state.key, "source": told.source, "body": _body(state, told)}
            for state, told in fresh
        ]
        connection.execute(s.tellings.insert(), rows)
    if changed:
        table = s.tellings
        statement = table.update().where(table.c.number == sa.bindparam("_number"))
        values = {"paper": sa.bindparam("paper"), "body": sa.bindparam("body")}
        rows = [
            {"_number": told.number, "paper": state.key, "body": _body(state, told)}
            for state, told in changed
        ]
        connection.execute(statement.values(values), rows)


def _body(state: State, told: Telling) -> bytes:
    told.changed = False
    return told.packed((state.fields, state.extra))


def _save_joinings(connection: Connection, joinings: list[Joining], now: str) -> list[int]:
    first = take_numbers(connection, "next_merge", len(joinings))
    rows = [
        {
            "number": number, "at": now, "kept": joining.kept.key,
            "dropped": joining.dropped.key if joining.dropped else None,
            "dropped_id": joining.dropped.id if joining.dropped else None,
            "source": joining.source, "place": joining.where, "reason": joining.reason,
            "moved": {
                "tellings": [told.number for told in joining.tellings],
                "identifiers": list(joining.dropped.identifiers) if joining.dropped else [],
                "stayed": [told.number for told in joining.stayed],
            },
            "undone": None,
        }
        for number, joining in enumerate(joinings, first)
    ]  # fmt: skip
    if rows:
        connection.execute(s.merges.insert(), rows)
    return [row["number"] for row in rows]


def _merged(joinings: list[Joining], numbers: list[int]) -> list[tuple[State, str, dict[str, Any]]]:
    """The events of papers that were brought together."""
    return [
        (joining.kept, "merged", {"key": joining.dropped.key, "id": joining.dropped.id, "merge": number})
        for joining, number in zip(joinings, numbers, strict=True)
        if joining.dropped is not None and joining.dropped.key is not None
    ]


def mark_apart(connection: Connection, one: int, other: int, now: str) -> None:
    """Notes that the two papers are not the same."""
    low, high = sorted((one, other))
    table = s.apart
    found = connection.execute(sa.select(table).where(table.c.low == low, table.c.high == high)).first()
    if found is None:
        connection.execute(table.insert().values(low=low, high=high, at=now))


def _save_doubts(connection: Connection, doubts: list[Doubt], now: str) -> None:
    rows: dict[tuple[str, int, int], dict[str, Any]] = {}
    for doubt in doubts:
        low, high = sorted((doubt.one.key or 0, doubt.other.key or 0))
        if low == high or high in doubt.one.apart | doubt.other.apart:
            continue
        told = {"source": doubt.source, "place": doubt.where, "reason": doubt.reason, "at": now}
        rows.setdefault((doubt.kind, low, high), {"kind": doubt.kind, "low": low, "high": high, **told})
    table = s.conflicts
    for chunk in in_chunks([low for _, low, _ in rows]):
        query = sa.select(table.c.kind, table.c.low, table.c.high).where(table.c.low.in_(chunk))
        for known in connection.execute(query):
            rows.pop(tuple(known), None)
    if rows:
        connection.execute(table.insert(), list(rows.values()))


def _save_events(connection: Connection, events: list[tuple[State, str, dict[str, Any]]], now: str) -> None:
    first = take_numbers(connection, "next_event", len(events))
    rows = [
        {"seq": seq, "paper": state.key, "kind": kind, "at": now, "data": data}
        for seq, (state, kind, data) in enumerate(events, first)
    ]
    if rows:
        connection.execute(s.events.insert(), rows)


def _log(connection: Connection, keys: list[int | None], kind: str, now: str) -> None:
    if not keys:
        return
    for chunk in in_chunks(keys):
        connection.execute(s.changes.delete().where(s.changes.c.paper.in_(chunk)))
    first = take_numbers(connection, "next_change", len(keys))
    connection.execute(
        s.changes.insert(),
        [{"paper": key, "seq": seq, "kind": kind, "at": now} for seq, key in enumerate(keys, first)],
    )


def free_name(connection: Connection, title: str, taken: Collection[str] = ()) -> str:
    """The key of an identifier made from ``title`` that no paper has, nor is among ``taken``."""
    made = title_identifier(title).key
    number, name = 1, made
    query = sa.select(s.identifiers.c.paper)
    while name in taken or connection.execute(query.where(s.identifiers.c.identifier == name)).first():
        number += 1
        name = f"{made}-{number}"
    return name


def take_numbers(connection: Connection, name: str, how_many: int) -> int:
    """The first of ``how_many`` numbers that were never given before and never will be."""
    if not how_many:
        return 0
    row = connection.execute(sa.select(s.meta.c.value).where(s.meta.c.name == name)).scalar()
    first = int(row) if row else 1
    values = {"value": str(first + how_many)}
    if row is None:
        connection.execute(s.meta.insert(), {"name": name, **values})
    else:
        connection.execute(s.meta.update().where(s.meta.c.name == name).values(values))
    return first


_COLUMNS = (
    "title", "abstract", "published", "updated", "venue", "comment", "submitter", "submitter_account",
    "ai_summary", "ai_keywords", "organization", "withdrawn", "licence",
)  # fmt: skip


def _paper_row(state: State, now: str) -> dict[str, Any]:
    row: dict[str, Any] = {name: state.fields.get(name) for name in _COLUMNS}
    row["abstract"] = row["abstract"] or ""
    row.update(
        key=state.key,
        id=state.id,
        title_hash=title_hash(row["title"]),
        first_listed=state.first_listed,
        newest=row["published"] or state.first_listed or state.newest or now,
        upvotes=state.upvotes,
        num_comments=state.num_comments,
        github_stars=state.github_stars,
        citations=state.citations,
        extra=state.extra or None,
        provenance=state.provenance or None,
    )
    return row


def _author_rows(state: State) -> list[dict[str, Any]]:
    return [
        {"paper": state.key, "position": position, "name": author.name, "account": author.account}
        for position, author in enumerate(state.fields.get("authors") or ())
    ]


def _category_rows(state: State) -> list[dict[str, Any]]:
    names = state.fields.get("categories") or ()
    return [{"paper": state.key, "position": position, "name": name} for position, name in enumerate(names)]


def _identifier_rows(state: State) -> list[dict[str, Any]]:
    return [
        {"paper": state.key, "identifier": key, "source": source} for key, source in state.identifiers.items()
    ]


def _version_rows(state: State) -> list[dict[str, Any]]:
    return [{"paper": state.key, "number": number, "date": date} for number, date in state.versions.items()]


def _link_rows(state: State) -> list[dict[str, Any]]:
    return [
        {
            "paper": state.key, "position": position, "kind": link.kind, "url": link.url,
            "source": link.source, "provenance": link.provenance, "data": link.data,
        }
        for position, link in enumerate(state.links.values())
    ]  # fmt: skip


def _listing_rows(state: State) -> list[dict[str, Any]]:
    return [
        {
            "paper": state.key, "telling": name, "list": listing.list, "day": listing.day,
            "rank": listing.rank, "source": listing.source, "upvotes": listing.upvotes,
            "num_comments": listing.num_comments, "submitter": listing.submitter,
            "submitter_account": listing.submitter_account,
        }
        for name, listing in state.listings.items()
    ]  # fmt: skip


def _count_rows(state: State) -> list[dict[str, Any]]:
    return [
        {
            "paper": state.key, "source": source, "day": day, "upvotes": counted.upvotes,
            "num_comments": counted.num_comments, "github_stars": counted.github_stars,
            "citations": counted.citations,
        }
        for (source, day), counted in state.counts.items()
    ]  # fmt: skip


def _bibliography_rows(state: State) -> list[dict[str, Any]]:
    cited = state.fields.get("references")
    return [{"paper": state.key, "identifiers": cited}] if cited else []


_CHILD_ROWS: dict[sa.Table, Callable[[State], list[dict[str, Any]]]] = {
    s.authors: _author_rows,
    s.categories: _category_rows,
    s.identifiers: _identifier_rows,
    s.versions: _version_rows,
    s.links: _link_rows,
    s.listings: _listing_rows,
    s.counts: _count_rows,
    s.bibliographies: _bibliography_rows,
}
