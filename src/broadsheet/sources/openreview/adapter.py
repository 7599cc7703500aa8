"""Notes of OpenReview into the model."""

from __future__ import annotations

import re

from ...model.identifiers import doi_identifier, find_identifier, openreview_identifier, url_identifier
from ...model.links import add_printed_links, page_link
from ...model.papers import Author, Link, Listing, Record, Rejection, Withdrawal
from ...model.text import clean_line, clean_paragraphs, title_key
from ...model.validation import is_web_url
from .parse import Note

SOURCE = "openreview"
SITE = "https://openreview.net"

# What the last part of a venue id says of a submission that is not accepted (or not yet).
_DECISIONS = {
    "Rejected_Submission": "rejected",
    "Desk_Rejected_Submission": "desk rejected",
    "Withdrawn_Submission": "withdrawn",
    "Submission": "under review",
}
_LICENCE = re.compile(r"CC[ _-]BY((?:[ _-](?:NC|SA|ND))*)[ _-](\d\.\d)", re.IGNORECASE)


def decision(note: Note) -> str:
    """What became of the submission: empty where it was accepted, or was never a submission."""
    found = _DECISIONS.get(note.venueid.rpartition("/")[2], "")
    # Also where a venue names no id of its own for it.
    words = note.venue.lower()
    return found or next((d for d in ("desk rejected", "rejected", "withdrawn") if d in words), "")


def record(note: Note, where: str) -> Record | Withdrawal | Rejection:
    """What ``note`` tells: a paper, or that one was deleted, or why it is none.

    The venue is that of an accepted paper; of others ``comment`` says where they were submitted and
    what became of them, since a rejected paper is no paper of that venue.
    """
    if note.is_reply:
        return Rejection(
            where, f"it is a reply in the forum {note.forum}, no paper; fetch the note of that id"
        )
    identifier = openreview_identifier(note.forum or note.id)
    if not identifier:
        return Rejection(where, f"{note.id[:60]!r} is no id of an OpenReview forum; fetch it again")
    if note.deleted:
        return Withdrawal(identifier, note.deleted[:10], SOURCE, where, "deleted at OpenReview")
    title = clean_line(note.title)
    if not title:
        return Rejection(
            where, f"the note {note.id} has no title; it may be hidden, fetch it again when it is public"
        )
    became = decision(note)
    venue = clean_line(note.venue)
    if title_key(venue) == title_key(title):
        # Where people enter their own papers, some put the title into each field.
        venue = ""
    comments = [_told(venue, became)] if became else []
    if tldr := clean_line(note.tldr):
        comments.append(f"TL;DR: {tldr}")
    result = Record(
        title=title,
        source=SOURCE,
        where=where,
        identifiers=[identifier],
        abstract=clean_paragraphs(note.abstract) or None,
        authors=[Author(name) for name in map(clean_line, note.authors) if name],
        published=min((time for time in (note.online, note.published) if time), default=note.created),
        updated=note.modified,
        categories=[note.area] if note.area else [],
        venue=venue if venue and not became else None,
        comment="; ".join(comments) or None,
        ai_keywords=note.keywords,
        licence=_licence(note.licence),
    )
    if became:
        result.extra["decision"] = became
    _add_names(result, note)
    add_printed_links(result.links, result.abstract, SOURCE)
    day = day_of(note)
    if day and note.venueid:
        result.listings = [Listing(note.venueid[:100], day, note.place, SOURCE)]
    return result


def day_of(note: Note) -> str:
    """The day on which the note became a paper of its venue; empty where it has no date."""
    moment = note.published or note.online or note.created
    return moment[:10] if moment else ""


def _told(venue: str, became: str) -> str:
    if not venue:
        return became.capitalize()
    return venue if became in venue.lower() else f"{venue} ({became})"


def _add_names(result: Record, note: Note) -> None:
    """All identifiers that the note has, and its links."""
    forum = result.identifiers[0].value
    result.links = [Link("abstract", f"{SITE}/forum?id={forum}", SOURCE, "forum")]
    if note.pdf.startswith("/"):
        result.links.append(Link("pdf", f"{SITE}/pdf?id={forum}", SOURCE, "pdf"))
    elif is_web_url(note.pdf):
        result.links.append(Link("pdf", note.pdf, SOURCE, "pdf"))
    found = [(find_identifier(name) or doi_identifier(name), "externalIds") for name in note.names]
    found += [(url_identifier(note.pdf), "pdf"), (url_identifier(note.html), "html")]
    if is_web_url(note.html) and not url_identifier(note.html):
        result.links.append(page_link(note.html, SOURCE, "html"))
    for identifier, provenance in found:
        if identifier and identifier.key not in {known.key for known in result.identifiers}:
            result.identifiers.append(identifier)
            if identifier.scheme == "doi":
                result.links.append(Link("doi", f"https://doi.org/{identifier.value}", SOURCE, provenance))
    for kind, url in (("code", note.code), ("project", note.project), ("video", note.video)):
        if is_web_url(url):
            result.links.append(Link(kind, url, SOURCE, kind))


def _licence(text: str) -> str | None:
    """The address of a licence written like ``CC BY-NC 4.0``."""
    if re.match(r"CC0", text, re.IGNORECASE):
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    found = _LICENCE.match(text)
    if not found:
        return None
    parts = "".join(f"-{part.lower()}" for part in re.findall(r"NC|SA|ND", found[1], re.IGNORECASE))
    return f"https://creativecommons.org/licenses/by{parts}/{found[2]}/"
