"""What is fuzzed: reading files of every format, and the parser of each source on its own.

Nothing may come out of a parser but its own documented error.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from broadsheet.model.papers import Record
from broadsheet.model.validation import RecordError, checked
from broadsheet.sources.acl.adapter import record as acl_record
from broadsheet.sources.acl.parse import AnthologyError, papers
from broadsheet.sources.arxiv import parse_atom
from broadsheet.sources.arxiv.adapter import EntryError, announced_record
from broadsheet.sources.arxiv.feeds import ArxivFeed, NoArxivFeed
from broadsheet.sources.arxiv.files import items_of
from broadsheet.sources.arxiv.oai import NoOaiAnswer, OaiAnswer
from broadsheet.sources.biorxiv import parse as biorxiv
from broadsheet.sources.biorxiv.adapter import record as biorxiv_record
from broadsheet.sources.crossref.adapter import record as crossref_record
from broadsheet.sources.crossref.parse import work as crossref_work
from broadsheet.sources.feeds.adapter import record as feed_record
from broadsheet.sources.feeds.parse import FeedError, feed, json_feed
from broadsheet.sources.files import read_file
from broadsheet.sources.github.parse import repository
from broadsheet.sources.openalex.adapter import record as openalex_record
from broadsheet.sources.openalex.parse import work as openalex_work
from broadsheet.sources.openreview import parse as openreview
from broadsheet.sources.openreview.adapter import record as openreview_record
from broadsheet.sources.opml.parse import OpmlError
from broadsheet.sources.opml.parse import parse as opml
from broadsheet.sources.pubmed import parse as pubmed
from broadsheet.sources.pubmed.adapter import record as pubmed_record
from broadsheet.sources.semantic_scholar.adapter import record as semantic_scholar_record
from broadsheet.sources.semantic_scholar.parse import paper as semantic_scholar_paper
from broadsheet.sources.zotero.adapter import record as zotero_record
from broadsheet.sources.zotero.parse import item as zotero_item


def read(data: bytes) -> int:
    """Reads ``data`` as a file, checks what would be stored, and parses it as each service would.

    Returns how many records there were. Whatever else comes out of it is a fault.
    """
    records = _checked(read_file(io.BytesIO(data), name="input"))
    if data.lstrip()[:1] == b"<":
        for parse in _XML:
            parse(data)
    else:
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            return records
        for parse in _JSON:
            parse(value)
    return records


def _checked(items: Iterable[Any]) -> int:
    records = 0
    for item in items:
        if isinstance(item, Record):
            records += 1
            try:
                checked(item)
            except RecordError:
                # The store would tell of it.
                continue
    return records


def _allowing(*errors: type[Exception]) -> Callable[[Callable[[Any], object]], Callable[[Any], None]]:
    """Makes of a parser one that may raise its own ``errors``."""

    def wrapped(parse: Callable[[Any], object]) -> Callable[[Any], None]:
        def allowing(data: Any) -> None:
            try:
                parse(data)
            except errors:
                return

        return allowing

    return wrapped


@_allowing(NoOaiAnswer)
def _oai(data: bytes) -> None:
    _checked(item for told in OaiAnswer([data]).records() for item in items_of(told, "x"))


@_allowing(NoArxivFeed)
def _arxiv_feed(data: bytes) -> None:
    for item in ArxivFeed(data).announcements():
        _allowing(EntryError)(lambda item: _checked([announced_record(item, "x")]))(item)


@_allowing(AnthologyError)
def _acl(data: bytes) -> None:
    _checked(acl_record(paper, "x") for paper in papers(data))


@_allowing(pubmed.PubmedError)
def _pubmed(data: bytes) -> None:
    _checked(pubmed_record(article, "x") for article in pubmed.articles(data))


@_allowing(FeedError)
def _feed(data: bytes) -> None:
    _checked(feed_record(item, "x", "y") for item in feed(data, "https://example.org/feed").items)


_XML: tuple[Callable[[bytes], object], ...] = (
    _oai,
    _arxiv_feed,
    lambda data: _checked(parse_atom(data)),
    _acl,
    _pubmed,
    _feed,
    _allowing(OpmlError)(opml),
)


@_allowing(biorxiv.DetailsError)
def _biorxiv(value: Any) -> None:
    told = biorxiv.answer(value)
    _checked(biorxiv_record(post, "x") for post in told.posts if isinstance(post, biorxiv.Post))


@_allowing(openreview.NotesError)
def _openreview(value: Any) -> None:
    told = openreview.answer(value)
    _checked(openreview_record(note, "x") for note in told.notes if isinstance(note, openreview.Note))


def _objects(value: Any, depth: int = 0) -> Iterable[dict[str, Any]]:
    """The objects in ``value``, as they stand in the answers of services."""
    if isinstance(value, dict):
        yield value
        inner: Iterable[Any] = list(value.values())[:10]
    else:
        inner = value[:5] if isinstance(value, list) else []
    if depth < 3:
        for part in inner:
            yield from _objects(part, depth + 1)


def _each(parse: Callable[[dict[str, Any]], object]) -> Callable[[Any], None]:
    def over_all(value: Any) -> None:
        for number, told in enumerate(_objects(value)):
            if number > 20:
                return
            item = parse(told)
            if isinstance(item, Record):
                _checked([item])

    return over_all


_JSON: tuple[Callable[[Any], object], ...] = (
    _biorxiv,
    _openreview,
    _allowing(pubmed.PubmedError)(pubmed.found_ids),
    _each(lambda value: crossref_record(crossref_work(value), "x")),
    _each(lambda value: openalex_record(openalex_work(value), "x")),
    _each(lambda value: semantic_scholar_record(semantic_scholar_paper(value), "x")),
    _each(lambda value: zotero_record(zotero_item(value), "x")),
    _each(repository),
    _each(_allowing(FeedError)(lambda value: json_feed(value, "https://example.org/feed"))),
)
