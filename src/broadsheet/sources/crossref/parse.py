"""Works as Crossref's REST API answers them, as plain data.

Source: Crossref REST API, "API JSON format" (work, reference, update, relation).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ..markup import line_of, text_of
from ..references import rough_date
from ..values import first, number, object_in, objects_in, text

# Updates that take a work back; corrections and expressions of concern do not.
_TAKEN_BACK = {"retraction", "withdrawal", "removal", "partial_retraction"}


@dataclass(slots=True)
class Update:
    """A notice about the work of ``doi``: ``kind`` of the update and its ``day``, as far as it is told."""

    doi: str
    kind: str
    day: str = ""


@dataclass(slots=True)
class Work:
    """One work; what is missing is empty."""

    doi: str
    title: str = ""
    abstract: str = ""
    authors: list[str] = field(default_factory=list)
    published: str = ""
    venue: str = ""
    licence: str = ""
    citations: int | None = None
    references: list[str] = field(default_factory=list)
    # Addresses of related things: data, code, other versions.
    related: list[str] = field(default_factory=list)
    # Notices about this work, and the works that this one is a notice about.
    updated_by: list[Update] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)

    @property
    def retractions(self) -> list[Update]:
        """The works that are taken back according to this one: itself, or those that it is a notice about."""
        own = [Update(self.doi, update.kind, update.day) for update in self.updated_by]
        return [update for update in own[:] + self.updates if update.kind in _TAKEN_BACK]


def work(value: dict[str, Any]) -> Work:
    """``value``, the ``message`` of an answer or an item of its list; never raises."""
    result = Work(
        doi=text(value.get("DOI")),
        title=line_of(text(first(value.get("title")))),
        abstract=text_of(text(value.get("abstract"))),
        authors=[name for author in objects_in(value.get("author")) if (name := _name(author))],
        published=_published(value),
        venue=_venue(value),
        licence=_licence(objects_in(value.get("license"))),
        citations=number(value.get("is-referenced-by-count")),
        references=[doi for ref in objects_in(value.get("reference")) if (doi := text(ref.get("DOI")))],
    )
    for relations in object_in(value.get("relation")).values():
        for relation in objects_in(relations):
            if text(relation.get("id-type")) == "uri" and text(relation.get("id")):
                result.related.append(text(relation["id"]))
    result.updated_by = _updates(value.get("updated-by"))
    result.updates = _updates(value.get("update-to"))
    return result


def _name(author: dict[str, Any]) -> str:
    parts = [text(author.get("given")), text(author.get("family")), text(author.get("suffix"))]
    return line_of(" ".join(part for part in parts if part) or text(author.get("name")))


def _published(value: dict[str, Any]) -> str:
    for name in ("posted", "issued", "published", "published-online", "published-print"):
        if day := _date(value.get(name)):
            return day
    return ""


def _date(value: Any) -> str:
    parts = first(object_in(value).get("date-parts"))
    numbers = [part for part in parts if number(part) is not None] if isinstance(parts, list) else []
    if not numbers:
        return ""
    return rough_date("-".join([f"{numbers[0]:04d}", *(f"{part:02d}" for part in numbers[1:3])])) or ""


def _venue(value: dict[str, Any]) -> str:
    """The journal, book or proceedings; of a preprint the server."""
    venue = text(first(value.get("container-title"))) or text(object_in(value.get("event")).get("name"))
    if not venue and value.get("type") == "posted-content":
        venue = text(object_in(first(value.get("institution"))).get("name"))
    return line_of(venue)


def _licence(licences: list[dict[str, Any]]) -> str:
    """The open licence, if there is one; the others are terms of publishers for their own sites."""
    urls = (text(licence.get("URL")) for licence in licences)
    return next((url for url in urls if re.match(r"https?://creativecommons\.org/", url)), "")


def _updates(values: Any) -> list[Update]:
    return [
        Update(text(value.get("DOI")), text(value.get("type")).lower(), _date(value.get("updated")))
        for value in objects_in(values)
        if text(value.get("DOI"))
    ]
