"""Posts of bioRxiv and medRxiv into the model."""

from __future__ import annotations

import re

from ...model import dates
from ...model.identifiers import doi_identifier
from ...model.links import add_printed_links
from ...model.papers import Author, Link, Listing, Record, Rejection, Version
from ...model.text import clean_line, clean_paragraphs
from .parse import Post, Printed

# Some days are written without zeros ("2024-1-5") and some with slashes.
_DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:\D.*)?")
_NOTICE = re.compile(r"\s*(?:WITHDRAWN|REMOVED|RETRACTED)(?: ARTICLE)?\s*[:–—-]\s+", re.IGNORECASE)
# "cc_no" means that all rights are reserved.
_LICENCES = {
    "cc_by": "https://creativecommons.org/licenses/by/4.0/",
    "cc_by_nc": "https://creativecommons.org/licenses/by-nc/4.0/",
    "cc_by_nd": "https://creativecommons.org/licenses/by-nd/4.0/",
    "cc_by_nc_nd": "https://creativecommons.org/licenses/by-nc-nd/4.0/",
    "cc_by_nc_sa": "https://creativecommons.org/licenses/by-nc-sa/4.0/",
    "cc0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "cc0_ng": "https://creativecommons.org/publicdomain/zero/1.0/",
}


def server_of(post: Post) -> str:
    """The name of the server that ``post`` says it is on: ``biorxiv`` where it says none."""
    return "medrxiv" if "medrxiv" in (post.server + post.jatsxml).lower() else "biorxiv"


def record(post: Post, where: str, server: str | None = None) -> Record | Rejection:
    """The record that ``post`` tells, listed on the day on which its version was posted.

    A server of preprints is no venue: that is left to the journal that prints it.
    """
    server = server or server_of(post)
    doi = doi_identifier(post.doi)
    if not doi:
        return Rejection(where, f"{post.doi[:60]!r} is no DOI, which every preprint has; fetch it again")
    title, notice = _title(post)
    if not title:
        return Rejection(where, f"{doi.value} has no title; fetch it again")
    try:
        day = day_of(post)
    except dates.DateError as error:
        return Rejection(where, f"{doi.value}: {error}")
    number = int(post.version) if post.version.isdigit() and int(post.version) > 0 else 1
    result = Record(
        title=title,
        source=server,
        where=where,
        identifiers=[doi],
        # A withdrawal has the notice in the place of the abstract.
        abstract=None if notice else clean_paragraphs(post.abstract) or None,
        comment=clean_line(post.abstract) or None if notice else None,
        authors=[Author(name) for name in _names(post.authors)],
        published=day if number == 1 else None,
        updated=day,
        categories=[post.category.lower()] if post.category else [],
        versions=[Version(number, f"{day}T00:00:00Z")],
        withdrawn=day if notice else None,
        licence=_LICENCES.get(post.license.lower()),
    )
    page = f"https://www.{server}.org/content/{post.doi}"
    result.links = [
        Link("abstract", page, server, "doi"),
        Link("pdf", f"{page}v{number}.full.pdf", server, "doi"),
        Link("doi", f"https://doi.org/{post.doi}", server, "doi"),
    ]
    published = doi_identifier(post.published)
    if published and published.key != doi.key:
        result.identifiers.append(published)
        result.links.append(Link("doi", f"https://doi.org/{post.published}", server, "published"))
    add_printed_links(result.links, result.abstract, server)
    result.listings = [Listing(server, day, post.place, server)]
    return result


def addition(found: Printed, where: str, server: str) -> Record | Rejection:
    """What it adds to a stored preprint that a journal has printed it: its DOI there, and the journal."""
    preprint, published = doi_identifier(found.doi), doi_identifier(found.published)
    if not preprint or not published:
        wrong = found.published if preprint else found.doi
        return Rejection(where, f"{wrong[:60]!r} is no DOI; fetch it again")
    return Record(
        title="",
        source=server,
        where=where,
        identifiers=[preprint, published],
        venue=clean_line(found.journal) or None,
        links=[Link("doi", f"https://doi.org/{found.published}", server, "published")],
    )


def day_of(post: Post) -> str:
    """The day on which the version was posted.

    Raises:
        dates.DateError: if it is no day of the calendar.
    """
    found = _DAY.fullmatch(post.date)
    return dates.day(f"{found[1]}-{int(found[2]):02d}-{int(found[3]):02d}" if found else post.date)


def _names(authors: str) -> list[str]:
    """The authors, written ``Family, G. H.; …``, with the given names first."""
    names = []
    for name in authors.split(";"):
        family, comma, given = (part.strip() for part in name.partition(","))
        whole = clean_line(f"{given} {family}" if comma and given else family)
        if whole and whole not in names:
            names.append(whole)
    return names


def _title(post: Post) -> tuple[str, bool]:
    """The title, and whether the version is the notice that the preprint was withdrawn."""
    title = clean_line(post.title)
    found = _NOTICE.match(title)
    plain = title[found.end() :] if found else title
    return plain, plain != title or post.type.lower() in ("withdrawn", "withdrawal")
