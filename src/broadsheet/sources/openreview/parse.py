"""Answers of the OpenReview API (version 2, and the notes of version 1) as plain notes.

Source: docs.openreview.net ("Using the API", "Notes"): a note holds its fields under ``content``, each
``{"value": ...}`` in version 2; what a reader may not see (authors under review) is missing. Times are
milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ...model.papers import Rejection
from ..values import first, number, text

# Fields of `content` that hold one text each, by the names that venues give them.
_TEXTS = {
    "title": ("title",),
    "abstract": ("abstract",),
    "tldr": ("TLDR", "TL;DR", "tldr", "one-sentence_summary"),
    "venue": ("venue",),
    "venueid": ("venueid",),
    "pdf": ("pdf",),
    "html": ("html", "ee", "url"),
    "area": ("primary_area", "subject_area", "area"),
    "code": ("code", "software", "code_url", "github"),
    "project": ("project_page", "website", "homepage"),
    "video": ("video",),
}
# The last time that a date can hold.
_LAST_MS = 253_402_300_799_000


class NotesError(ValueError):
    """A value that is no answer of the API, or one that reports an error; the message says which."""


@dataclass(slots=True)
class Note:
    """One note, its texts as they stand there; what is missing or hidden is empty.

    ``place`` counts from 1. Times are UTC timestamps: ``created``, ``online`` (readable by everybody),
    ``published``, ``modified``, ``deleted``. ``names`` are other identifiers (``doi:10.1/x``).
    """

    place: int
    id: str
    forum: str
    title: str = ""
    abstract: str = ""
    tldr: str = ""
    venue: str = ""
    venueid: str = ""
    pdf: str = ""
    html: str = ""
    area: str = ""
    code: str = ""
    project: str = ""
    video: str = ""
    authors: list[str] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    licence: str = ""
    created: str | None = None
    online: str | None = None
    published: str | None = None
    modified: str | None = None
    deleted: str | None = None
    changed: int = 0

    @property
    def is_reply(self) -> bool:
        """Whether it is a review, a comment or a decision on another note."""
        return bool(self.forum) and self.forum != self.id


@dataclass(slots=True)
class Answer:
    """One page of notes; ``count`` is how many there are in all, where the service tells."""

    notes: list[Note | Rejection]
    count: int | None = None


def is_note(value: Any) -> bool:
    """Whether ``value`` has the form of a note."""
    if not isinstance(value, dict) or not isinstance(value.get("content"), dict):
        return False
    return isinstance(value.get("id"), str) and ("forum" in value or "invitations" in value)


def is_answer(value: Any) -> bool:
    """Whether ``value`` has the form of an answer with notes."""
    notes = value.get("notes") if isinstance(value, dict) else None
    return isinstance(notes, list) and (any(is_note(note) for note in notes) if notes else "count" in value)


def answer(value: Any, name: str = "OpenReview answer", start: int = 0) -> Answer:
    """The notes of an answer, in order, their places from ``start`` + 1 on.

    Raises:
        NotesError: if it is no answer of the API, or reports an error.
    """
    if isinstance(value, dict) and "notes" not in value and ("message" in value or "errors" in value):
        raise NotesError(f"the service says: {text(value.get('message')) or str(value.get('errors'))[:200]}")
    if not isinstance(value, dict) or not isinstance(value.get("notes"), list):
        raise NotesError("it has no list of notes")
    return Answer(list(notes(value["notes"], name, start)), number(value.get("count")))


def notes(values: list[Any], name: str, start: int = 0) -> Iterator[Note | Rejection]:
    """The notes of a list; what is none comes as a `Rejection`."""
    for place, value in enumerate(values, start=start + 1):
        if is_note(value):
            yield note(value, place)
        else:
            yield Rejection(f"{name} note {place}", f"it is {str(value)[:60]!r}, no note of OpenReview")


def note(value: dict[str, Any], place: int) -> Note:
    """The note that ``value``, of which `is_note` is true, tells."""
    content = {key: _plain(part) for key, part in value["content"].items()}
    found = Note(place, value["id"], text(value.get("forum")))
    for field_name, keys in _TEXTS.items():
        setattr(
            found, field_name, next((known for key in keys if (known := text(first(content.get(key))))), "")
        )
    found.authors = _names(content.get("authors"))
    found.keywords = _words(content.get("keywords"))
    external = value.get("externalIds")
    found.names = [text(name) for name in external] if isinstance(external, list) else []
    if doi := text(content.get("doi")):
        found.names.append(doi if doi.lower().startswith(("doi:", "http")) else f"doi:{doi}")
    found.licence = text(value.get("license"))
    for field_name, key in (
        ("created", "cdate"),
        ("online", "odate"),
        ("published", "pdate"),
        ("modified", "mdate"),
        ("deleted", "ddate"),
    ):
        setattr(found, field_name, _moment(value.get(key)))
    found.changed = number(value.get("tmdate")) or 0
    return found


def _plain(value: Any) -> Any:
    """A field of the content without the object around it that version 2 has."""
    return value.get("value") if isinstance(value, dict) and "value" in value else value


def _names(values: Any) -> list[str]:
    """Author names: texts, or objects with a full name where people write their own record."""
    values = values if isinstance(values, list) else []
    names = [text(value.get("fullname")) if isinstance(value, dict) else text(value) for value in values]
    known = [name for name in names if name]
    # What stands there while a venue hides its authors.
    return [] if all(name.lower().startswith("anonymous") for name in known) else known


def _words(value: Any) -> list[str]:
    if isinstance(value, str):
        return [word.strip() for word in value.replace(";", ",").split(",") if word.strip()]
    return [word for part in value if (word := text(part))] if isinstance(value, list) else []


def _moment(value: Any) -> str | None:
    """Milliseconds since 1970 as a UTC timestamp; None where it is no time."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _LAST_MS:
        return None
    return datetime.fromtimestamp(value / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
