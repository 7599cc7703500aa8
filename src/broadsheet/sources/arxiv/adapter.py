"""What arXiv tells, by its API, by OAI-PMH and by its feeds, into the model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache

from ...model import dates
from ...model.identifiers import Identifier, arxiv_identifier, doi_identifier, url_identifier
from ...model.links import add_printed_links
from ...model.papers import Author, Link, Record, Rejection, Version, Withdrawal
from ...model.text import clean_line, clean_paragraphs
from .feeds import Announcement
from .names import joined_name, name_of, names_in
from .oai import FORMATS, OaiRecord
from .parse import Entry, FeedError, entries
from .taxonomy import categories_of

SOURCE = "arxiv"

# The words of arXiv's own notice; "withdrawn from the conference" is another thing.
_WITHDRAWN = re.compile(
    r"(?:this|the) (?:paper|article|manuscript|submission|preprint|work) (?:has been|is|was) withdrawn"
    r"(?! from| before)",
    re.IGNORECASE,
)
# "Wed, 23 Jan 2008 21:06:41 GMT", the form of nearly all dates of versions.
_RFC_DATE = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) (?:GMT|UTC)"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


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
    """The record that ``entry`` of the API tells.

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
    problems: list[str] = []
    published, updated = _instant(entry.published, problems), _instant(entry.updated, problems)
    return _record(
        where,
        identifier,
        title=entry.title,
        abstract=entry.summary,
        authors=[Author(name) for name in map(name_of, entry.authors) if name],
        published=published,
        updated=updated,
        # The primary one first.
        categories=" ".join([entry.primary_category, *entry.categories]),
        venue=entry.journal_ref,
        comment=entry.comment,
        doi=entry.doi,
        versions=_versions(identifier, published, updated),
    )


def oai_items(told: OaiRecord, where: str) -> Iterator[Record | Withdrawal | Rejection]:
    """What one record of OAI-PMH tells: a paper, or that arXiv deleted it; and what in it is wrong."""
    problems: list[str] = []
    try:
        yield _withdrawal(told, where) if told.deleted else _oai_record(told, where, problems)
    except EntryError as error:
        yield Rejection(where, str(error))
    for problem in problems:
        yield Rejection(where, f"{problem}; the paper is kept without it")


def announced_record(item: Announcement, where: str) -> Record:
    """The paper that an item of a feed tells of, without listing and without dates.

    Raises:
        EntryError: if it has no arXiv id or no title.
    """
    identifier = _identifier(item.id)
    if identifier is None:
        raise EntryError(
            f"its id {clean_line(item.id)[:100]!r} is none of arXiv; only feeds of arXiv are read"
        )
    return _record(
        where,
        identifier,
        title=item.title,
        abstract=item.summary,
        authors=[Author(name) for name in names_in(item.author_line)],
        categories=" ".join(item.categories),
        venue=item.journal_ref,
        doi=item.doi,
        licence=item.licence,
    )


def _oai_record(told: OaiRecord, where: str, problems: list[str]) -> Record:
    if told.format not in FORMATS:
        raise EntryError(
            f"it is in the format {told.format[:40]!r}; ask for metadataPrefix={FORMATS[0]}"
            if told.format
            else "it holds no metadata; fetch it again"
        )
    identifier = _identifier(told.id) or _identifier(told.identifier)
    if identifier is None:
        raise EntryError(
            f"its id {clean_line(told.id or told.identifier)[:100]!r} is none of arXiv; "
            "only records of arXiv are read"
        )
    versions = sorted(
        (Version(version.number, _instant(version.date, problems)) for version in told.versions),
        key=lambda version: version.number,
    )
    published, updated = _instant(told.created, problems), _instant(told.updated, problems)
    if versions:
        published, updated = versions[0].date, versions[-1].date
        identifier = Identifier(identifier.scheme, identifier.value, versions[-1].number)
    elif published:
        versions = [Version(1, published)]
    if told.author_line:
        names = names_in(told.author_line)
    else:
        names = list(filter(None, (joined_name(*parts) for parts in told.authors)))
    result = _record(
        where,
        identifier,
        title=told.title,
        abstract=told.abstract,
        authors=[Author(name) for name in names],
        published=published,
        updated=updated or published,
        categories=told.categories,
        venue=told.journal_ref,
        comment=told.comments,
        doi=told.doi,
        licence=told.licence,
        versions=versions,
    )
    last = max(told.versions, key=lambda version: version.number, default=None)
    if last and "I" in last.source_type:
        # The flag of a version that is a notice of withdrawal.
        result.withdrawn = result.withdrawn or updated or _instant(told.datestamp, problems)
    return result


