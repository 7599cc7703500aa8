"""What each source told of a paper, kept where the paper's own rows do not say it any more.

A paper that one source told of is its own telling. As soon as a second source tells something that
the first told too, what each of them said is written down, so that they can be taken apart again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from typing import Any

import orjson

from ..model.papers import Author, Counts, Link, Listing, Record
from .merging import FIELDS, State, absorb, compose, name_paper, telling, title_hash

# The fastest level: a telling is written while an import waits, and level 6 saves a tenth of it.
_LEVEL = 1


# The fields and the extra of the paper of which a telling is: what both say is stored but once.
Shown = tuple[dict[str, Any], dict[str, Any]]


@dataclass(slots=True, eq=False)
class Telling:
    """What ``source`` told of a paper, all in all; ``number`` is None until it is stored.

    ``body`` is how it is stored with the paper ``paper``, until `state` is asked for. ``denied`` are
    identifiers that the source claims and an editor gave to another paper.
    """

    number: int | None
    source: str
    body: bytes = b""
    paper: Shown = ({}, {})
    changed: bool = False
    _state: State | None = None
    denied: set[str] | None = None

    @property
    def state(self) -> State:
        """The telling as the only one of a paper."""
        if self._state is None:
            self._state, self.denied = _read(self.body, self.source, self.paper)
        return self._state

    def claims(self) -> set[str]:
        """Keys of the identifiers that the source gave, also of those that are another paper's."""
        return set(self.state.identifiers) | (self.denied or set())

    def packed(self, paper: Shown) -> bytes:
        """How it is stored with a paper that shows ``paper``."""
        return _written(self.state, self.denied or set(), paper)

    def has_title(self) -> bool:
        return bool(self.state.fields.get("title"))

    def is_of(self, record: Record) -> bool:
        """Whether ``record`` is this telling, told again."""
        if record.source != self.source:
            return False
        claims = self.claims()
        keys = {identifier.key for identifier in record.identifiers}
        if keys & claims:
            return True
        schemes = {key.partition(":")[0] for key in claims}
        if any(identifier.scheme in schemes for identifier in record.identifiers):
            return False
        title = self.state.fields.get("title")
        return not record.title or not title or title_hash(record.title) == title_hash(title)


def tell(state: State, record: Record, settled: bool) -> Telling | None:
    """Adds to the paper ``state`` what ``record`` tells; the telling, where it is the first of its source.

    See `merging.absorb` for ``settled``.
    """
    if state.tellings is None:
        if _says_itself(state, record):
            absorb(state, record, settled)
            return None
        write_down(state)
    found = next((t for t in state.tellings or () if t.is_of(record)), None)
    first = found is None
    if found is None:
        found = Telling(None, record.source, _state=State(None), changed=True)
        state.tellings = [*(state.tellings or ()), found]
    absorb(found.state, record, settled)
    if found.state.changed or first:
        found.changed = True
        found.state.changed.clear()
        together(state)
    return found if first else None


def _says_itself(state: State, record: Record) -> bool:
    """Whether the rows of a paper still say who told what after ``record`` has told.

    So it is while no source tells a field that is another one's.
    """
    source, provenance = record.source, state.provenance
    for name in FIELDS:
        holder = provenance.get(name)
        if holder is not None and holder != source and getattr(record, name):
            return False
    return all(provenance.get(f"extra.{key}", source) == source for key in record.extra)


def together(state: State) -> None:
    """Makes ``state`` what its tellings say together."""
    tellings = state.tellings or []
    fields = state.fields
    compose(state, [t.state for t in tellings], [t.source for t in tellings])
    if state.fields is not fields:
        for told in tellings:
            told.changed = True


def write_down(state: State) -> None:
    """Parts the paper ``state`` into what each source told of it, where that was not done before."""
    if state.tellings is not None:
        return
    first = state.provenance.get("title") or next(iter(state.provenance.values()), "")
    parts: dict[str, State] = {first: State(None)}

    def part(source: str) -> State:
        # Listings and counts name the document beside the source: "saved_page:5f0c...".
        if source not in parts and source not in sources:
            base = source.partition(":")[0]
            source = base if base in sources else first
        return parts.setdefault(source, State(None))

    sources = {first, *state.provenance.values(), *state.identifiers.values()}
    sources |= {link.source for link in state.links.values()}
    for name, value in state.fields.items():
        holder = state.provenance.get(name, first)
        part(holder).fields[name] = value
        part(holder).provenance[name] = holder
    for key, value in state.extra.items():
        holder = state.provenance.get(f"extra.{key}", first)
        part(holder).extra[key] = value
        part(holder).provenance[f"extra.{key}"] = holder
    for identifier, source in state.identifiers.items():
        part(source).identifiers[identifier] = source
    for key, link in state.links.items():
        part(link.source).links[key] = copy(link)
    for key, listing in state.listings.items():
        part(listing.source).listings[key] = copy(listing)
    for key, counted in state.counts.items():
        part(counted.source).counts[key] = copy(counted)
    # Which of them named it first is noted, not who else did: the main one will have.
    parts[first].identifiers |= state.identifiers
    parts[first].versions = dict(state.versions)
    state.tellings = [Telling(None, source, changed=True, _state=made) for source, made in parts.items()]


# -- as it is stored ------------------------------------------------------------------------


def _written(state: State, denied: Iterable[str], paper: Shown) -> bytes:
    fields, same_fields = _beside(state.fields, paper[0])
    extra, same_extra = _beside(state.extra, paper[1])
    told: dict[str, Any] = {
        "fields": fields,
        "same": same_fields,
        "extra": extra,
        "same_extra": same_extra,
        "identifiers": list(state.identifiers),
        "denied": sorted(denied),
        "links": list(state.links.values()),
        "listings": list(state.listings.values()),
        "counts": list(state.counts.values()),
        "versions": list(state.versions.items()),
    }
    return zlib.compress(orjson.dumps({key: value for key, value in told.items() if value}), _LEVEL)


def _beside(told: dict[str, Any], shown: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What of ``told`` is not ``shown``, and the names of what is."""
    same = [name for name, value in told.items() if shown.get(name) == value]
    return {name: value for name, value in told.items() if name not in same}, same


def _read(body: bytes, source: str, paper: Shown) -> tuple[State, set[str]]:
    told = orjson.loads(zlib.decompress(body))
    state = State(None, fields=told.get("fields", {}), extra=told.get("extra", {}))
    if authors := state.fields.get("authors"):
        state.fields["authors"] = [Author(**author) for author in authors]
    state.fields |= {name: paper[0][name] for name in told.get("same", ())}
    state.extra |= {name: paper[1][name] for name in told.get("same_extra", ())}
    state.identifiers = dict.fromkeys(told.get("identifiers", ()), source)
    for values in told.get("links", ()):
        link = Link(**values)
        state.links[link.kind, link.url] = link
    for values in told.get("listings", ()):
        listing = Listing(**values)
        state.listings[telling(listing)] = listing
    for values in told.get("counts", ()):
        counted = Counts(**values)
        state.counts[counted.source, counted.day] = counted
    state.versions = dict(told.get("versions", ()))
    names = [*state.fields, *(f"extra.{key}" for key in state.extra)]
    state.provenance = dict.fromkeys(names, source)
    if state.identifiers:
        name_paper(state)
    state.changed.clear()
    return state, set(told.get("denied", ()))
