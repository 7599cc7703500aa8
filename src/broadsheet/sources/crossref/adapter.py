"""Works of Crossref into the model."""

from __future__ import annotations

from collections.abc import Iterator

from ...model.identifiers import doi_identifier
from ...model.links import add_printed_links, page_link
from ...model.papers import Author, Link, Record, Rejection, Withdrawal
from .parse import Work

SOURCE = "crossref"


def record(found: Work, where: str) -> Record | Rejection:
    """The record that a work tells, or why it tells none."""
    doi = doi_identifier(found.doi)
    if doi is None:
        return Rejection(where, f"its DOI is {found.doi[:60]!r}, which is none; correct it")
    if not found.title:
        return Rejection(f"{where} ({found.doi[:80]})", "the work has no title at Crossref; add it by hand")
    result = Record(
        title=found.title,
        source=SOURCE,
        where=where,
        identifiers=[doi],
        abstract=found.abstract or None,
        authors=[Author(name) for name in found.authors],
        published=found.published or None,
        venue=found.venue or None,
        citations=found.citations,
        references=[reference.key for text in found.references if (reference := doi_identifier(text))],
        licence=found.licence or None,
        withdrawn=next((update.day for update in found.retractions if update.doi == found.doi), None) or None,
    )
    if doi.scheme == "doi":
        result.links.append(Link("doi", f"https://doi.org/{found.doi}", SOURCE, "DOI"))
    for url in found.related:
        link = page_link(url, SOURCE, "relation")
        if link.kind == "code":
            result.links.append(link)
    add_printed_links(result.links, found.abstract, SOURCE)
    return result


def withdrawals(found: Work, today: str, where: str) -> Iterator[Withdrawal]:
    """The papers that are taken back according to ``found``."""
    for update in found.retractions:
        identifier = doi_identifier(update.doi)
        if identifier:
            # A notice of a month or year only is of its first day; one of no day was seen today.
            day = (update.day + "-01-01"[len(update.day) - 4 :]) if update.day else today
            yield Withdrawal(identifier, day, SOURCE, where, f"{update.kind} according to Crossref")
