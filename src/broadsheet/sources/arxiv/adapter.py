"""Entries of arXiv's Atom answers into the model."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...model.identifiers import Identifier, doi_identifier, url_identifier
from ...model.links import add_printed_links
from ...model.papers import Author, Link, Record, Rejection, Version
from ...model.text import clean_line, clean_paragraphs
from .parse import Entry, FeedError, entries

SOURCE = "arxiv"

# MSC and ACM classes stand among the categories, and are none.
_CATEGORY = re.compile(r"[a-z]+(?:-[a-z]+)*(?:\.[A-Za-z]{2}|\.[a-z]+(?:-[a-z]+)+)?")
# The words of arXiv's own notice; "withdrawn from the conference" is another thing.
_WITHDRAWN = re.compile(
    r"(?:this|the) (?:paper|article|manuscript|submission|preprint|work) (?:has been|is|was) withdrawn"
    r"(?! from| before)",
    re.IGNORECASE,
)


class EntryError(ValueError):
    """An entry that tells of no paper; the message says why."""


def parse_atom(data: bytes, name: str = "arXiv answer") -> Iterator[Record | Rejection]:
    """The papers of ``data``, an answer of arXiv's API, and what in it is none, in order.

    An id that arXiv does not know is simply missing from its answers; an id of the wrong form comes
    as an error entry, and so as a `Rejection`. Nothing raises.

    >>> [record.title for record in parse_atom(data) if isinstance(record, Record)]
    """
    try:
        for entry in entries(data):
            where = f"{name} entry {entry.place}"
            try:
                yield record(entry, where)
            except EntryError as error:
                yield Rejection(where, str(error))
    except FeedError as error:
        yield Rejection(name, f"{error}; fetch it again")


def record(entry: Entry, where: str) -> Record:
    """The record that ``entry`` tells.

    Raises:
        EntryError: if it is arXiv's report of an error, or has no arXiv id or no title.
    """
    if entry.error:
        raise EntryError(f"arXiv answers: {clean_line(entry.error)[:200]}; correct the id")
    identifier = url_identifier(entry.id.strip())
    if identifier is None or identifier.scheme != "arxiv":
        raise EntryError(
            f"its id {clean_line(entry.id)[:100]!r} is no arXiv address; only answers of arXiv are read"
        )
    title, abstract = clean_line(entry.title), clean_paragraphs(entry.summary)
    if not title:
        raise EntryError(f"arXiv {identifier.value} has no title; fetch it again")
    comment = clean_line(entry.comment)
    published, updated = entry.published.strip() or None, entry.updated.strip() or None
    result = Record(
        title=title,
        source=SOURCE,
        where=where,
        identifiers=[identifier],
        abstract=abstract or None,
        authors=[Author(name) for name in map(clean_line, entry.authors) if name],
        published=published,
        updated=updated,
        categories=_categories(entry),
        venue=clean_line(entry.journal_ref) or None,
        comment=comment or None,
        versions=_versions(identifier, published, updated),
        withdrawn=updated if _WITHDRAWN.match(comment) or _WITHDRAWN.match(abstract) else None,
    )
    # Without version: the links of a paper lead to its latest, and do not add up with every version.
    result.links = [
        Link("abstract", f"https://arxiv.org/abs/{identifier.value}", SOURCE, "id"),
        Link("pdf", f"https://arxiv.org/pdf/{identifier.value}", SOURCE, "id"),
    ]
    # Now and then there are two journal DOIs, divided by a space.
    for text in dict.fromkeys(word.rstrip(",;") for word in entry.doi.split()):
        doi = doi_identifier(text)
        if doi and doi.scheme == "doi":
            result.identifiers.append(doi)
            result.links.append(Link("doi", f"https://doi.org/{text}", SOURCE, "doi"))
    add_printed_links(result.links, abstract, SOURCE)
    add_printed_links(result.links, comment, SOURCE, "comment")
    return result


def _categories(entry: Entry) -> list[str]:
    """The categories, the primary one first."""
    terms = [entry.primary_category, *entry.categories]
    return list(dict.fromkeys(term for term in map(str.strip, terms) if _CATEGORY.fullmatch(term)))


def _versions(identifier: Identifier, published: str | None, updated: str | None) -> list[Version]:
    """The first version and the one that the entry is of; the API tells nothing of those between."""
    latest = identifier.version
    if latest is None or latest == 1:
        return [Version(1, published or updated)]
    return [Version(1, published), Version(latest, updated)]
