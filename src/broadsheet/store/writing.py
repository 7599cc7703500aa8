"""Storing records: identity is resolved, fields are merged, every change is logged."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ..model import dates
from ..model.identifiers import SCHEMES, title_identifier
from ..model.papers import Counts, ImportReport, Record, Rejection, Withdrawal
from ..model.validation import RecordError, checked
from . import schema as s
from .connection import WriteTransaction, in_chunks
from .merging import State, absorb, conflicting, same_work, title_hash, unite
from .reading import authors_of, link_of, listing_of

log = logging.getLogger(__name__)

# Records in one transaction: enough to make its cost small, few enough that a search or a vote
# does not wait long and that a kill costs a second of work.
BATCH = 1000

Item = Record | Rejection | Withdrawal
Finish = Callable[[Connection], None]


def add(
    engine: Engine,
    items: Iterable[Item],
    progress: Callable[[int], None] | None = None,
    finish: Finish | None = None,
) -> ImportReport:
    """Stores ``items`` in batches; see `Store.add`. ``finish`` is called in the transaction of the last."""
    report = ImportReport()
    seen: set[tuple[str, int]] = set()
    for batch, last in _batches(items, finish):
        records = list(_checked(batch, report))
        if records or last:
            with WriteTransaction(engine) as connection:
                outcome = _Batch(connection, seen).run(records)
                if last:
                    last(connection)
            report.new += outcome["new"]
            report.updated += outcome["updated"]
            report.unchanged += outcome["unchanged"]
        if progress:
            progress(len(batch))
    return report


def _batches(items: Iterable[Item], finish: Finish | None) -> Iterator[tuple[list[Item], Finish | None]]:
    """``items`` a transaction at a time, with what ends the last one."""
    if finish is None:
        iterator = iter(items)
        while batch := list(islice(iterator, BATCH)):
            yield batch, None
        return
    listed = list(items)
    for start in range(0, max(len(listed), 1), BATCH):
        yield listed[start : start + BATCH], finish if start + BATCH >= len(listed) else None


def _checked(items: Iterable[Item], report: ImportReport) -> Iterator[Record]:
    """The records of ``items`` that can be stored; the others are put into ``report``."""
    for item in items:
        report.read += 1
        if isinstance(item, Rejection):
            report.rejected.append(item)
            continue
        try:
            yield checked(_withdrawn(item) if isinstance(item, Withdrawal) else item)
        except RecordError as error:
            report.rejected.append(Rejection(item.where, str(error)))


def _withdrawn(told: Withdrawal) -> Record:
    """A withdrawal as a record that adds to a stored paper."""
    extra = {"withdrawn_reason": told.reason} if told.reason else {}
    return Record("", told.source, told.where, [told.identifier], withdrawn=told.day, extra=extra)


class _Batch:
    """One transaction of an import.

    ``seen`` holds (source, paper key) of what this import has told already, across its batches.
    """

    def __init__(self, connection: Connection, seen: set[tuple[str, int]]):
        self.connection = connection
        self.seen = seen
        self.by_identifier: dict[str, State] = {}
        self.by_title: dict[str, list[State]] = defaultdict(list)
        self.dropped: list[State] = []
        # (paper, kind, data) of what happened to papers that were stored before.
        self.events: list[tuple[State, str, dict[str, Any]]] = []

    def run(self, records: Sequence[Record]) -> dict[str, int]:
        self._load(records)
        outcome = {"new": 0, "updated": 0, "unchanged": 0}
        states: list[tuple[str, State]] = []
        told: set[tuple[str, int]] = set()
        for record in records:
            state = self._resolve(record)
            created = state is None
            if state is None:
                if not record.title:
                    outcome["unchanged"] += 1
                    continue
                state = self._create(record)
            before = set(state.changed)
            state.changed.clear()
            settled = (record.source, id(state)) in told or (record.source, state.key) in self.seen
            newest, withdrawn = max(state.versions, default=None), state.fields.get("withdrawn")
            title = state.fields.get("title")
            absorb(state, record, settled)
            if not created:
                self._note(state, record, newest, withdrawn, title)
            told.add((record.source, id(state)))
            self._index(state, record)
            outcome["new" if created else "updated" if state.changed else "unchanged"] += 1
            state.changed |= before
            states.append((record.source, state))
        self._store(list({id(state): state for _, state in states}.values()))
        self.seen.update((source, state.key) for source, state in states)
        return outcome

    def _note(
        self, state: State, record: Record, newest: int | None, withdrawn: str | None, title: str | None
    ) -> None:
        """Logs what ``record`` changed in a paper that had this newest version, withdrawal and title."""
        number = max(state.versions, default=None)
        if newest is not None and number is not None and number > newest:
            data = {"number": number, "date": state.versions[number], "source": record.source}
            if state.fields.get("title") != title:
                data["title"] = title
            self.events.append((state, "version", data))
        day = state.fields.get("withdrawn")
        if day and not withdrawn:
            reason = record.extra.get("withdrawn_reason", "")
            self.events.append(
                (state, "withdrawn", {"day": day[:10], "source": record.source, "reason": reason})
            )

    # -- identity ---------------------------------------------------------------------------

    def _resolve(self, record: Record) -> State | None:
        """The paper that ``record`` tells of, or None when it is a new one."""
        found: list[State] = []
        for identifier in sorted(record.identifiers, key=lambda i: SCHEMES.index(i.scheme)):
            state = self.by_identifier.get(identifier.key)
            if state is not None and state not in found:
                found.append(state)
        if found:
            return self._reconcile(record, found)
        if not record.title:
            return None
        for state in self.by_title.get(title_hash(record.title), ()):
            if same_work(state, record):
                return state
        return None

    def _reconcile(self, record: Record, found: list[State]) -> State:
        """One paper for a record whose identifiers lead to several."""
        kept = found[0]
        for other in found[1:]:
            as_identifiers = [i for i in record.identifiers if i.value in other.values(i.scheme)]
            agree = title_hash(kept.fields["title"]) == title_hash(other.fields["title"])
            clash = any(kept.values(sc) and other.values(sc) for sc in SCHEMES if sc != "title")
            bridge = replace(record, identifiers=[])
            if agree and not clash and (same_work(other, bridge) or same_work(other, _as_record(kept))):
                unite(kept, other)
                self._forget(other, kept)
            else:
                # Each identifier stays with the paper it was first known for.
                names = ", ".join(i.key for i in as_identifiers)
                log.warning(
                    "%s: %s is known as another paper (%s); kept apart", record.where, names, other.id
                )
                record.identifiers = [i for i in record.identifiers if i not in as_identifiers]
        record.identifiers = [i for i in record.identifiers if self.by_identifier.get(i.key, kept) is kept]
        if conflicting(kept, record.identifiers):
            # A second value of a scheme is an alias only where it is known as one already.
            record.identifiers = [
                i for i in record.identifiers if not kept.values(i.scheme) or i.value in kept.values(i.scheme)
            ]
        return kept

    def _forget(self, other: State, kept: State) -> None:
        for key, state in self.by_identifier.items():
            if state is other:
                self.by_identifier[key] = kept
        for states in self.by_title.values():
            if other in states:
                states.remove(other)
        if other.key is not None:
            self.dropped.append(other)

    def _create(self, record: Record) -> State:
        state = State(key=None)
        if not record.identifiers:
            identifier = title_identifier(record.title)
            number, value = 1, identifier.value
            while f"title:{value}" in self.by_identifier or self._taken(f"title:{value}"):
                number += 1
                value = f"{identifier.value}-{number}"
            state.identifiers[f"title:{value}"] = record.source
            state.changed.add("identifiers")
        return state

    def _taken(self, identifier: str) -> bool:
        query = sa.select(s.identifiers.c.paper).where(s.identifiers.c.identifier == identifier)
        return self.connection.execute(query).first() is not None

    def _index(self, state: State, record: Record) -> None:
        for key in state.identifiers:
            self.by_identifier[key] = state
        for title in {record.title or state.fields["title"], state.fields["title"]}:
            states = self.by_title[title_hash(title)]
            if state not in states:
                states.append(state)

    # -- reading what is stored -------------------------------------------------------------

    def _load(self, records: Sequence[Record]) -> None:
        """Brings in all stored papers that the records may be, by identifier or by title."""
        keys = {i.key for record in records for i in record.identifiers}
        hashes = {title_hash(record.title) for record in records if record.title}
        found: set[int] = set()
        for chunk in in_chunks(keys):
            query = sa.select(s.identifiers.c.paper).where(s.identifiers.c.identifier.in_(chunk))
            found.update(self.connection.execute(query).scalars())
        for chunk in in_chunks(hashes):
            query = sa.select(s.papers.c.key).where(s.papers.c.title_hash.in_(chunk))
            found.update(self.connection.execute(query).scalars())
        for state in self._states(found):
            for key in state.identifiers:
                self.by_identifier[key] = state
            self.by_title[title_hash(state.fields["title"])].append(state)

    def _states(self, keys: set[int]) -> list[State]:
        states: dict[int, State] = {}
        for chunk in in_chunks(keys):
            for row in self.connection.execute(
                sa.select(s.papers).where(s.papers.c.key.in_(chunk))
            ).mappings():
                state = states[row["key"]] = State(row["key"], row["id"], newest=row["newest"])
                state.fields = {name: row[name] for name in _COLUMNS if row[name] not in (None, "")}
                state.extra = dict(row["extra"] or {})
                state.provenance = dict(row["provenance"] or {})
            for key, names in authors_of(self.connection, chunk).items():
                states[key].fields["authors"] = names
            for row in self._children(s.categories, chunk, "position"):
                states[row.paper].fields.setdefault("categories", []).append(row.name)
            for row in self._children(s.identifiers, chunk):
                states[row.paper].identifiers[row.identifier] = row.source
            for row in self._children(s.links, chunk, "position"):
                states[row.paper].links[row.kind, row.url] = link_of(row)
            for row in self._children(s.versions, chunk):
                states[row.paper].versions[row.number] = row.date
            for row in self._children(s.listings, chunk):
                states[row.paper].listings[row.telling] = listing_of(row)
            for row in self._children(s.counts, chunk):
                states[row.paper].counts[row.source, row.day] = Counts(
                    row.source, row.day, row.upvotes, row.num_comments, row.github_stars, row.citations
                )
            for row in self._children(s.bibliographies, chunk):
                states[row.paper].fields["references"] = row.identifiers
        return list(states.values())

    def _children(self, table: sa.Table, keys: Sequence[int], order: str | None = None) -> Any:
        query = sa.select(table).where(table.c.paper.in_(keys))
        return self.connection.execute(query.order_by(table.c.paper, table.c[order]) if order else query)

    # -- writing ----------------------------------------------------------------------------

    def _store(self, states: list[State]) -> None:
        new = [state for state in states if state.key is None]
        changed = [state for state in states if state.changed and state.key is not None]
        first = self._take_numbers("next_key", len(new))
        for key, state in enumerate(new, first):
            state.key = key
        self._remove(self.dropped)
        now = dates.now()
        rows = [_paper_row(state, now) for state in new]
        if rows:
            self.connection.execute(s.papers.insert(), rows)
        rows = [_paper_row(state, now) for state in changed]
        if rows:
            statement = s.papers.update().where(s.papers.c.key == sa.bindparam("_key"))
            columns = {c.name: sa.bindparam(c.name) for c in s.papers.c if c.name != "key"}
            self.connection.execute(
                statement.values(columns), [{**row, "_key": row.pop("key")} for row in rows]
            )
        for table, rows_of in _CHILD_ROWS.items():
            touched = [st for st in changed if table.name in st.changed]
            for chunk in in_chunks([st.key for st in touched]):
                self.connection.execute(table.delete().where(table.c.paper.in_(chunk)))
            rows = [row for st in new + touched for row in rows_of(st)]
            if rows:
                self.connection.execute(table.insert(), rows)
        self._log([st.key for st in new + changed], "changed", now)
        self._log_events(now)

    def _remove(self, states: list[State]) -> None:
        keys = [state.key for state in states]
        for chunk in in_chunks(keys):
            for table in _CHILD_ROWS:
                self.connection.execute(table.delete().where(table.c.paper.in_(chunk)))
            self.connection.execute(s.papers.delete().where(s.papers.c.key.in_(chunk)))
        self._log(keys, "removed", dates.now())

    def _log(self, keys: list[int], kind: str, now: str) -> None:
        if not keys:
            return
        for chunk in in_chunks(keys):
            self.connection.execute(s.changes.delete().where(s.changes.c.paper.in_(chunk)))
        first = self._take_numbers("next_change", len(keys))
        self.connection.execute(
            s.changes.insert(),
            [{"paper": key, "seq": seq, "kind": kind, "at": now} for seq, key in enumerate(keys, first)],
        )

    def _log_events(self, now: str) -> None:
        # A paper that this batch made has no history yet.
        rows = [
            {"paper": state.key, "kind": kind, "at": now, "data": data} for state, kind, data in self.events
        ]
        if rows:
            first = self._take_numbers("next_event", len(rows))
            self.connection.execute(
                s.events.insert(), [{"seq": seq, **row} for seq, row in enumerate(rows, first)]
            )

    def _take_numbers(self, name: str, how_many: int) -> int:
        """The first of ``how_many`` numbers that were never given before and never will be."""
        row = self.connection.execute(sa.select(s.meta.c.value).where(s.meta.c.name == name)).scalar()
        first = int(row) if row else 1
        if how_many:
            values = {"value": str(first + how_many)}
            if row is None:
                self.connection.execute(s.meta.insert(), {"name": name, **values})
            else:
                self.connection.execute(s.meta.update().where(s.meta.c.name == name).values(values))
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


def _as_record(state: State) -> Record:
    """The paper in ``state`` as a record without identifiers, to compare it with another paper."""
    return Record(
        title=state.fields["title"],
        source="",
        abstract=state.fields.get("abstract"),
        authors=state.fields.get("authors") or [],
    )
