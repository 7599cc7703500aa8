"""Answers of PubMed (E-utilities): the ids of a search (JSON), and articles and books (XML) as plain data.

Source: NLM, "E-utilities In-Depth" and the DTD of PubMedArticleSet (2025).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from ..mathml import tex_of
from ..xml_events import DamagedXml, local_name, xml_events

_RECORDS = ("PubmedArticle", "PubmedBookArticle")
_ROOTS = ("PubmedArticleSet", "PubmedBookArticleSet", *_RECORDS)
_SUPERSCRIPTS = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")


class PubmedError(ValueError):
    """Data that is no answer of PubMed, or one that reports an error; the message says which."""


@dataclass(slots=True)
class Found:
    """The ids of one page of a search; ``count`` is how many it has in all."""

    count: int
    ids: list[str]


@dataclass(slots=True)
class Article:
    """An article, a book or a chapter of one; texts are plain, formulas TeX in dollars. What is missing is
    empty.

    ``place`` counts from 1. ``sections`` are the labels and texts of the abstract. Dates are years,
    months and days as they stand there. ``mesh`` are headings and whether each is a main topic.
    """

    place: int
    pmid: str = ""
    title: str = ""
    vernacular: str = ""
    sections: list[tuple[str, str]] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    journal: str = ""
    volume: str = ""
    issue: str = ""
    pages: str = ""
    book: str = ""
    publisher: str = ""
    dates: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    mesh: list[tuple[str, bool]] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    # What it is an update of, or is updated in: "medRxiv. 2024 Jan 5:2024.01.04.1234. doi: 10.1101/…".
    updates: list[str] = field(default_factory=list)
    references: list[dict[str, str]] = field(default_factory=list)


def found_ids(value: Any) -> Found:
    """What a search (ESearch, JSON) found.

    Raises:
        PubmedError: if ``value`` is no such answer, or reports an error.
    """
    result = value.get("esearchresult") if isinstance(value, dict) else None
    if not isinstance(result, dict):
        error = value.get("error") if isinstance(value, dict) else None
        raise PubmedError(f"the service says: {error}" if error else "it has no result of a search")
    if problem := result.get("ERROR"):
        raise PubmedError(f"the service says: {str(problem)[:200]}")
    ids, count = result.get("idlist"), result.get("count")
    if not isinstance(ids, list) or not all(isinstance(i, str) and i.isdigit() for i in ids):
        raise PubmedError("its list of ids is none")
    if not str(count).isdigit():
        raise PubmedError("it does not say how many it found")
    return Found(int(count), ids)


def articles(data: bytes | Iterable[bytes]) -> Iterator[Article]:
    """The articles and books of an answer (EFetch, XML), in order, in constant memory.

    Raises:
        PubmedError: if ``data`` is no such answer; where it is damaged, after the articles before that.
    """
    place, root = 0, None
    try:
        for event, element in xml_events(data, _RECORDS):
            if root is None:
                root = element
                if element.tag not in (*_ROOTS, "eFetchResult"):
                    raise PubmedError(f"this is no answer of PubMed: its root is <{local_name(element)}>")
            if event == "end" and element.tag in _RECORDS:
                place += 1
                yield (
                    _book(element, place) if element.tag == "PubmedBookArticle" else _article(element, place)
                )
                # What was read is not kept, nor the empty shell of it.
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
            elif event == "end" and element.tag == "ERROR":
                raise PubmedError(f"the service says: {_text(element)[:200]}")
    except DamagedXml as error:
        if root is None:
            raise PubmedError(f"this is no answer of PubMed: {error}") from error
        raise PubmedError(f"the answer is damaged after article {place}: {error}") from error
    if root is None:
        raise PubmedError("this is no answer of PubMed: it is empty")


def _article(element: etree._Element, place: int) -> Article:
    found = Article(place, _text(element.find("MedlineCitation/PMID")))
    article = element.find("MedlineCitation/Article")
    if article is not None:
        found.title = marked(article.find("ArticleTitle"))
        found.vernacular = marked(article.find("VernacularTitle"))
        found.sections = _sections(article.find("Abstract"))
        found.authors = _authors(article.find("AuthorList"))
        found.journal = _text(article.find("Journal/Title")) or _text(article.find("Journal/ISOAbbreviation"))
        found.volume = _text(article.find("Journal/JournalIssue/Volume"))
        found.issue = _text(article.find("Journal/JournalIssue/Issue"))
        found.pages = _text(article.find("Pagination/MedlinePgn"))
        found.types = [_text(e) for e in article.findall("PublicationTypeList/PublicationType")]
        _add_date(found, "print", article.find("Journal/JournalIssue/PubDate"))
        _add_date(found, "electronic", article.find("ArticleDate"))
        for location in article.findall("ELocationID"):
            if location.get("ValidYN", "Y") == "Y":
                found.ids.setdefault(location.get("EIdType", ""), _text(location))
    _add_date(found, "revised", element.find("MedlineCitation/DateRevised"))
    for heading in element.findall("MedlineCitation/MeshHeadingList/MeshHeading"):
        main = any(part.get("MajorTopicYN") == "Y" for part in heading)
        found.mesh.append((_text(heading.find("DescriptorName")), main))
    found.keywords = [marked(e) for e in element.findall("MedlineCitation/KeywordList/Keyword")]
    for comment in element.findall("MedlineCitation/CommentsCorrectionsList/CommentsCorrections"):
        if comment.get("RefType") in ("UpdateOf", "UpdateIn"):
            found.updates.append(_text(comment.find("RefSource")))
    _read_history(found, element.find("PubmedData"))
    # Lists of references may be nested in others.
    for reference in element.iterfind("PubmedData/ReferenceList//Reference"):
        if ids := _ids(reference.find("ArticleIdList")):
            found.references.append(ids)
    return found


def _book(element: etree._Element, place: int) -> Article:
    found = Article(place, _text(element.find("BookDocument/PMID")))
    document = element.find("BookDocument")
    if document is not None:
        found.title = marked(document.find("ArticleTitle"))
        found.vernacular = marked(document.find("VernacularTitle"))
        found.book = marked(document.find("Book/BookTitle"))
        found.publisher = _text(document.find("Book/Publisher/PublisherName"))
        found.sections = _sections(document.find("Abstract"))
        lists = [*document.findall("AuthorList"), *document.findall("Book/AuthorList")]
        authors = [e for e in lists if e.get("Type") != "editors"] or lists
        found.authors = _authors(authors[0]) if authors else []
        found.types = [_text(e) for e in document.findall("PublicationType")]
        found.keywords = [marked(e) for e in document.findall("KeywordList/Keyword")]
        _add_date(found, "print", document.find("Book/PubDate"))
        _add_date(found, "electronic", document.find("ContributionDate"))
        found.ids |= _ids(document.find("ArticleIdList"))
    _read_history(found, element.find("PubmedBookData"))
    return found


def _read_history(found: Article, data: etree._Element | None) -> None:
    if data is None:
        return
    found.ids |= _ids(data.find("ArticleIdList"))
    for day in data.findall("History/PubMedPubDate"):
        if day.get("PubStatus") == "entrez":
            _add_date(found, "entrez", day)


def _sections(abstract: etree._Element | None) -> list[tuple[str, str]]:
    if abstract is None:
        return []
    texts = [(e.get("Label", ""), marked(e)) for e in abstract.findall("AbstractText")]
    return [(label, text) for label, text in texts if text]


def _authors(authors: etree._Element | None) -> list[str]:
    names = []
    for author in authors if authors is not None else ():
        if author.tag != "Author" or author.get("ValidYN") == "N":
            continue
        given = _text(author.find("ForeName")) or _text(author.find("Initials"))
        parts = [given, _text(author.find("LastName")), _text(author.find("Suffix"))]
        names.append(" ".join(part for part in parts if part) or marked(author.find("CollectiveName")))
    return [name for name in names if name]


def _add_date(found: Article, name: str, element: etree._Element | None) -> None:
    if element is None:
        return
    year, month, day = (_text(element.find(part)) for part in ("Year", "Month", "Day"))
    if not year:
        # Written like "2008 Nov-Dec" or "1998 Winter".
        year, _, month = _text(element.find("MedlineDate")).partition(" ")
    if year:
        found.dates[name] = (year, month, day)


def _ids(ids: etree._Element | None) -> dict[str, str]:
    return {} if ids is None else {e.get("IdType", ""): _text(e) for e in ids.findall("ArticleId")}


def _text(element: etree._Element | None) -> str:
    return "" if element is None else " ".join("".join(element.itertext()).split())


def marked(element: etree._Element | None) -> str:
    """The text of an element with markup: MathML as TeX in dollars, exponents as such, the rest plain."""
    return "" if element is None else " ".join(_inner(element).split())


def _inner(element: etree._Element) -> str:
    parts = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str):
            name = local_name(child)
            if name == "math":
                parts.append(f"${tex}$" if (tex := tex_of(child)) else "")
            elif name == "sup":
                parts.append(_raised(_inner(child)))
            else:
                parts.append(_inner(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _raised(text: str) -> str:
    """An exponent as such, where Unicode has its characters: "10<sup>6</sup>" is not 106."""
    raised = text.translate(_SUPERSCRIPTS)
    return raised if all(a != b for a, b in zip(raised, text, strict=True)) else text
