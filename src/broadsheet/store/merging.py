"""What a record changes in a paper: pure rules, no database.

Each field of a paper is taken from the most trusted source that gave it, and from the newest telling
of that source. Links, listings, versions and counts only ever add up. See docs/identity.md.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from copy import copy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..model.identifiers import SCHEMES, Identifier, canonical
from ..model.papers import Author, Counts, Link, Listing, Record
from ..model.text import title_key

if TYPE_CHECKING:
    from .tellings import Telling

# How far a source is trusted for what a paper says of itself; others count as 1.
TRUST = {
    # Where authors put the paper, in its newest version.
    "arxiv": 9,
    "biorxiv": 9,
    "medrxiv": 9,
    # The proceedings and the reviewed notes: right, but later versions stand on the preprint server.
    "acl": 8,
    "openreview": 7,
    # Indexes made by hand, titles with a full stop added, structured abstracts.
    "pubmed": 6,
    # Copies what arXiv says, days later, and cuts it.
    "daily_papers": 5,
    # What publishers deposit: titles without formulas, in capitals, abstracts as markup or missing.
    "crossref": 4,
    # Made by programs from the others.
    "openalex": 3,
    "semantic_scholar": 2,
    # What people typed or exported: bibtex, ris, csl, jsonlines, zotero, folder, feeds, saved pages: 1.
    # An example that must give way to everything real.
    "starter": 0,
}
FIELD_TRUST: dict[str, dict[str, int]] = {
    # Where it was published is known best to who published it; on arXiv authors type it by hand.
    "venue": {"acl": 12, "crossref": 11, "pubmed": 10, "openreview": 9, "openalex": 8, "arxiv": 5},
    # Who reads the PDF finds all references; publishers deposit those that have a DOI.
    "references": {"semantic_scholar": 12, "openalex": 11, "crossref": 10},
    # Who picked the paper, not who sent it to the preprint server.
    "submitter": {"daily_papers": 12},
}

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
TABLES = {"authors": "authors", "categories": "categories", "references": "bibliographies"}
PARTS = ("identifiers", "links", "listings", "versions", "counts")


def trust(source: str, name: str = "") -> int:
    """How far ``source`` is trusted for the field ``name``: higher decides."""
    return FIELD_TRUST.get(name, {}).get(source, TRUST.get(source, 1))


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
    """A paper, or one source's telling of it, in the middle of an import, with what of it has changed.

    ``key`` is None until it is stored. ``changed`` names the parts that differ from what is stored.
    ``tellings`` is what each source told, where that is kept; ``apart`` the keys of papers that an
    editor told it apart from.
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
    tellings: list[Telling] | None = None
    apart: set[int] = field(default_factory=set)

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
        """The largest of what the sources last counted: each misses some, none invents them."""
        latest: dict[str, tuple[str, int]] = {}
        for counted in self.counts.values():
            if counted.citations is not None:
                found = (counted.day, counted.citations)
                latest[counted.source] = max(found, latest.get(counted.source, found))
        return max((number for _, number in latest.values()), default=None)

    def _latest(self, name: str) -> int | None:
        """The count of the latest day; the larger one where two sources counted on it."""
        known = [(c.day, value) for c in self.counts.values() if (value := getattr(c, name)) is not None]
        return max(known)[1] if known else None

    @property
    def first_listed(self) -> str | None:
        return min((listing.day for listing in self.listings.values()), default=None)

    def values(self, scheme: str) -> set[str]:
        return {key.partition(":")[2] for key in self.identifiers if key.startswith(scheme + ":")}


# -- one telling: what a record adds to what its source told before -------------------------


def absorb(state: State, record: Record, settled: bool) -> None:
    """Adds to ``state`` what ``record`` tells.

    ``settled``: the source has already told of this paper in this import. Of two tellings that
    differ the first then stays, so that importing a file twice changes nothing. An older version than
    the source told before only fills in what is missing.
    """
    newer, older = _age(state, record)
    settled = (settled and not newer) or older
    for name in FIELDS:
        value = getattr(record, name)
        if value is None or value == "" or value == []:
            continue
        old = state.fields.get(name)
        if old and not _outranks(record.source, state.provenance.get(name), name, settled):
            continue
        if name == "authors" and old:
            value = _with_accounts(value, old)
        if name == "updated" and old and value < old:
            continue
        if value != old:
            state.fields[name] = value
            state.changed.add(TABLES.get(name, "paper"))
        if state.provenance.get(name) != record.source:
            state.provenance[name] = record.source
            state.changed.add("paper")
    for key, value in record.extra.items():
        name = f"extra.{key}"
        if value is None or state.extra.get(key) == value:
            continue
        if key not in state.extra or _outranks(record.source, state.provenance.get(name), name, settled):
            state.extra[key] = value
            state.provenance[name] = record.source
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


