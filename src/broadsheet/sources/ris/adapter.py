"""A RIS reference into the model."""

from __future__ import annotations

from typing import Any

from ...model.links import add_printed_links
from ...model.papers import Author, Record, Rejection
from ..batch import Batch
from ..references import add_identifiers, arxiv_in, rough_date

SOURCE = "ris"
_TITLES = ("title", "primary_title", "translated_title", "short_title")
_DATES = ("year", "publication_year", "date")
_VENUES = (
    "journal_name",
    "alternate_title3",
    "secondary_title",
    "alternate_title1",
    "alternate_title2",
    "tertiary_title",
)


def record(reference: dict[str, Any], where: str, batch: Batch) -> Record | Rejection:
    """The record that ``reference``, as rispy tells it, tells, or why it tells none."""
    title = _first(reference, _TITLES)
    if not title:
        return Rejection(where, "the reference has no title; add a line like: TI  - The title")
    abstract = _first(reference, ("abstract", "notes_abstract"))
    venue = _first(reference, _VENUES)
    names = [*_texts(reference.get("authors")), *_texts(reference.get("first_authors"))]
    result = Record(
        title=title,
        source=SOURCE,
        where=where,
        abstract=abstract,
        authors=[Author(_turned(name)) for name in names or _texts(reference.get("secondary_authors"))],
        published=next(
            (d for name in _DATES for t in _texts(reference.get(name)) if (d := rough_date(t))), None
        ),
        venue=venue if venue and not arxiv_in(venue) else None,
        ai_keywords=[
            word for text in _texts(reference.get("keywords")) for word in text.split(";") if word.strip()
        ],
    )
    add_identifiers(
        result,
        dois=_texts(reference.get("doi")),
        urls=[url for text in _texts(reference.get("urls")) for url in text.split(";") if "://" in url],
        others=[arxiv_in(venue)],
    )
    add_printed_links(result.links, abstract, SOURCE)
    result.listings = [batch.added()]
    return result


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text.strip() for text in values if isinstance(text, str) and text.strip()]


def _first(reference: dict[str, Any], names: tuple[str, ...]) -> str | None:
    return next((text for name in names for text in _texts(reference.get(name))), None)


def _turned(name: str) -> str:
    """ "Last, First, Jr" as it is read."""
    parts = [part.strip() for part in name.split(",")]
    return " ".join([*parts[1:2], parts[0], *parts[2:]]) if 2 <= len(parts) <= 3 else name
