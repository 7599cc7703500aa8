"""Collections of the ACL Anthology (XML) as plain papers with their volumes.

Source: acl-org/acl-anthology, data/xml/schema.rnc, and its documentation of the XML format: markup in
titles and abstracts, ids of the old and the new form, how the id of a paper is put together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lxml import etree

from ..xml_events import DamagedXml, xml_events

_OLD = re.compile(r"[A-Z]\d{2}")
_ANTHOLOGY_ID = re.compile(r"[A-Z]\d{2}-\d{4}|\d{4}\.[a-z0-9_]+-[a-z0-9_]+\.\d+")


class AnthologyError(ValueError):
    """Data that is no collection of the Anthology, or a damaged one; the message says where."""


@dataclass(slots=True)
class Volume:
    """A volume: ``key`` is its id (``2021.metanlp-1``, ``C65-1``), what is missing is empty."""

    key: str
    collection: str
    booktitle: str = ""
    journal: str = ""
    journal_volume: str = ""
    journal_issue: str = ""
    editors: list[str] = field(default_factory=list)
    publisher: str = ""
    year: str = ""
    month: str = ""
    ingested: str = ""


@dataclass(slots=True)
class Paper:
    """A paper of a volume; texts are plain, formulas TeX in dollars. What is missing is empty.

    ``place`` counts the papers of the volume from 1. ``revisions`` are the numbers and dates of its
    corrected versions, ``code`` and ``datasets`` addresses, ``retracted`` and ``removed`` days.
    """

    volume: Volume
    place: int
    id: str
    number: str = ""
    title: str = ""
    abstract: str = ""
    authors: list[str] = field(default_factory=list)
    editors: list[str] = field(default_factory=list)
    pages: str = ""
    url: str = ""
    doi: str = ""
    bibkey: str = ""
    year: str = ""
    month: str = ""
    booktitle: str = ""
    journal: str = ""
    awards: list[str] = field(default_factory=list)
    revisions: list[tuple[str, str]] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    datasets: list[str] = field(default_factory=list)
    videos: list[str] = field(default_factory=list)
    retracted: str | None = None
    removed: str | None = None


# Elements that hold one text each, and the field that keeps it.
_TEXTS = {
    "pages": "pages",
    "doi": "doi",
    "bibkey": "bibkey",
    "year": "year",
    "month": "month",
    "journal": "journal",
}
_MARKED = {"title": "title", "abstract": "abstract", "booktitle": "booktitle"}
_META = {
    "publisher": "publisher",
    "year": "year",
    "month": "month",
    "journal-title": "journal",
    "journal-volume": "journal_volume",
    "journal-issue": "journal_issue",
}


def papers(data: bytes | Iterable[bytes]) -> Iterator[Paper]:
    """The papers of a collection, in order, without front and back matter; in constant memory.

    Raises:
        AnthologyError: if ``data`` is no collection; where it is damaged, after the papers before that.
    """
    root, volume, place = None, None, 0
    try:
        for event, element in xml_events(data, ("paper", "volume")):
            if root is None:
                root = element
                if element.tag != "collection" or not element.get("id"):
                    raise AnthologyError("this is no collection of the ACL Anthology (<collection id=…>)")
            if event == "start":
                if element.tag == "volume" and element.getparent() is root:
                    collection = root.get("id", "")
                    key = f"{collection}-{element.get('id', '')}"
                    volume, place = Volume(key, collection, ingested=element.get("ingest-date", "")), 0
            elif volume is None:
                continue
            elif element.tag == "meta":
                _read_meta(volume, element)
            elif element.tag == "paper":
                if element.get("type") not in ("frontmatter", "backmatter"):
                    place += 1
                    yield _paper(element, volume, place)
                # What was read is not kept: the largest collections have thousands of papers.
                element.clear()
            elif element.tag == "volume":
                element.clear()
                volume = None
    except DamagedXml as error:
        if root is None:
            raise AnthologyError(f"this is no collection of the ACL Anthology: {error}") from error
        where = f"{volume.key}, paper {place}" if volume else "the last volume"
        raise AnthologyError(f"the collection is damaged after {where}: {error}") from error
    if root is None:
        raise AnthologyError("this is no collection of the ACL Anthology: it is empty")


def _read_meta(volume: Volume, meta: etree._Element) -> None:
    for child in meta:
        name = _META.get(child.tag)
        if name:
            setattr(volume, name, _text(child))
        elif child.tag == "booktitle":
            volume.booktitle = marked(child)
        elif child.tag == "editor":
            volume.editors.append(_name(child))


def _paper(element: etree._Element, volume: Volume, place: int) -> Paper:
    paper = Paper(volume, place, "", element.get("id", ""))
    for child in element:
        tag = child.tag
        if name := _TEXTS.get(tag):
            # Of a repeated element, the first counts.
            setattr(paper, name, getattr(paper, name) or _text(child))
        elif name := _MARKED.get(tag):
            setattr(paper, name, getattr(paper, name) or _once(child))
        elif tag in ("author", "editor"):
            (paper.authors if tag == "author" else paper.editors).append(_name(child))
        elif tag == "url":
            paper.url = paper.url or _text(child)
        elif tag == "award":
            paper.awards.append(_text(child))
        elif tag == "revision":
            paper.revisions.append((child.get("id", ""), child.get("date", "")))
        elif tag == "pwccode":
            paper.code.append(child.get("url", ""))
        elif tag == "pwcdataset":
            paper.datasets.append(child.get("url", ""))
        elif tag == "video":
            paper.videos.append(child.get("href", "") or _text(child))
        elif tag in ("retracted", "removed"):
            setattr(paper, tag, child.get("date", ""))
    paper.id = paper.url if _ANTHOLOGY_ID.fullmatch(paper.url) else _built_id(volume, paper.number)
    return paper


def _built_id(volume: Volume, number: str) -> str:
    """The id of a paper, from its place, where its address does not say it.

    In the old form a volume had one digit and a paper three; workshops had too many volumes for that.
    """
    name = volume.key.rpartition("-")[2]
    if not _OLD.fullmatch(volume.collection):
        return f"{volume.key}.{number}"
    if not (name.isdigit() and number.isdigit()):
        return ""
    many = volume.collection[0] == "W" or volume.collection == "C69"
    many = many or (volume.collection == "D19" and int(name) >= 5)
    return f"{volume.collection}-" + (
        f"{int(name):02d}{int(number):02d}" if many else f"{int(name)}{int(number):03d}"
    )


def _name(person: etree._Element) -> str:
    parts = (_text(person.find("first")), _text(person.find("last")))
    return " ".join(part for part in parts if part)


def _text(element: etree._Element | None) -> str:
    return "" if element is None else " ".join("".join(element.itertext()).split())


def _once(element: etree._Element) -> str:
    """`marked`, without the second half where a copy of the Anthology has the text plain and then marked."""
    text, plain = marked(element), element.text or ""
    rest = text[len(plain) :]
    return plain if len(rest) > 20 and plain.endswith(rest) else text


def marked(element: etree._Element) -> str:
    """The text of an element with markup: formulas in dollars, all other markup taken off."""
    parts = [element.text or ""]
    for child in element:
        inner = marked(child) if isinstance(child.tag, str) else ""
        if child.tag == "tex-math" and inner:
            inner = f"${inner}$"
        parts += [inner, child.tail or ""]
    return "".join(parts)
