"""Articles and books of PubMed into the model."""

from __future__ import annotations

import re

from ...model.identifiers import Identifier, doi_identifier, pmcid_identifier, pmid_identifier
from ...model.links import add_printed_links
from ...model.papers import Author, Link, Record, Rejection
from ...model.text import clean_line
from ..references import rough_date
from .parse import Article

SOURCE = "pubmed"
PAGE = "https://pubmed.ncbi.nlm.nih.gov"

# Translated titles stand in brackets, and all titles end with a full stop.
_TRANSLATED = re.compile(r"\[(.+?)\.?\]\.?", re.DOTALL)
_PREPRINT = re.compile(r"(?i)(?:bio|med|ar)rxiv|10\.(?:1101|64898|48550)/")
_DOI = re.compile(r"10\.\d{4,9}/[^\s;,]+")


def record(article: Article, where: str) -> Record | Rejection:
    """The record that ``article`` tells.

    Main topics among its MeSH headings are its categories, the other headings stand with its keywords.
    """
    pmid = pmid_identifier(article.pmid)
    if not pmid:
        return Rejection(where, f"{article.pmid[:60]!r} is no PubMed id; fetch it again")
    title = _title(article)
    if not title:
        return Rejection(
            where, f"PMID {pmid.value} has no title; PubMed may not have it yet, fetch it again later"
        )
    mesh = [(clean_line(name), main) for name, main in article.mesh]
    result = Record(
        title=title,
        source=SOURCE,
        where=where,
        abstract=_abstract(article),
        authors=[Author(name) for name in map(clean_line, article.authors) if name],
        published=_date(article, "electronic") or _date(article, "print") or _date(article, "entrez"),
        categories=[name for name, main in mesh if main],
        venue=_venue(article),
        ai_keywords=[*map(clean_line, article.keywords), *(name for name, main in mesh if not main)],
        withdrawn=_withdrawn(article),
        references=_references(article),
    )
    result.identifiers = [pmid]
    result.links = [Link("abstract", f"{PAGE}/{pmid.value}/", SOURCE, "pubmed")]
    _add_names(result, article)
    add_printed_links(result.links, result.abstract, SOURCE)
    place = "".join(
        (
            article.volume,
            f"({article.issue})" if article.issue else "",
            f":{article.pages}" if article.pages else "",
        )
    )
    if place:
        result.extra["pages"] = place
    return result


def _title(article: Article) -> str:
    title = clean_line(article.title or article.book)
    if title in ("[Not Available].", "[Not Available]", "") and article.vernacular:
        title = clean_line(article.vernacular)
    translated = _TRANSLATED.fullmatch(title)
    if translated and "[" not in translated[1]:
        return translated[1]
    return title[:-1] if title.endswith(".") and not title.endswith("..") else title


def _abstract(article: Article) -> str | None:
    """The abstract, a paragraph for each of its sections."""
    sections = [f"{label.rstrip(':')}: {text}" if label else text for label, text in article.sections]
    return "\n\n".join(sections) or None


def _venue(article: Article) -> str | None:
    """The journal, or for a chapter its book and for a book its publisher."""
    chapter_of = article.book if article.title else ""
    # Of "European spine journal : official publication of …" the beginning is the name.
    return clean_line(article.journal.split(" : ")[0] or chapter_of or article.publisher) or None


def _date(article: Article, name: str) -> str | None:
    year, month, day = article.dates.get(name, ("", "", ""))
    return rough_date(year, month or None, day or None)


def _withdrawn(article: Article) -> str | None:
    if "Retracted Publication" not in article.types:
        return None
    return _date(article, "revised") or _date(article, "entrez") or _date(article, "print")


def _add_names(result: Record, article: Article) -> None:
    """All identifiers of ``article`` with their links, also those of its preprint."""
    doi = doi_identifier(article.ids.get("doi", ""))
    pmcid = pmcid_identifier(article.ids.get("pmc", ""))
    if doi:
        result.identifiers.append(doi)
        result.links.append(Link("doi", f"https://doi.org/{article.ids['doi']}", SOURCE, "doi"))
    if pmcid:
        result.identifiers.append(pmcid)
        url = f"https://pmc.ncbi.nlm.nih.gov/articles/{pmcid.value}/"
        result.links.append(Link("abstract", url, SOURCE, "pmc"))
    if book := article.ids.get("bookaccession"):
        url = f"https://www.ncbi.nlm.nih.gov/books/{book}/"
        result.links.append(Link("abstract", url, SOURCE, "bookaccession"))
    for update in article.updates:
        # Other updates are new editions (Cochrane reviews), which are other works.
        named = _DOI.search(update) if _PREPRINT.search(update) else None
        preprint = doi_identifier(named[0].rstrip(".")) if named else None
        if preprint and preprint.key not in {known.key for known in result.identifiers}:
            result.identifiers.append(preprint)
            result.links.append(Link("doi", f"https://doi.org/{preprint.value}", SOURCE, "update"))


def _references(article: Article) -> list[str]:
    """The keys of the works that it cites: the DOI where there is one, else the PubMed id."""
    found: list[Identifier | None] = [
        doi_identifier(ids.get("doi", "")) or pmid_identifier(ids.get("pubmed", ""))
        for ids in article.references
    ]
    return list(dict.fromkeys(identifier.key for identifier in found if identifier))
