"""One JSON object of the record form into the model, its fields checked."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ...model import dates
from ...model.identifiers import (
    Identifier,
    acl_identifier,
    arxiv_identifier,
    doi_identifier,
    find_identifier,
    openreview_identifier,
    url_identifier,
)
from ...model.links import add_printed_links, page_link
from ...model.papers import Author, Link, Listing, Record
from ..batch import ADDED, Batch

_TEXT, _TEXTS, _NUMBER, _NAMES = "a text", "a list of texts", "a whole number", "a list of names"

# Every field of the form, and what it must be. `published` may be a bare year.
FIELDS = {
    "arxiv_id": _TEXT, "doi": _TEXT, "acl_id": _TEXT, "openreview_id": _TEXT, "url": _TEXT,
    "title": _TEXT, "abstract": _TEXT, "authors": _NAMES, "published": _TEXT, "categories": _TEXTS,
    "venue": _TEXT, "comment": _TEXT, "day": _TEXT, "list": _TEXT, "rank": _NUMBER,
    "upvotes": _NUMBER, "num_comments": _NUMBER, "submitter": _TEXT, "github_repo": _TEXT,
    "github_stars": _NUMBER, "project_page": _TEXT, "ai_summary": _TEXT, "ai_keywords": _TEXTS,
    "organization": _TEXT,
}  # fmt: skip

# Lists whose name is that of the source that keeps them.
_SOURCE_OF_LIST = {"daily_papers": "daily_papers", "arxiv": "arxiv"}
_SOURCE = "jsonlines"


class FieldError(ValueError):
    """A field that is not what it must be; the message names it and the remedy."""


def record(fields: dict[str, Any], where: str, batch: Batch) -> Record:
    """The record that ``fields``, an object of the form `FIELDS`, tells.

    Raises:
        FieldError: naming the field.
    """
    fields = _checked(fields)
    get = fields.get
    list_name = get("list", ADDED)
    source = _SOURCE_OF_LIST.get(list_name, _SOURCE)
    result = Record(
        title=fields["title"],
        source=source,
        where=where,
        identifiers=_identifiers(fields),
        abstract=get("abstract"),
        authors=[Author(name) for name in get("authors", ())],
        published=get("published"),
        categories=get("categories", []),
        venue=get("venue"),
        comment=get("comment"),
        upvotes=get("upvotes"),
        num_comments=get("num_comments"),
        github_stars=get("github_stars"),
        submitter=get("submitter"),
        ai_summary=get("ai_summary"),
        ai_keywords=get("ai_keywords", []),
        organization={"name": fields["organization"]} if get("organization") else None,
    )
    result.links = _links(fields, source)
    result.listings = [_listing(fields, list_name, batch)]
    return result


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    """``fields`` without unknown and empty ones, each of the right type."""
    checked = {}
    for name, value in fields.items():
        kind = FIELDS.get(name)
        if kind is None or value is None or value == "":
            continue
        if kind is _TEXT:
            if type(value) is not str:
                if name != "published" or type(value) is not int:
                    raise _wrong(name, kind, value)
                value = str(value)
        elif kind is _NUMBER:
            if type(value) is float and value.is_integer():
                value = int(value)
            if type(value) is not int:
                raise _wrong(name, kind, value)
        else:
            if type(value) is not list:
                raise _wrong(name, kind, value)
            for item in value:
                if type(item) is not str:
                    value = [_item(item, name, kind) for item in value if item is not None]
                    break
        checked[name] = value
    if "title" not in checked:
        raise FieldError('"title" is missing or empty; give every paper its title')
    return checked


def _item(value: Any, name: str, kind: str) -> str:
    """One item of a list that is not wholly of texts: authors may be objects with a name."""
    if kind is _NAMES and isinstance(value, dict):
        value = value.get("name")
    if not isinstance(value, str):
        raise _wrong(name, kind, value)
    return value


def _wrong(name: str, kind: str, value: Any) -> FieldError:
    example = {_TEXT: '"…"', _TEXTS: '["…", "…"]', _NAMES: '["Ada Lovelace", "…"]', _NUMBER: "12"}[kind]
    return FieldError(f'"{name}" must be {kind}, like {example}, but it is {str(value)[:60]!r}')


def _identifiers(fields: dict[str, Any]) -> list[Identifier]:
    found = []
    for name, identifier_of, form in _IDENTIFIER_FIELDS:
        text = fields.get(name)
        if text:
            identifier = identifier_of(text) or find_identifier(text)
            if identifier is None or identifier.scheme == "title":
                raise FieldError(f'"{name}" is {text[:60]!r}, which is no {form}; correct it or leave it out')
            found.append(identifier)
    if "url" in fields:
        identifier = url_identifier(fields["url"])
        if identifier:
            found.append(identifier)
    return found


_IDENTIFIER_FIELDS = (
    ("arxiv_id", arxiv_identifier, "arXiv id such as 2407.21783 or hep-th/9901001"),
    ("doi", doi_identifier, "DOI such as 10.1038/nature14539"),
    ("acl_id", acl_identifier, "ACL Anthology id such as 2020.acl-main.1 or P19-1001"),
    ("openreview_id", openreview_identifier, "OpenReview forum id such as rJXMpikCZ"),
)


def _links(fields: dict[str, Any], source: str) -> list[Link]:
    links = []
    if "github_repo" in fields:
        links.append(Link("code", fields["github_repo"], source, "github_repo"))
    if "project_page" in fields:
        links.append(Link("project", fields["project_page"], source, "project_page"))
    if "url" in fields and not url_identifier(fields["url"]):
        links.append(page_link(fields["url"], source, "url"))
    add_printed_links(links, fields.get("abstract"), source)
    add_printed_links(links, fields.get("comment"), source, "comment")
    return links


def _listing(fields: dict[str, Any], list_name: str, batch: Batch) -> Listing:
    if "day" not in fields and "list" not in fields:
        listing = batch.added()
    else:
        try:
            day = _day(fields["day"]) if "day" in fields else batch.day or batch.today
        except dates.DateError as error:
            raise FieldError(f'"day": {error}') from error
        listing = Listing(list_name, day, batch.place(list_name, day), list_name)
    listing.rank = fields.get("rank", listing.rank)
    if listing.rank < 1:
        raise FieldError(f'"rank" is {listing.rank}, but places count from 1')
    listing.upvotes, listing.num_comments = fields.get("upvotes"), fields.get("num_comments")
    listing.submitter = fields.get("submitter")
    return listing


# Thousands of lines share one day.
_day = lru_cache(1024)(dates.day)
