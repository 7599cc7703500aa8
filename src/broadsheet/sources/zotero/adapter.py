"""Items of a Zotero library into the model."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...model.identifiers import arxiv_identifier, pmcid_identifier, pmid_identifier
from ...model.links import add_printed_links
from ...model.papers import Author, Record, Rejection
from ..references import add_identifiers, arxiv_in
from .parse import PARTS, WORKS, Item

SOURCE = "zotero"


def record(
    found: Item, where: str, collections: Mapping[str, str] | None = None
) -> Record | Rejection | None:
    """The record that an item tells, why it tells none, or None for an attachment or note.

    ``collections`` are the names of the library's collections by their keys.
    """
    where = f"{where} ({found.key})" if found.key else where
    if found.kind in PARTS:
        return None
    if found.deleted:
        return Rejection(where, "it lies in the bin of the library; take it out, if it is wanted")
    if found.kind not in WORKS:
        return Rejection(where, f"it is of the type {found.kind[:40]!r}, no work to read")
    if not found.title:
        return Rejection(where, "the item has no title; add one in Zotero")
    venue = found.venue if not re.match(r"(?i)arxiv(?:$|[:. ])", found.venue) else ""
    result = Record(
        title=found.title,
        source=SOURCE,
        where=where,
        abstract=found.abstract or None,
        authors=[Author(name) for name in found.authors],
        published=found.published or None,
        venue=venue or None,
        ai_keywords=found.tags,
    )
    in_notes = found.extra
    add_identifiers(
        result,
        dois=[doi for doi in (found.doi, in_notes.get("doi", "")) if doi],
        urls=[url for url in (found.url,) if url],
        others=[
            arxiv_in(found.archive_id) or arxiv_identifier(found.archive_id),
            arxiv_in(found.notes) or arxiv_identifier(in_notes.get("arxiv", "")),
            pmid_identifier(in_notes.get("pmid", "")),
            pmcid_identifier(in_notes.get("pmcid", "")),
        ],
    )
    add_printed_links(result.links, found.abstract, SOURCE)
    if names := [collections[key] for key in found.collections if key in (collections or {})]:
        result.extra["zotero_collections"] = names
    return result
