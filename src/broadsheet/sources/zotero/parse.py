"""Items of Zotero's API as plain data.

Source: zotero.org/support/dev/web_api/v3 and the schema at api.zotero.org/schema (item types, fields).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ..markup import line_of, text_of
from ..references import rough_date
from ..values import number, object_in, objects_in, text

# Types whose items are works to read; films, pictures, letters, cases and the like are none.
WORKS = {
    "journalArticle", "conferencePaper", "preprint", "report", "thesis", "book", "bookSection", "manuscript",
    "magazineArticle", "newspaperArticle", "encyclopediaArticle", "dictionaryEntry", "document",
    "presentation", "dataset", "standard", "patent", "computerProgram", "blogPost", "webpage",
}  # fmt: skip
# Parts of other items.
PARTS = {"attachment", "note", "annotation"}
# The field that names where a work appeared, in the order in which they count.
_VENUES = (
    "publicationTitle", "proceedingsTitle", "conferenceName", "bookTitle", "encyclopediaTitle",
    "dictionaryTitle", "repository", "university", "institution", "websiteTitle", "blogTitle", "publisher",
)  # fmt: skip
_AUTHORS = ("author", "programmer", "inventor", "presenter", "contributor", "editor")
_EXTRA_FIELD = re.compile(r"(?im)^\s*(doi|arxiv|arxiv id|pmid|pmcid|url)\s*[:=]\s*(\S+)")


@dataclass(slots=True)
class Item:
    """One item; what is missing is empty. ``collections`` are keys, ``extra`` what its notes field names
    (``doi``, ``arxiv``, ``pmid``, ``pmcid``, ``url``).
    """

    key: str
    version: int
    kind: str
    title: str = ""
    abstract: str = ""
    authors: list[str] = field(default_factory=list)
    published: str = ""
    added: str = ""
    venue: str = ""
    doi: str = ""
    url: str = ""
    archive_id: str = ""
    extra: dict[str, str] = field(default_factory=dict)
    notes: str = ""
    tags: list[str] = field(default_factory=list)
    collections: list[str] = field(default_factory=list)
    deleted: bool = False


def item(value: dict[str, Any]) -> Item:
    """``value``, an item of the API; never raises."""
    data = object_in(value.get("data")) or value
    extra = text(data.get("extra"))
    archive_id = text(data.get("archiveID")) or text(data.get("archiveLocation"))
    return Item(
        key=text(value.get("key")) or text(data.get("key")),
        version=number(value.get("version")) or 0,
        kind=text(data.get("itemType")),
        title=line_of(text(data.get("title")) or text(data.get("caseName"))),
        abstract=text_of(text(data.get("abstractNote"))),
        authors=_authors(objects_in(data.get("creators"))),
        published=_date(text(object_in(value.get("meta")).get("parsedDate")), text(data.get("date"))),
        added=text(data.get("dateAdded")),
        venue=next((line_of(told) for name in _VENUES if (told := text(data.get(name)))), ""),
        doi=text(data.get("DOI")),
        url=text(data.get("url")),
        archive_id=archive_id,
        extra={found[1].lower(): found[2] for found in _EXTRA_FIELD.finditer(extra)},
        notes=extra[:2000],
        tags=[tag for part in objects_in(data.get("tags")) if (tag := line_of(text(part.get("tag"))))],
        collections=[name for name in map(text, _list(data.get("collections"))) if name],
        deleted=bool(data.get("deleted")),
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _authors(creators: list[dict[str, Any]]) -> list[str]:
    """The names of those who wrote it; where there are none, of those who edited it, and so on."""
    for kind in _AUTHORS:
        names = [_name(creator) for creator in creators if creator.get("creatorType") == kind]
        if any(names):
            return [name for name in names if name]
    return []


def _name(creator: dict[str, Any]) -> str:
    parts = (text(creator.get("firstName")), text(creator.get("lastName")))
    return line_of(text(creator.get("name")) or " ".join(part for part in parts if part))


def _date(parsed: str, written: str) -> str:
    """The date as Zotero understood it (``1980-05-00``), else as it was typed in."""
    return rough_date(parsed) or rough_date(written) or ""
