"""A BibTeX entry into the model."""

from __future__ import annotations

import re

from ...model.identifiers import arxiv_identifier
from ...model.links import add_printed_links
from ...model.papers import Author, Record, Rejection
from ..batch import Batch
from ..references import add_identifiers, arxiv_in, rough_date
from .names import names_of
from .parser import BibEntry
from .tex import text_of

SOURCE = "bibtex"
# Where a paper appeared, the first that an entry has.
_VENUES = (
    "journal",
    "journaltitle",
    "booktitle",
    "eventtitle",
    "school",
    "institution",
    "organization",
    "publisher",
)


def record(entry: BibEntry, batch: Batch) -> Record | Rejection:
    """The record that ``entry`` tells, or why it tells none."""
    where = f"{batch.name} line {entry.line} ({entry.key[:60]})"
    fields = {name: text for name, value in entry.fields.items() if (text := value.strip())}
    title = _title(fields)
    if not title:
        return Rejection(where, f"the @{entry.kind} has no title; add the field title")
    # Wrapped lines are indented in bibliographies; only an empty line begins a paragraph.
    abstract = text_of(re.sub(r"[ \t]*\n[ \t]*", "\n", fields.get("abstract", ""))) or None
    journal = text_of(fields.get("journal") or fields.get("journaltitle") or "")
    result = Record(
        title=title,
        source=SOURCE,
        where=where,
        abstract=abstract,
        authors=[Author(name) for name in names_of(fields.get("author") or fields.get("editor") or "")],
        published=rough_date(text_of(fields.get("date") or ""))
        or rough_date(text_of(fields.get("year", "")), fields.get("month"), fields.get("day")),
        venue=_venue(fields, title),
        comment=_note(fields),
        ai_keywords=_keywords(fields.get("keywords") or fields.get("keyword") or ""),
    )
    add_identifiers(
        result,
        dois=[_bare(fields["doi"])] if "doi" in fields else [],
        urls=[_bare(fields[name]) for name in ("url", "adsurl", "ee") if name in fields],
        others=[_eprint(fields), arxiv_in(journal), arxiv_in(fields.get("howpublished"))],
    )
    archive = fields.get("primaryclass") or fields.get("eprintclass")
    if archive and any(identifier.scheme == "arxiv" for identifier in result.identifiers):
        result.categories = [archive]
    add_printed_links(result.links, abstract, SOURCE)
    result.listings = [batch.added()]
    return result


def _title(fields: dict[str, str]) -> str:
    title, subtitle = text_of(fields.get("title", "")), text_of(fields.get("subtitle", ""))
    if not title or not subtitle:
        return title
    return f"{title} {subtitle}" if title.endswith(("?", "!", ":")) else f"{title}: {subtitle}"


def _venue(fields: dict[str, str], title: str) -> str | None:
    for name in _VENUES:
        venue = text_of(fields.get(name, ""))
        if not venue and fields.get(name, "").startswith("\\"):
            # A macro that is not known here.
            venue = fields[name].lstrip("\\")
        if venue and venue != title and not re.match(r"(?i)arxiv(?: preprint)?(?:\s*arxiv)?\s*[:(]?", venue):
            return venue
    return None


def _note(fields: dict[str, str]) -> str | None:
    note = fields.get("note", "")
    # An address as a note is a link, if anything.
    return None if re.fullmatch(r"\s*(?:\\url\s*\{[^}]*\}|https?://\S+)\s*", note) else text_of(note) or None


def _keywords(value: str) -> list[str]:
    words = re.split(r"\s*;\s*", value) if ";" in value else re.split(r"\s*,\s*", value)
    return [
        word
        for word in (" ".join(text_of(word).split()) for word in words)
        if word and not word.startswith("_")
    ]


def _eprint(fields: dict[str, str]):
    """The arXiv id in ``eprint``, where the entry does not say that it is another archive's."""
    archive = (fields.get("archiveprefix") or fields.get("eprinttype") or "arxiv").strip().lower()
    eprint = fields.get("eprint", "")
    if not eprint or archive != "arxiv":
        return arxiv_identifier(fields.get("arxiv", "")) if "arxiv" in fields else None
    return arxiv_identifier(_bare(eprint)) or arxiv_in(eprint)


def _bare(value: str) -> str:
    r"""``value`` of a field that holds no prose: without braces, ``\url`` and escapes."""
    value = re.sub(r"\\(?:url|href|path)\s*", "", value)
    value = re.sub(r"\\([_%#&~{}$-])", r"\1", value).replace("{", "").replace("}", "")
    return value.strip().split()[0] if value.strip() else ""
