"""Storing records: identity is resolved, fields are merged, every change is logged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ..model.identifiers import SCHEMES, Identifier
from ..model.papers import ImportReport, Record, Rejection, Withdrawal
from ..model.validation import RecordError, checked
from . import schema as s
from .agreement import bridged, conflicting, foreign, same_work, telling_title
from .connection import WriteTransaction, in_chunks
from .merging import State, absorb, title_hash, trust
from .states import Doubt, Joining, Outcome, free_name, load, save
from .tellings import tell
from .uniting import unite

# Records in one transaction: enough to make its cost small, few enough that a search or a vote
# does not wait long and that a kill costs a second of work.
BATCH = 1000

Item = Record | Rejection | Withdrawal
Finish = Callable[[Connection], None]
Seen = defaultdict[str, set[int]]


def add(
    engine: Engine,
    items: Iterable[Item],
    progress: Callable[[int], None] | None = None,
    finish: Finish | None = None,
) -> ImportReport:
    """Stores ``items`` in batches; see `Store.add`. ``finish`` is called in the transaction of the last."""
    report = ImportReport()
    seen: Seen = defaultdict(set)
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

    ``seen`` holds, by source, keys of the papers that this import has told of, across its batches.
    """

    def __init__(self, connection: Connection, seen: Seen):
        self.connection = connection
        self.seen = seen
        self.by_key: dict[int, State] = {}
        self.by_identifier: dict[str, State] = {}
        self.by_title: dict[str, list[State]] = defaultdict(list)
        self.fresh: dict[int, State] = {}
        # Papers that were brought into others.
        self.gone: set[int] = set()
        self.outcome = Outcome()

    def run(self, records: Sequence[Record]) -> dict[str, int]:
        self._load(records)
        outcome = {"new": 0, "updated": 0, "unchanged": 0}
        states: list[tuple[str, State]] = []
        told: set[tuple[str, int]] = set()
        for record in records:
            state, joined = self._resolve(record)
            if state is None and not record.title:
                outcome["unchanged"] += 1
                continue
            if state is None:
                state, before = self._create(record), set()
                absorb(state, record, settled=False)
                outcome["new"] += 1
            else:
                before = set(state.changed)
                state.changed.clear()
                settled = (record.source, id(state)) in told or state.key in self.seen[record.source]
                self._tell(state, record, settled, joined)
                outcome["updated" if state.changed else "unchanged"] += 1
            told.add((record.source, id(state)))
            self._index(state, record)
            state.changed |= before
            states.append((record.source, state))
        unique = {id(state): state for _, state in states if id(state) not in self.gone}
        self.outcome.states = list(unique.values())
        save(self.connection, self.outcome)
        for source, state in states:
            if state.key is not None:
                self.seen[source].add(state.key)
        return outcome

    def _tell(self, state: State, record: Record, settled: bool, joined: str) -> None:
        """Adds ``record`` to a paper that was told of before, and notes what that made happen."""
        newest, title = max(state.versions, default=None), state.fields.get("title")
        withdrawn = state.fields.get("withdrawn")
        first = tell(state, record, settled)
        if first is not None and joined:
            stayed = [told for told in state.tellings or () if told is not first]
            joining = Joining(state, None, [first], stayed, record.source, record.where, joined)
            self.outcome.joinings.append(joining)
        number = max(state.versions, default=None)
        if newest is not None and number is not None and number > newest:
            data = {"number": number, "date": state.versions[number], "source": record.source}
            if state.fields.get("title") != title:
                data["title"] = title
            self.outcome.events.append((state, "version", data))
        day = state.fields.get("withdrawn")
        if day and not withdrawn:
            reason = record.extra.get("withdrawn_reason", "")
            data = {"day": day[:10], "source": record.source, "reason": reason}
            self.outcome.events.append((state, "withdrawn", data))

    # -- identity ---------------------------------------------------------------------------

    def _resolve(self, record: Record) -> tuple[State | None, str]:
        """The paper that ``record`` tells of, None when it is a new one, and why it is that one.

        The reason is empty where an identifier says it.
        """
        found: list[State] = []
        for identifier in sorted(record.identifiers, key=lambda i: SCHEMES.index(i.scheme)):
            state = self.by_identifier.get(identifier.key)
            if state is not None and state not in found:
                found.append(state)
        found = self._at_home_first(record, found)
        doubts: list[tuple[State, str]] = []
        while found and (why := foreign(found[0], record)):
            stranger = found.pop(0)
            doubts.append((stranger, why))
            record.identifiers = [i for i in record.identifiers if i.key not in stranger.identifiers]
        if found:
            return self._reconcile(record, found), ""
        state = self._by_title(record) if record.title else None
        for stranger, why in doubts:
            reason = f"it has an identifier of this paper, but {why}"
            self._doubt("identifier", state or self._fresh(record), stranger, record, reason)
        return state, "title, and authors or abstract"

    def _at_home_first(self, record: Record, found: list[State]) -> list[State]:
        """``found`` with the paper before the others to which an editor gave what this source tells."""
        if not any(state.apart for state in found):
            return found
        partners = {key for state in found for key in state.apart}
        names = {identifier.key for identifier in record.identifiers}
        near = found + [self.by_key[key] for key in partners if key in self.by_key]
        for state in near:
            for told in state.tellings or ():
                if told.source == record.source and told.claims() & names:
                    return [state, *(other for other in found if other is not state)]
        return found

    def _by_title(self, record: Record) -> State | None:
        """The paper of the same title and the same authors or abstract."""
        candidates = self.by_title.get(title_hash(record.title), ())
        same = [state for state in candidates if same_work(state, record)]
        if not same:
            self._doubt_title(record, candidates)
            return None
        if len(same) > 1 and any(state.apart for state in same):
            # Told apart by an editor: each keeps what its sources tell.
            for state in same:
                if any(told.is_of(record) for told in state.tellings or ()):
                    return state
        return same[0]

    def _doubt_title(self, record: Record, candidates: Sequence[State]) -> None:
        if not candidates or not telling_title(record.title):
            return
        made = self._fresh(record)
        for state in candidates:
            if conflicting(state, record.identifiers):
                if same_work(state, replace(record, identifiers=[])):
                    why = "same title and authors or abstract, but two identifiers of one kind"
                    self._doubt("twins", made, state, record, why)
            else:
                self._doubt("title", made, state, record, "same title, but authors and abstract do not agree")

    def _doubt(self, kind: str, one: State, other: State, record: Record, reason: str) -> None:
        self.outcome.doubts.append(Doubt(kind, one, other, record.source, record.where, reason))

    def _reconcile(self, record: Record, found: list[State]) -> State:
        """One paper for a record whose identifiers lead to several."""
        kept = found[0]
        for other in found[1:]:
            if other.key not in kept.apart and bridged(kept, other, record):
                self._unite(kept, other, record)
            else:
                # Each identifier stays with the paper it was first known for.
                strange = [i for i in record.identifiers if i.value in other.values(i.scheme)]
                names = ", ".join(i.key for i in strange)
                self._doubt("identifiers", kept, other, record, f"{names} is known as the other paper")
                record.identifiers = [i for i in record.identifiers if i not in strange]
        record.identifiers = [i for i in record.identifiers if self.by_identifier.get(i.key, kept) is kept]
        if conflicting(kept, record.identifiers):
            record.identifiers = [i for i in record.identifiers if self._may_have(kept, record, i)]
        return kept

    @staticmethod
    def _may_have(kept: State, record: Record, identifier: Identifier) -> bool:
        """Whether ``kept`` may be called so: by the first of a scheme, a known one, or a further DOI."""
        known = kept.values(identifier.scheme)
        if not known or identifier.value in known:
            return True
        # A preprint and its publication have a DOI each, and the preprint server tells both together.
        both = any(i.scheme == "doi" and i.value in known for i in record.identifiers)
        return identifier.scheme == "doi" and both and trust(record.source) >= trust("openreview")

    def _unite(self, kept: State, other: State, record: Record) -> None:
        joining = unite(kept, other, record.source, record.where, "one record has identifiers of both")
        self.outcome.joinings.append(joining)
        for key, state in self.by_identifier.items():
            if state is other:
                self.by_identifier[key] = kept
        for states in self.by_title.values():
            if other in states:
                states.remove(other)
        self.gone.add(id(other))
        if other.key is not None:
            self.outcome.dropped.append(other)
        self.outcome.apart += [(kept, key) for key in other.apart]

    def _create(self, record: Record) -> State:
        state = self.fresh.pop(id(record), None) or State(key=None)
        if not record.identifiers:
            name = free_name(self.connection, record.title, self.by_identifier)
            state.identifiers[name] = record.source
            state.changed.add("identifiers")
        return state

    def _fresh(self, record: Record) -> State:
        """The paper that ``record`` will make, before it is made."""
        return self.fresh.setdefault(id(record), State(key=None))

    def _index(self, state: State, record: Record) -> None:
        for key in state.identifiers:
            self.by_identifier[key] = state
        for title in {record.title or state.fields["title"], state.fields["title"]}:
            states = self.by_title[title_hash(title)]
            if state not in states:
                states.append(state)

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
        states = load(self.connection, found)
        partners = {key for state in states for key in state.apart} - found
        for state in [*states, *load(self.connection, partners)]:
            self.by_key[state.key] = state
            for key in state.identifiers:
                self.by_identifier[key] = state
            self.by_title[title_hash(state.fields["title"])].append(state)
