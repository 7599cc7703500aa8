"""What reference formats (BibTeX, RIS, CSL-JSON) share: dates that may be rough, ids in odd fields."""

from __future__ import annotations

import re
from datetime import date

from ..model.identifiers import Identifier, arxiv_identifier, doi_identifier, find_identifier, url_identifier
from ..model.links import page_link
from ..model.papers import Link, Record

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBERS = re.compile(r"(\d{4})(?:\D(\d{1,2})(?:\D(\d{1,2}))?)?")
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_ARXIV_IN_TEXT = re.compile(r"arxiv\s*[:.]\s*([\w./-]+\d(?:v\d+)?)", re.IGNORECASE)


def rough_date(text: str | None, month: str | None = None, day: str | None = None) -> str | None:
    """The date that ``text`` begins with, as far as it is one; None where it has no year.

    >>> rough_date("2001/09/00/")
    '2001-09'
    """
    text = (text or "").strip()
    if text.startswith("-"):
        # Before the common era.
        return None
    found = _NUMBERS.match(text) or _YEAR.search(text)
    if not found:
        return None
    year = found[0][:4]
    parts = [int(part) for part in found.groups() if part] if found.groups() else [int(year)]
    if len(parts) == 1 and month:
        number = _month(month)
        parts += [number] if number else []
        in_month = re.search(r"\d{1,2}", day or ("" if month.strip().isdigit() else month))
        parts += [int(in_month[0])] if number and in_month else []
    for length in (3, 2):
        if len(parts) >= length:
            try:
                whole = date(*(parts[:length] + [1] * (3 - length))).isoformat()
                return whole[: 4 + 3 * (length - 1)]
            except ValueError:
                continue
    return year


def _month(text: str) -> int | None:
    name = re.search(r"[a-z]{3}", text.lower())
    if name:
        return _MONTHS.index(name[0]) + 1 if name[0] in _MONTHS else None
    number = re.search(r"\d{1,2}", text)
    return int(number[0]) if number and 1 <= int(number[0]) <= 12 else None


def arxiv_in(text: str | None) -> Identifier | None:
    """The arXiv id in a text such as ``arXiv preprint arXiv:1706.03762v2 [cs]``."""
    found = _ARXIV_IN_TEXT.search(text[:300]) if text else None
    return arxiv_identifier(found[1]) if found else None


def add_identifiers(
    record: Record, *, dois: list[str], urls: list[str], others: list[Identifier | None]
) -> None:
    """Adds to ``record`` what its fields name it by; an address that is no id becomes a link.

    A DOI of the wrong form is left out, as in a reference it is one part of many.
    """
    found = [identifier for identifier in others if identifier]
    links: list[Link] = []
    for doi in dois:
        identifier = doi_identifier(doi) or find_identifier(doi)
        if identifier and identifier.scheme != "title":
            found.append(identifier)
        elif re.fullmatch(r"10/[a-z0-9]{3,10}", doi.strip()):
            links.append(Link("doi", f"https://doi.org/{doi.strip()}", record.source, "doi"))
    for url in urls:
        identifier = url_identifier(url)
        if identifier:
            found.append(identifier)
        else:
            links.append(page_link(url.strip(), record.source, "url"))
    record.identifiers += [i for n, i in enumerate(found) if i.key not in {other.key for other in found[:n]}]
    record.links += [link for link in links if link.url not in {other.url for other in record.links}]
