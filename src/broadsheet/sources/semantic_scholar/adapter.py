"""Papers of Semantic Scholar into the model."""

from __future__ import annotations

from ...model.identifiers import (
    Identifier,
    acl_identifier,
    arxiv_identifier,
    doi_identifier,
    pmcid_identifier,
    pmid_identifier,
    s2_identifier,
    url_identifier,
)
from ...model.links import add_printed_links
from ...model.papers import Author, Link, Record, Rejection
from .parse import Paper

SOURCE = "semantic_scholar"
# Its names of identifiers, the best known first.
_IDENTIFIERS = (
    ("ArXiv", arxiv_identifier),
    ("DOI", doi_identifier),
    ("ACL", acl_identifier),
    ("PubMed", pmid_identifier),
    ("PubMedCentral", pmcid_identifier),
)


def record(found: Paper, where: str) -> Record | Rejection:
    """The record that a paper tells, or why it tells none."""
    if not found.title:
        name = f"{where} ({found.id or 'no id'})"
        return Rejection(name, "the paper has no title; ask Semantic Scholar for the field title, too")
    result = Record(
        title=found.title,
        source=SOURCE,
        where=where,
        identifiers=_identifiers(found.ids, found.id),
        abstract=found.abstract or None,
        authors=[Author(name) for name in found.authors],
        published=found.published or None,
        venue=found.venue or None,
        citations=found.citations,
        references=[known[0].key for id, ids in found.references if (known := _identifiers(ids, id))],
    )
    doi = next((i for i in result.identifiers if i.scheme == "doi"), None)
    if doi:
        result.links.append(Link("doi", f"https://doi.org/{doi.value}", SOURCE, "externalIds"))
    if found.pdf and not url_identifier(found.pdf):
        result.links.append(Link("pdf", found.pdf, SOURCE, "openAccessPdf"))
    add_printed_links(result.links, found.abstract, SOURCE)
    return result


def _identifiers(ids: dict[str, str], id: str) -> list[Identifier]:
    """The identifiers among ``ids``, the service's own last: that of the corpus, else of the paper."""
    found = [identifier for name, read in _IDENTIFIERS if (identifier := read(ids.get(name, "")))]
    own = s2_identifier(ids.get("CorpusId", "")) or s2_identifier(id)
    return list({identifier.key: identifier for identifier in [*found, *([own] if own else [])]}.values())
