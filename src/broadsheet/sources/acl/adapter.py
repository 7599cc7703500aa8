"""Papers of the ACL Anthology into the model."""

from __future__ import annotations

import re

from ...model.identifiers import acl_identifier, doi_identifier
from ...model.links import add_printed_links
from ...model.papers import Author, Link, Listing, Record, Rejection, Version
from ...model.text import clean_line, clean_paragraphs
from ...model.validation import is_web_url
from ..references import rough_date
from .parse import Paper

SOURCE = "acl"
PAGE = "https://aclanthology.org/"

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def record(paper: Paper, where: str) -> Record | Rejection:
    """The record that ``paper`` tells, listed in its volume on the day it came to the Anthology."""
    identifier = acl_identifier(paper.id)
    if not identifier:
        return Rejection(where, f"{paper.id or paper.number!r} is no id of the ACL Anthology; fetch it again")
    title = clean_line(paper.title)
    if not title:
        return Rejection(where, f"{paper.id} has no title; the Anthology has to correct it")
    volume = paper.volume
    names = paper.authors or paper.editors
    result = Record(
        title=title,
        source=SOURCE,
        where=where,
        identifiers=[identifier],
        abstract=clean_paragraphs(paper.abstract) or None,
        authors=[Author(name) for name in names],
        published=rough_date(
            paper.year or volume.year or _year(volume.collection), paper.month or volume.month
        ),
        venue=_venue(paper),
        comment="; ".join(map(clean_line, paper.awards)) or None,
        withdrawn=_withdrawn(paper),
    )
    for number, day in paper.revisions:
        if number.isdigit() and int(number) > 0:
            result.versions.append(Version(int(number), f"{day}T00:00:00Z" if _DAY.fullmatch(day) else None))
    if result.versions and not any(version.number == 1 for version in result.versions):
        result.versions.insert(0, Version(1))
    result.links = _links(paper)
    if doi := doi_identifier(paper.doi):
        result.identifiers.append(doi)
        result.links.append(Link("doi", f"https://doi.org/{paper.doi.strip()}", SOURCE, "doi"))
    add_printed_links(result.links, result.abstract, SOURCE)
    for name, value in (("bibkey", paper.bibkey), ("pages", paper.pages)):
        if value:
            result.extra[name] = value
    if _DAY.fullmatch(volume.ingested):
        result.listings = [Listing(volume.key, volume.ingested, paper.place, SOURCE)]
    return result


def _year(collection: str) -> str:
    """The year in the id of a collection: ``2021.metanlp``, ``C65``."""
    if collection[:4].isdigit():
        return collection[:4]
    # The oldest papers are of 1952, the old ids ended in 2019.
    year = collection[1:3]
    return f"{'19' if year > '50' else '20'}{year}" if year.isdigit() else ""


def _venue(paper: Paper) -> str | None:
    """The proceedings or the journal with volume and issue."""
    volume = paper.volume
    journal = paper.journal or volume.journal
    if journal:
        number = volume.journal_volume and f" {volume.journal_volume}"
        issue = volume.journal_issue and f"({volume.journal_issue})"
        return clean_line(f"{journal}{number}{issue}")
    return clean_line(paper.booktitle or volume.booktitle) or None


def _withdrawn(paper: Paper) -> str | None:
    """The day on which the paper was retracted or removed, if it was; the day of the volume without one."""
    for day in (paper.removed, paper.retracted):
        if day is not None:
            return day if _DAY.fullmatch(day) else paper.volume.ingested or paper.volume.year or None
    return None


def _links(paper: Paper) -> list[Link]:
    links = [Link("abstract", f"{PAGE}{paper.id}", SOURCE, "id")]
    if paper.url:
        # Of some of the oldest papers there is only the page; some lie on other servers.
        pdf = paper.url if is_web_url(paper.url) else f"{PAGE}{paper.id}.pdf"
        links.append(Link("pdf", pdf, SOURCE, "url"))
    links += [Link("code", url, SOURCE, "pwccode") for url in paper.code if url]
    links += [Link("other", url, SOURCE, "pwcdataset") for url in paper.datasets if url]
    links += [Link("video", url, SOURCE, "video") for url in paper.videos if is_web_url(url)]
    return links