def _withdrawal(told: OaiRecord, where: str) -> Withdrawal:
    identifier = _identifier(told.identifier)
    if identifier is None:
        raise EntryError(f"the deleted record {clean_line(told.identifier)[:100]!r} is none of arXiv")
    try:
        day = dates.day(told.datestamp)
    except dates.DateError as error:
        raise EntryError(f"the deleted record of arXiv:{identifier.value} has no date: {error}") from error
    return Withdrawal(identifier, day, SOURCE, where, "arXiv has deleted its record")


def _record(
    where: str,
    identifier: Identifier,
    *,
    title: str,
    abstract: str,
    authors: list[Author],
    categories: str,
    published: str | None = None,
    updated: str | None = None,
    venue: str = "",
    comment: str = "",
    doi: str = "",
    licence: str = "",
    versions: list[Version] | None = None,
) -> Record:
    title, abstract, comment = _line(title), _paragraphs(abstract), _line(comment)
    if not title:
        raise EntryError(f"arXiv {identifier.value} has no title; fetch it again")
    result = Record(
        title=title,
        source=SOURCE,
        where=where,
        identifiers=[identifier],
        abstract=abstract or None,
        authors=authors,
        published=published,
        updated=updated,
        categories=list(categories_of(categories)),
        venue=_line(venue) or None,
        comment=comment or None,
        versions=versions or [],
        licence=licence.strip() or None,
        withdrawn=updated if _WITHDRAWN.match(comment) or _WITHDRAWN.match(abstract) else None,
    )
    # Without version: the links of a paper lead to its latest, and do not add up with every version.
    result.links = [
        Link("abstract", f"https://arxiv.org/abs/{identifier.value}", SOURCE, "id"),
        Link("pdf", f"https://arxiv.org/pdf/{identifier.value}", SOURCE, "id"),
    ]
    if doi:
        _add_dois(result, doi)
    add_printed_links(result.links, abstract, SOURCE)
    add_printed_links(result.links, comment, SOURCE, "comment")
    return result


def _line(text: str) -> str:
    # Joining the lines first makes the text one that is quickly seen to be clean.
    return clean_line(" ".join(text.split())) if text else ""


def _paragraphs(text: str) -> str:
    """As `clean_paragraphs`, of which it is the quick case: one paragraph over several lines."""
    text = text.strip()
    if "\n\n" in text or "\n " in text or "\n\t" in text or "\r" in text:
        return clean_paragraphs(text)
    return _line(text)


def _add_dois(result: Record, text: str) -> None:
    """Now and then there are two journal DOIs, divided by a space, a comma or a semicolon."""
    for word in dict.fromkeys(re.split(r"[\s]+|[,;]\s+|[,;](?=10\.)", text)):
        doi = doi_identifier(word.rstrip(",;"))
        if doi and doi.scheme == "doi":
            result.identifiers.append(doi)
            name = re.sub(r"(?i)^doi:", "", word.rstrip(",;"))
            result.links.append(Link("doi", f"https://doi.org/{name}", SOURCE, "doi"))


def _identifier(text: str) -> Identifier | None:
    """The arXiv id in ``text``: ``oai:arXiv.org:hep-th/9901001``, with or without version, or bare."""
    text = text.strip()
    if text[:14].lower() == "oai:arxiv.org:":
        text = text[14:]
    return arxiv_identifier(text)


def _versions(identifier: Identifier, published: str | None, updated: str | None) -> list[Version]:
    """The first version and the one that the entry is of; the API tells nothing of those between."""
    latest = identifier.version
    if latest is None or latest == 1:
        return [Version(1, published or updated)]
    return [Version(1, published), Version(latest, updated)]


def _instant(text: str, problems: list[str]) -> str | None:
    """``text``, a date of arXiv, as a timestamp; None where there is none or it is impossible."""
    if not text or not (text := text.strip()):
        return None
    try:
        return _timestamp(text)
    except dates.DateError as error:
        problems.append(str(error))
        return None


@lru_cache(4096)
def _timestamp(text: str) -> str:
    found = _RFC_DATE.fullmatch(text)
    if found and found[2] in _MONTHS:
        day, month, year, *clock = found.groups()
        try:
            moment = datetime(int(year), _MONTHS.index(month) + 1, int(day), *map(int, clock), tzinfo=UTC)
        except ValueError as error:
            raise dates.DateError(f"{text!r} is no day of the calendar or time of the day") from error
        text = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return dates.timestamp(text)
