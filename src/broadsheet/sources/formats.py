"""Which format a content is in, told by its beginning, and what reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ..model.papers import Record, Rejection, Wanted, Withdrawal
from . import bibtex, csl, daily_papers, identifiers, jsonlines, ris
from .acl import files as acl_files
from .arxiv import files as arxiv_files
from .arxiv import parse_atom
from .batch import Batch
from .biorxiv import files as biorxiv_files
from .biorxiv import is_answer as is_biorxiv
from .content import Content, Unreadable
from .crossref import files as crossref_files
from .encodings import UnknownEncoding, decoded
from .feeds import files as feed_files
from .feeds.parse import is_json_feed
from .github.parse import is_repository
from .json_objects import looks_like_json, objects
from .openalex import files as openalex_files
from .openreview import files as openreview_files
from .openreview import is_answer as is_openreview
from .openreview import is_note
from .opml import Subscription
from .opml import files as opml_files
from .pubmed import files as pubmed_files
from .semantic_scholar import files as semantic_scholar_files
from .zotero import files as zotero_files

Item = Record | Rejection | Wanted | Withdrawal | Subscription
Reader = Callable[[Content, Batch], Iterator[Item]]

READ = (
    "What is read: Daily Papers pages saved as text or HTML, Daily Papers JSON, JSON lines, BibTeX, RIS, "
    "CSL-JSON, arXiv Atom, RSS and OAI-PMH, PubMed XML, ACL Anthology XML, OpenReview JSON, bioRxiv JSON, "
    "JSON of Crossref, OpenAlex, Semantic Scholar and Zotero, RSS, Atom and JSON feeds, OPML lists of feeds, "
    "and ids and addresses of papers, each also packed with gzip"
)
# The beginnings of what is no text.
_BINARY = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"BZh", "packed with bzip2"),
    (b"\xfd7zXZ", "packed with xz"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd"),
    (b"\x1f\x8b", "packed with gzip twice"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
)
# The first element of XML that is not read, what it is, and what to do instead.
_XML = {
    "rdf": ("RDF, such as Zotero exports", "export the library as BibTeX, RIS or CSL-JSON"),
    "xml": ("an EndNote or other XML export", "export the references as RIS or BibTeX"),
    "schema": ("an XML schema", "give a file of papers instead of the description of its format"),
    "modscollection": ("MODS", "export the references as RIS or BibTeX"),
}
_ROOT = re.compile(
    # Each part once and for all (possessive): many comments could else be divided in a million ways.
    r"\A\s*(?>(?><\?.*?\?>)\s*|(?><!--.*?-->)\s*|(?><!doctype[^>\[]*(?:\[.*?\]\s*)?>)\s*)*+<(?:\w+:)?([\w-]+)",
    re.DOTALL | re.IGNORECASE,
)
# The namespaces of RSS 1.0 and of the RSS 0.90 before it, which are RDF.
_RSS_IN_RDF = re.compile(r"purl\.org/rss/1\.0/[\"']|my\.netscape\.com/(?:publish/formats/)?(?:rdf|rss)")
# What the first id of an answer of arXiv's API looks like.
_ARXIV_ID = re.compile(r"<id>\s*https?://(?:export\.)?arxiv\.org/(?:api|abs)/")
# A list of what is no paper is told of once it is sure.
_MAX_FOREIGN = 3


def reader(content: Content) -> Reader:
    """What reads ``content``.

    Raises:
        Unreadable: if it is in no format that is read; the message says which are.
    """
    head = content.head
    for beginning, name in _BINARY:
        if head.startswith(beginning):
            raise Unreadable(f"it is {name}; unpack or convert it. {READ}")
    text = _beginning(head).lstrip("\ufeff \t\r\n\f\v\0")
    if not text:
        if content.broken:
            return _read_nothing
        raise Unreadable("it is empty")
    if text.startswith("<"):
        return _xml_reader(text)
    for looks, read in _LOOKS:
        if looks(text):
            return read
    return _read_saved_text


def _beginning(head: bytes) -> str:
    """``head`` as text, in the encoding of the whole where that is told by it."""
    try:
        return decoded(head).replace("\r\n", "\n").replace("\r", "\n")
    except UnknownEncoding:
        return head.decode("ascii", "replace").replace("\r\n", "\n").replace("\r", "\n")


def _xml_reader(text: str) -> Reader:
    root = _ROOT.match(text)
    name = root[1].lower() if root else ""
    if name in ("oai-pmh", "record"):
        return arxiv_files.read_oai
    if name in (
        "pubmedarticleset",
        "pubmedarticle",
        "pubmedbookarticleset",
        "pubmedbookarticle",
        "efetchresult",
    ):
        return pubmed_files.read_articles
    if name == "collection" and re.search(r"<collection\s[^>]{0,200}\bid\s*=", text):
        return acl_files.read_collection
    if name in ("rss", "feed") and arxiv_files.is_feed(text):
        return arxiv_files.read_feed
    if name == "feed" and (first := re.search(r"<id>[^<]{0,200}", text)) and _ARXIV_ID.match(first[0]):
        return _read_atom
    if name in ("rss", "feed") or (name == "rdf" and _RSS_IN_RDF.search(text)):
        return feed_files.read_feed
    if name == "opml":
        return opml_files.read_subscriptions
    if name in _XML:
        what, remedy = _XML[name]
        raise Unreadable(f"it is {what}, which is not read from a file; {remedy}. {READ}")
    if "<?xml" in text[:100] and name != "html":
        raise Unreadable(f"it is XML with the root element {name!r}, which is not read. {READ}")
    return _read_saved_html


def _read_nothing(content: Content, batch: Batch) -> Iterator[Item]:
    yield from ()


def _read_saved_html(content: Content, batch: Batch) -> Iterator[Item]:
    for number, item in enumerate(daily_papers.saved_html.parse(content.text()), start=1):
        yield _adapted(item, f"{batch.name} paper {number}", batch)


def _read_saved_text(content: Content, batch: Batch) -> Iterator[Item]:
    page = daily_papers.saved_text.parse(content.text())
    if not page.is_page:
        raise Unreadable(f"its format is not known. {READ}")
    yield from daily_papers.adapter.saved_page(page, batch, whole=not content.broken)


def _read_json(content: Content, batch: Batch) -> Iterator[Item]:
    foreign = read = 0
    for found in objects(content):
        if isinstance(found, Rejection):
            yield found
            continue
        where, value = found
        if is_biorxiv(value):
            yield from biorxiv_files.items_of(value, where, batch)
            continue
        if is_openreview(value) or is_note(value):
            yield from openreview_files.items_of(value, where, batch)
            continue
        if read_answer := next((read for is_one, read in _ANSWERS if is_one(value)), None):
            yield from read_answer(value, where, batch)
            continue
        if isinstance(value, dict) and "title" not in value and (items := csl.adapter.items_of(value)):
            for number, item in enumerate(items, start=1):
                yield csl.adapter.record(item, f"{where} entry {number}", batch)
            continue
        if _is_foreign(value):
            foreign += 1
            yield Rejection(where, f"{_told(value)}, no paper in a form that is read")
            if foreign >= _MAX_FOREIGN and not read:
                raise Unreadable(
                    f"its first {foreign} entries are no papers, so the rest was left unread. {READ}"
                )
            continue
        read += 1
        yield _adapted(value, where, batch)


# Answers of services in JSON: how they are told, and what reads them.
_ANSWERS: tuple[tuple[Callable[[Any], bool], Callable[[Any, str, Batch], Iterator[Item]]], ...] = (
    (crossref_files.is_answer, crossref_files.items_of),
    (openalex_files.is_answer, openalex_files.items_of),
    (semantic_scholar_files.is_answer, semantic_scholar_files.items_of),
    (zotero_files.is_answer, zotero_files.items_of),
    (is_json_feed, feed_files.items_of),
)


def _read_bibtex(content: Content, batch: Batch) -> Iterator[Item]:
    for entry in bibtex.parser.parse(content.text()):
        if isinstance(entry, Rejection):
            if not content.broken:
                yield Rejection(f"{batch.name} {entry.where}", entry.why)
        else:
            yield bibtex.adapter.record(entry, batch)


def _read_ris(content: Content, batch: Batch) -> Iterator[Item]:
    text = content.text()
    for reference in ris.parser.parse(text, whole=not content.broken):
        if isinstance(reference, Rejection):
            yield Rejection(f"{batch.name} {reference.where}", reference.why)
        else:
            line, fields = reference
            yield ris.adapter.record(fields, f"{batch.name} line {line}", batch)


def _read_identifiers(content: Content, batch: Batch) -> Iterator[Item]:
    yield from identifiers.wanted(_numbered(content), batch.name)


def _numbered(content: Content) -> Iterator[tuple[int, str]]:
    for number, line in content.lines():
        yield number, decoded(line) if line is not None else "(a line longer than any id)"


def _read_atom(content: Content, batch: Batch) -> Iterator[Item]:
    read = 0
    for number, item in enumerate(parse_atom(content.data(), batch.name), start=1):
        if isinstance(item, Record):
            read += 1
            item.listings = item.listings or [batch.added()]
        yield item
        if number >= _MAX_FOREIGN and not read:
            raise Unreadable(f"its first {number} entries are no papers, so the rest was left unread. {READ}")


# In this order: what is surer comes first.
_LOOKS: tuple[tuple[Callable[[str], bool], Reader], ...] = (
    (looks_like_json, _read_json),
    (bibtex.parser.looks_like_bibtex, _read_bibtex),
    (ris.parser.looks_like_ris, _read_ris),
    (identifiers.looks_like_identifiers, _read_identifiers),
)


def _adapted(value: Any, where: str, batch: Batch) -> Item:
    """The record that a JSON value tells, by its shape, or why it tells none."""
    if value is None:
        return Rejection(where, "it is null: the service did not know the paper; ask for it by another id")
    if not isinstance(value, dict):
        return Rejection(where, f"{_told(value)}, no JSON object with a title")
    try:
        if daily_papers.adapter.is_item(value):
            return daily_papers.adapter.record(value, where, batch)
        if csl.adapter.is_item(value):
            return csl.adapter.record(value, where, batch)
        return jsonlines.adapter.record(value, where, batch)
    except (jsonlines.adapter.FieldError, daily_papers.adapter.ItemError) as error:
        return Rejection(where, str(error))


def _is_foreign(value: Any) -> bool:
    """Whether ``value`` is a JSON object without any field of a form that is read."""
    if not isinstance(value, dict):
        return False
    if is_repository(value) or _is_leaderboard(value):
        return True
    known = jsonlines.adapter.FIELDS.keys() & value.keys()
    # Much has a title, but is no paper: schemas, posts, pages.
    return (
        (not known or (known == {"title"} and len(value) > 3))
        and not daily_papers.adapter.is_item(value)
        and not csl.adapter.is_item(value)
    )


def _is_leaderboard(value: dict[str, Any]) -> bool:
    return {"task", "datasets"} <= value.keys()


def _told(value: Any) -> str:
    if not isinstance(value, dict):
        return f"it is {str(value)[:40]!r}"
    if is_repository(value):
        return "it is a repository of GitHub (`broadsheet gather github` counts stars)"
    if _is_leaderboard(value):
        return "it is a leaderboard of Papers with Code, whose rows are results of models"
    if "error" in value and len(value) <= 3:
        return f"it is the error {str(value['error'])[:80]!r} of a service"
    if pubmed_files.is_search(value):
        return "it is the answer to a search of PubMed, which holds ids only (fetch them with efetch)"
    if {"key", "library", "data"} <= value.keys():
        return "it is an item of the Zotero web API (ask it for format=csljson or bibtex)"
    return (
        f"it is an object with the keys {', '.join(map(repr, list(value)[:6]))[:120]}"
        if value
        else "it is an empty object"
    )
