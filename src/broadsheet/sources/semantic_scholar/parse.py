"""Papers as Semantic Scholar's Academic Graph API answers them, as plain data.

Source: api.semanticscholar.org/api-docs/graph ("FullPaper").
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ..markup import line_of, text_of
from ..values import number, object_in, objects_in, text

# Its names for arXiv as a venue.
_ARXIV = re.compile(r"(?i)arxiv(?:\.org)?(?: preprint.*)?|computing research repository|corr")


@dataclass(slots=True)
class Paper:
    """One paper; what is missing is empty. ``ids`` are its external ids by their names there (``ArXiv``,
    ``DOI``, ``ACL``, ``PubMed``, ``PubMedCentral``, ``CorpusId``), ``references`` those of what it cites.
    """

    id: str
    ids: dict[str, str] = field(default_factory=dict)
    title: str = ""
    abstract: str = ""
    authors: list[str] = field(default_factory=list)
    published: str = ""
    venue: str = ""
    pdf: str = ""
    citations: int | None = None
    references: list[tuple[str, dict[str, str]]] = field(default_factory=list)


def paper(value: dict[str, Any]) -> Paper:
    """``value``, a paper of the API; never raises."""
    return Paper(
        id=text(value.get("paperId")),
        ids=_ids(value),
        title=line_of(text(value.get("title"))),
        abstract=text_of(text(value.get("abstract"))),
        authors=[name for author in objects_in(value.get("authors")) if (name := text(author.get("name")))],
        published=text(value.get("publicationDate")) or text(value.get("year")),
        venue=_venue(value),
        pdf=text(object_in(value.get("openAccessPdf")).get("url")),
        citations=number(value.get("citationCount")),
        references=[(text(ref.get("paperId")), _ids(ref)) for ref in objects_in(value.get("references"))],
    )


def _ids(value: dict[str, Any]) -> dict[str, str]:
    ids = {name: text(part) for name, part in object_in(value.get("externalIds")).items() if text(part)}
    if corpus := text(value.get("corpusId")):
        ids.setdefault("CorpusId", corpus)
    return ids


def _venue(value: dict[str, Any]) -> str:
    names = (
        object_in(value.get("publicationVenue")).get("name"),
        value.get("venue"),
        object_in(value.get("journal")).get("name"),
    )
    return next((line for name in names if (line := line_of(text(name))) and not _ARXIV.fullmatch(line)), "")