def _age(state: State, record: Record) -> tuple[bool, bool]:
    """Whether ``record`` tells of a newer, or of an older, version than the source told before."""
    if state.versions:
        numbers = [v.number for v in record.versions] + [i.version for i in record.identifiers if i.version]
        if numbers and (told := max(numbers)) != (known := max(state.versions)):
            return told > known, told < known
    if record.updated:
        before = state.fields.get("updated")
        if before and state.provenance.get("updated") == record.source:
            return False, record.updated < before
    return False, False


def _outranks(source: str, holder: str | None, name: str, settled: bool) -> bool:
    """Whether ``source`` may replace what ``holder`` told."""
    if holder is None:
        return True
    if source == holder:
        return not settled
    return trust(source, name) > trust(holder, name)


def _with_accounts(names: list[Author], others: list[Author]) -> list[Author]:
    """``names`` with what ``others``, where they are the same people, say of their accounts."""
    if [a.name for a in names] != [a.name for a in others]:
        return names
    return [Author(a.name, a.account or b.account) for a, b in zip(names, others, strict=True)]


def _absorb_identifiers(state: State, record: Record) -> None:
    for identifier in record.identifiers:
        if identifier.key not in state.identifiers:
            state.identifiers[identifier.key] = record.source
            state.changed.add("identifiers")
        if identifier.version and identifier.version not in state.versions:
            state.versions[identifier.version] = None
            state.changed.add("versions")
    if state.identifiers and (not state.id or "identifiers" in state.changed):
        name_paper(state)


def name_paper(state: State) -> None:
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


# -- several tellings: what they say together -----------------------------------------------


def compose(state: State, told: list[State], sources: list[str]) -> None:
    """Makes ``state`` what the tellings ``told`` of ``sources``, in the order of their first coming, say.

    Each field is that of the most trusted source, among equals of the first; the rest adds up. The
    parts that differ from before are noted in ``state.changed``.
    """
    made = State(state.key)
    _compose_fields(made, told, sources)
    for part, source in zip(told, sources, strict=True):
        for key in part.identifiers:
            made.identifiers.setdefault(key, source)
        for key, link in part.links.items():
            known = made.links.setdefault(key, copy(link))
            if known.data is None:
                known.data = link.data
        for number, date in part.versions.items():
            made.versions[number] = made.versions.get(number) or date
        for key, listing in part.listings.items():
            _listing_news(made.listings.setdefault(key, copy(listing)), listing)
        for counted in part.counts.values():
            _count(made, counted)
    for part in PARTS:
        if getattr(made, part) != getattr(state, part) or list(getattr(made, part)) != list(
            getattr(state, part)
        ):
            setattr(state, part, getattr(made, part))
            state.changed.add(part)
    for field_name, table in TABLES.items():
        if made.fields.get(field_name) != state.fields.get(field_name):
            state.changed.add(table)
    if (made.fields, made.extra, made.provenance) != (state.fields, state.extra, state.provenance):
        state.fields, state.extra, state.provenance = made.fields, made.extra, made.provenance
        state.changed.add("paper")
    if f"{_scheme_of(state)}:{state.id}" not in state.identifiers:
        state.id = ""
    name_paper(state)


def _compose_fields(made: State, told: list[State], sources: list[str]) -> None:
    names: dict[str, list[int]] = defaultdict(list)
    for place, part in enumerate(told):
        for field_name in [*part.fields, *(f"extra.{key}" for key in part.extra)]:
            names[field_name].append(place)
    for field_name, places in names.items():
        best = min(places, key=lambda place: (-trust(sources[place], field_name), place))
        if field_name.startswith("extra."):
            key = field_name.removeprefix("extra.")
            made.extra[key] = told[best].extra[key]
        else:
            made.fields[field_name] = told[best].fields[field_name]
        made.provenance[field_name] = sources[best]
    if authors := made.fields.get("authors"):
        for place in names["authors"]:
            authors = _with_accounts(authors, told[place].fields["authors"])
        made.fields["authors"] = authors
