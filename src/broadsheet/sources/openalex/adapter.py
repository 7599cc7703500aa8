"""Works of OpenAlex into the model."""

from __future__ import annotations

from ...model.identifiers import (
    doi_identifier,
    find_identifier,
    openalex_identifier,
    pmcid_identifier,
    pmid_identifier,
    url_identifier,
)
from ...model.links import add_printed_links, page_link
from ...model.papers import Author, Link, Record, Rejection
from .parse import Work

SOURCE = "openalex"


def record(found: Work, where: str) -> Record | Rejection:
    """The record that a work tells, or why it tells none."""
    if not found.title:
        return Rejection(f"{where} ({found.id or 'no id'})", "the work has no title; it is left out")
    doi = doi_identifier(found.doi) or find_identifier(found.doi)
    candidates = (
        doi,
        pmid_identifier(found.pmid),
        pmcid_identifier(found.pmcid),
        openalex_identifier(found.id),
        # OpenAlex puts versions of a work together; only where it has no DOI is the page the paper's name.
        url_identifier(found.landing_page) if doi is None else None,
    )
    identifiers = {i.key: i for i in candidates if i is not None and i.scheme != "title"}
    references = (openalex_identifier(name) for name in found.references)
    result = Record(
        title=found.title,
        source=SOURCE,
        where=where,
        identifiers=list(identifiers.values()),
        abstract=found.abstract or None,
        authors=[Author(name) for name in found.authors],
        published=found.published or None,
        venue=found.venue or None,
        citations=found.citations,
        references=[reference.key for reference in references if reference],
    )
    if doi and doi.scheme == "doi":
        result.links.append(Link("doi", f"https://doi.org/{doi.value}", SOURCE, "doi"))
    if found.landing_page and not url_identifier(found.landing_page):
        result.links.append(page_link(found.landing_page, SOURCE, "primary_location"))
    if found.pdf and not url_identifier(found.pdf):
        result.links.append(Link("pdf", found.pdf, SOURCE, "best_oa_location"))
    add_printed_links(result.links, found.abstract, SOURCE)
    return result
