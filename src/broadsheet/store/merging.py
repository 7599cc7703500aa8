"""What a record changes in a paper: pure rules, no database.

Each field of a paper is taken from the most trusted source that gave it, and from the newest
telling of that source. Links, listings, versions and counts only ever add up.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..model.identifiers import SCHEMES, Identifier, canonical
from ..model.papers import Author, Counts, Link, Listing, Record
from ..model.text import abstracts_agree, authors_agree, title_key

# How far a source is trusted for what a paper says of itself; others count as 1.
TRUST = {"arxiv": 3, "acl": 3, "openreview": 3, "daily_papers": 2, "starter": 0}

FIELDS = (
    "title",
    "abstract",
    "authors",
    "published",
    "updated",
    "categories",
    "venue",
    "comment",
    "submitter",
    "submitter_account",
    "ai_summary",
    "ai_keywords",
    "organization",
    "withdrawn",
    "licence",
    "references",
)
COUNTED = ("upvotes", "num_comments", "github_stars", "citations")
# Fields that have a table of their own.
_TABLES = {"authors": "authors", "categories": "categories", "references": "bibliographies"}


def trust(source: str) -> int:
    return TRUST.get(source, 1)


@lru_cache(maxsize=4 * 1000)  # several questions about each title of a batch
def title_hash(title: str) -> str:
    """What equal titles have in common, short enough for an index."""
    return hashlib.sha256(title_key(title).encode()).hexdigest()[:16]


def telling(listing: Listing) -> str:
    """What makes two listings of a paper the same: list and day of a source, or the saved page.

    A source that names one document (``saved_page:5f0c...``) lists a paper once, whatever day the
    document is taken to be of.
    """
    day = "" if ":" in listing.source else listing.day
    return f"{listing.source}|{listing.list}|{day}"


@dataclass(slots=True, eq=False)
class State:
    """A paper in the middle of an import, with what of it has changed.

    ``key`` is None until it is stored. ``changed`` names the parts that differ from what is stored.
    """

    key: int | None
    id: str = ""
    newest: str | None = None  # what the stored paper is sorted by
    fields: dict[str, Any] = field(default_factory=dict)
    identifiers: dict[str, str] = field(default_factory=dict)  # scheme:value -> source
    links: dict[tuple[str, str], Link] = field(default_factory=dict)
    listings: dict[str, Listing] = field(default_factory=dict)
    versions: dict[int, str | None] = field(default_factory=dict)
    counts: dict[tuple[str, str], Counts] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, str] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)

    @property
    def upvotes(self) -> int | None:
        return self._latest("upvotes")

    @property
    def num_comments(self) -> int | None:
        return self._latest("num_comments")

    @property
    def github_stars(self) -> int | None:
        return self._latest("github_stars")

    @property
    def citations(self) -> int | None:
        return self._latest("citations")

    def _latest(self, name: str) -> int | None:
        """The count of the latest day; the larger one where two sources counted on it."""
        known = [(c.day, value) for c in self.counts.values() if (value := getattr(c, name)) is not None]
        return max(known)[1] if known else None

    @property
    def first_listed(self) -> str | None:
        return min((listing.day for listing in self.listings.values()), default=None)

    def values(self, scheme: str) -> set[str]:
        return {key.partition(":")[2] for key in self.identifiers if key.startswith(scheme + ":")}


def conflicting(state: State, identifiers: list[Identifier]) -> bool:
    """Whether ``identifiers`` name another paper: one scheme, two values."""
    for identifier in identifiers:
        known = state.values(identifier.scheme)
        if known and identifier.value not in known:
            return True
    return False


def same_work(state: State, record: Record) -> bool:
    """Whether a paper and a record of the same title are one work.

    Their abstracts or their authors must agree. A record that has neither says nothing but its
    title: it is the same as a paper that has no other identity than its title.
    """
    if conflicting(state, record.identifiers):
        return False
    abstract, names = state.fields.get("abstract"), [a.name for a in state.fields.get("authors") or ()]
    if record.abstract and abstract and abstracts_agree(record.abstract, abstract):
        return True
    if record.authors and names:
        return authors_agree([a.name for a in record.authors], names)
    if record.abstract or record.authors:
        return False
    return not record.identifiers and all(key.startswith("title:") for key in state.identifiers)


def absorb(state: State, record: Record, settled: bool) -> None:
    """Adds to ``state`` what ``record`` tells.

    ``settled``: the source has already told of this paper in this import. Of two tellings that
    differ the first then stays, so that importing a file twice changes nothing.
    """
    for name in FIELDS:
        value = getattr(record, name)
        if value is None or value == "" or value == []:
            continue
        old = state.fields.get(name)
        if not _outranks(record.source, state.provenance.get(name), settled) and old:
            continue
        if name == "authors" and old and [a.name for a in value] == [a.name for a in old]:
            # The same people: keep what is known of their accounts.
            value = [Author(a.name, a.account or b.account) for a, b in zip(value, old, strict=True)]
        if name == "updated" and old and value < old:
            continue
        if value != old:
            state.fields[name] = value
            state.changed.add("paper")
            if name in _TABLES:
                state.changed.add(_TABLES[name])
        if state.provenance.get(name) != record.source:
            state.provenance[name] = record.source
            state.changed.add("paper")
    for key, value in record.extra.items():
        if value is None or state.extra.get(key) == value:
            continue
        if key not in state.extra or _outranks(record.source, state.provenance.get(f"extra.{key}"), settled):
            state.extra[key] = value
            state.provenance[f"extra.{key}"] = record.source
            state.changed.add("paper")
    _absorb_identifiers(state, record)
    _absorb_links(state, record)
    _absorb_listings(state, record)
    for version in record.versions:
        if version.number not in state.versions or (
            version.date and state.versions[version.number] != version.date
        ):
            state.versions[version.number] = version.date
            state.changed.add("versions")


def _outranks(source: str, holder: str | None, settled: bool) -> bool:
    """Whether ``source`` may replace what ``holder`` told."""
    if holder is None:
        return True
    if source == holder:
        return not settled
    return trust(source) > trust(holder)


def _absorb_identifiers(state: State, record: Record) -> None:
    for identifier in record.identifiers:
        if identifier.key not in state.identifiers:
            state.identifiers[identifier.key] = record.source
            state.changed.add("identifiers")
        if identifier.version and identifier.version not in state.versions:
            state.versions[identifier.version] = None
            state.changed.add("versions")
    _name(state)


def _name(state: State) -> None:
    """Gives the paper its canonical id; among several of the best scheme it keeps the one it has."""
    best = canonical([Identifier.from_key(key) for key in state.identifiers])
    if best.scheme != _scheme_of(state):
        state.id = best.value
        state.changed.add("paper")


def _scheme_of(state: State) -> str | None:
    return next((s for s in SCHEMES if f"{s}:{state.id}" in state.identifiers), None) if state.id else None


def _absorb_links(state: State, record: Record) -> None:
    for link in record.links:
        link.source = link.source or record.source
        known = state.links.get((link.kind, link.url))
        if known is None:
            state.links[link.kind, link.url] = link
            state.changed.add("links")
        elif link.data is not None and link.data != known.data:
            known.data = link.data
            state.changed.add("links")


def _absorb_listings(state: State, record: Record) -> None:
    source, day = record.source, ""
    for listing in record.listings:
        known = state.listings.setdefault(telling(listing), listing)
        if known is listing or _listing_news(known, listing):
            state.changed.add("listings")
        # A document without a day of its own is of the day on which it was first read.
        source, day = known.source, known.day
        _count(state, Counts(source, day, listing.upvotes, listing.num_comments))
    if record.counted:
        source, day = record.source, record.counted
    counted = (record.upvotes, record.num_comments, record.github_stars, record.citations)
    _count(state, Counts(source, day, *counted))


def _listing_news(known: Listing, listing: Listing) -> bool:
    """Takes over what ``listing`` says newly of ``known``: counts and who submitted it.

    The place stays as first told, as the day does: both are what was seen then.
    """
    news = False
    for name in ("upvotes", "num_comments", "submitter", "submitter_account"):
        value = getattr(listing, name)
        if value is not None and value != getattr(known, name):
            setattr(known, name, value)
            news = True
    return news


def _count(state: State, counted: Counts) -> None:
    if all(getattr(counted, name) is None for name in COUNTED):
        return
    known = state.counts.setdefault((counted.source, counted.day), Counts(counted.source, counted.day))
    for name in COUNTED:
        value = getattr(counted, name)
        if value is not None and value != getattr(known, name):
            setattr(known, name, value)
            state.changed.add("counts")


def unite(kept: State, dropped: State) -> None:
    """Moves all that ``dropped`` has and ``kept`` lacks into ``kept``."""
    for name in FIELDS:
        if not kept.fields.get(name) and dropped.fields.get(name):
            kept.fields[name] = dropped.fields[name]
            kept.provenance[name] = dropped.provenance.get(name, "")
    for name in ("identifiers", "links", "listings", "versions", "counts", "extra"):
        for key, value in getattr(dropped, name).items():
            getattr(kept, name).setdefault(key, value)
    kept.changed |= {
        "paper",
        "authors",
        "categories",
        "bibliographies",
        "identifiers",
        "links",
        "listings",
        "versions",
        "counts",
    }
    _name(kept)
