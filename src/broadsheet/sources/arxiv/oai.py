"""Answers of arXiv's OAI-PMH server as plain records, from a stream of bytes, in constant memory.

Source: Open Archives Initiative Protocol for Metadata Harvesting 2.0; arXiv.xsd and arXivRaw.xsd; "Open
Archives Initiative (OAI)" on info.arxiv.org. The formats read are ``arXiv``, ``arXivRaw`` and ``oai_dc``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lxml import etree

from ..xml_events import SAFELY, local_name
from .elements import forget, text_of

# Nothing between the ends of two records is longer: the largest real record has 200 kB.
MAX_RECORD = 10_000_000
# So many damaged records in a row are no answer with damages in it.
_MAX_DAMAGED = 100
FORMATS = ("arXivRaw", "arXiv", "oai_dc")
_PIECE = 1 << 16
_EVENTS = ("start", "end")
_TAGS = ("{*}OAI-PMH", "{*}record", "{*}responseDate", "{*}request", "{*}error", "{*}resumptionToken")
# What stands around the records after a damage, with all prefixes that arXiv uses.
_AROUND = (
    b'<OAI-PMH xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    b'xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/"><ListRecords>'
)
_RECORD_START = re.compile(rb"<(?:[A-Za-z_][\w.-]{0,40}:)?record[\s>/]")
_RECORD_END = re.compile(rb"</(?:[A-Za-z_][\w.-]{0,40}:)?record\s*>")
_OAI_ID = re.compile(rb"<identifier>\s*([^<\s]{1,100})\s*</identifier>")
# Control characters that no XML may hold and that some abstracts do, from word processors.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r"))
# Elements of arXiv and arXivRaw that hold one text each, and the field that keeps it.
_TEXTS = {
    "id": "id",
    "title": "title",
    "abstract": "abstract",
    "created": "created",
    "updated": "updated",
    "categories": "categories",
    "comments": "comments",
    "journal-ref": "journal_ref",
    "doi": "doi",
    "license": "licence",
}


class NoOaiAnswer(ValueError):
    """Data that is no answer of an OAI-PMH server; the message says what it is."""


@dataclass(slots=True)
class OaiVersion:
    """One version as ``arXivRaw`` tells it. ``source_type`` ``I`` stands for a withdrawal."""

    number: int
    date: str = ""
    source_type: str = ""


@dataclass(slots=True)
class OaiRecord:
    """One record, its texts as they stand there; what is missing is empty.

    ``place`` counts from 1. ``author_line`` is the one text of ``arXivRaw``, ``authors`` are (forenames,
    keyname, suffix) of ``arXiv`` or ("", name, "") of ``oai_dc``. ``created`` is the date of the first
    version, ``updated`` that of the latest, where there are several.
    """

    place: int
    identifier: str = ""
    datestamp: str = ""
    deleted: bool = False
    format: str = ""
    id: str = ""
    title: str = ""
    abstract: str = ""
    author_line: str = ""
    authors: list[tuple[str, str, str]] = field(default_factory=list)
    created: str = ""
    updated: str = ""
    categories: str = ""
    comments: str = ""
    journal_ref: str = ""
    doi: str = ""
    licence: str = ""
    versions: list[OaiVersion] = field(default_factory=list)


@dataclass(slots=True)
class Damage:
    """A record that cannot be read: its place, its OAI identifier where that can be seen, and why."""

    place: int
    identifier: str
    why: str


class OaiAnswer:
    """One answer, read while `records` is iterated.

    After that ``response_date`` is the server's clock, ``errors`` are its errors as (code, message),
    ``place`` the number of its records, ``token`` its resumption token: None where there is none, empty on
    the last page of several; ``whole`` says that the answer came to its end.
    """

    def __init__(self, chunks: Iterable[bytes]):
        self._chunks = _pieces(chunks)
        self.response_date = ""
        self.asked: dict[str, str] = {}
        self.errors: list[tuple[str, str]] = []
        self.token: str | None = None
        self.place = 0
        self.whole = False
        self._known = False
        self._damaged = 0
        self._why = ""

    def records(self) -> Iterator[OaiRecord | Damage]:
        """The records, in order; a damaged one as `Damage`, and those after it all the same.

        Entities are not resolved, nothing is loaded; a record of more than `MAX_RECORD` bytes ends it.

        Raises:
            NoOaiAnswer: if the data are something else.
        """
        rest = b""
        while rest is not None:
            rest = yield from self._stretch(rest)
        if not self._known:
            raise NoOaiAnswer(f"this is no OAI-PMH answer: {self._why or 'its root element is another one'}")

    def _stretch(self, rest: bytes) -> Iterator[OaiRecord | Damage]:
        """The records up to the next damage; returns what follows it, None at the end."""
        parser = etree.XMLPullParser(events=_EVENTS, tag=_TAGS, **SAFELY)
        if self.place:
            parser.feed(_AROUND)
        # Bytes since the end of the last record that was read of an earlier piece, and how many were read
        # of them: the parser tells of a damage only when it is given the piece after it.
        held, ended = bytearray(), 0
        try:
            while piece := rest or next(self._chunks, b""):
                rest = b""
                if ended:
                    held, ended = held[_end_of(held, ended) :], 0
                held += piece
                parser.feed(piece)
                for record in self._read(parser):
                    ended += 1
                    yield record
                if not ended and len(held) > MAX_RECORD:
                    self.place += 1
                    self._why = f"it holds no record in {MAX_RECORD // 1_000_000} MB"
                    if self._known:
                        yield Damage(self.place, "", f"{self._why}, so the rest was left unread")
                    return None
            parser.close()
            self.whole = True
            return None
        except etree.XMLSyntaxError as error:
            told = parser.error_log
            self._why = " ".join((told[0].message if len(told) else error.msg or "unknown").split())
        for record in self._read(parser):
            ended += 1
            yield record
        if not self._known:
            return None
        return (yield from self._after_damage(held, ended))

    def _after_damage(self, held: bytearray, ended: int) -> Iterator[Damage]:
        """Tells of the record that is damaged; returns what begins with the one after it."""
        del held[: _end_of(held, ended)]
        first = _RECORD_START.search(held)
        where = first.end() if first else 0
        while not (following := _RECORD_START.search(held, where)):
            piece = next(self._chunks, b"")
            if not piece or len(held) > MAX_RECORD:
                break
            held += piece
        if first is None and following is None:
            # Not a record, but what stands around them: the end of the answer.
            if not self.token and self.place:
                self._find_token(bytes(held))
            yield Damage(self.place, "", f"the answer is damaged after record {self.place}: {self._why}")
            return None
        self.place += 1
        damaged = bytes(held[: following.start()] if following else held)
        name = _OAI_ID.search(damaged)
        oai_id = name[1].decode("ascii", "replace") if name else ""
        yield Damage(self.place, oai_id, f"it is damaged: {self._why}")
        self._damaged += 1
        if self._damaged >= _MAX_DAMAGED:
            yield Damage(self.place, "", f"so are the {_MAX_DAMAGED} before it, and the rest was left unread")
            return None
        if following:
            return bytes(held[following.start() :])
        self._find_token(damaged)
        return None

    def _find_token(self, data: bytes) -> None:
        """Takes the resumption token out of ``data``, the damaged end of an answer."""
        found = re.search(rb"<resumptionToken[^<>]{0,300}>([^<>]{0,2000})</resumptionToken\s*>", data)
        if found:
            self.token = found[1].decode("utf-8", "replace").strip().replace("&amp;", "&")

    def _read(self, parser: etree.XMLPullParser) -> Iterator[OaiRecord]:
        for event, element in parser.read_events():
            name = local_name(element)
            if event == "start":
                self._known = self._known or name in ("OAI-PMH", "record")
            elif name == "record":
                self.place += 1
                self._damaged = 0
                yield _record(element, self.place)
                forget(element)
            elif name == "resumptionToken":
                self.token = text_of(element).strip()
            elif name == "error":
                self.errors.append((element.get("code", ""), " ".join(text_of(element).split())))
            elif name == "responseDate":
                self.response_date = self.response_date or text_of(element).strip()
            elif name == "request":
                self.asked = dict(element.attrib)


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """``chunks`` in pieces of at most 64 kB, without the control characters that XML forbids."""
    for chunk in chunks:
        for start in range(0, len(chunk), _PIECE):
            piece = chunk[start : start + _PIECE].translate(None, _CONTROLS)
            if piece:
                yield piece


def _end_of(held: bytearray, count: int) -> int:
    """Where record number ``count`` (from 1) in ``held`` ends."""
    at = 0
    for _ in range(count):
        end = held.find(b"</record>", at)
        if end >= 0:
            at = end + len(b"</record>")
        elif found := _RECORD_END.search(held, at):
            at = found.end()
        else:
            return len(held)
    return at


def _record(element: etree._Element, place: int) -> OaiRecord:
    record = OaiRecord(place)
    for part in element:
        name = local_name(part)
        if name == "header":
            record.deleted = part.get("status") == "deleted"
            for child in part:
                match local_name(child):
                    case "identifier":
                        record.identifier = text_of(child).strip()
                    case "datestamp":
                        record.datestamp = text_of(child).strip()
        elif name == "metadata":
            told = next((child for child in part if isinstance(child.tag, str)), None)
            if told is not None:
                name = local_name(told)
                record.format = "oai_dc" if name == "dc" else name
                if name == "dc":
                    _read_dublin_core(record, told)
                else:
                    _read_arxiv(record, told)
    return record


def _read_arxiv(record: OaiRecord, told: etree._Element) -> None:
    for child in told:
        name = local_name(child)
        attribute = _TEXTS.get(name)
        if attribute:
            # Of a repeated element, the first counts.
            if not getattr(record, attribute):
                setattr(record, attribute, text_of(child))
        elif name == "version":
            record.versions.append(_version(child, len(record.versions) + 1))
        elif name == "authors":
            if len(child):
                record.authors = [_author(author) for author in child if local_name(author) == "author"]
            else:
                record.author_line = child.text or ""


def _version(element: etree._Element, otherwise: int) -> OaiVersion:
    number = element.get("version", "").lstrip("v")
    version = OaiVersion(
        int(number) if number.isascii() and number.isdigit() and len(number) < 4 else otherwise
    )
    for child in element:
        match local_name(child):
            case "date":
                version.date = text_of(child).strip()
            case "source_type":
                version.source_type = text_of(child).strip()
    return version


def _author(element: etree._Element) -> tuple[str, str, str]:
    parts = {local_name(child): text_of(child) for child in reversed(element)}
    return parts.get("forenames", ""), parts.get("keyname", ""), parts.get("suffix", "")


def _read_dublin_core(record: OaiRecord, told: etree._Element) -> None:
    dates = []
    for child in told:
        text = text_of(child)
        match local_name(child):
            case "title":
                record.title = record.title or text
            case "creator":
                family, _, given = text.partition(",")
                record.authors.append((given, family, ""))
            case "description":
                if text.lstrip().startswith("Comment:"):
                    record.comments = text.lstrip().removeprefix("Comment:")
                else:
                    record.abstract = record.abstract or text
            case "date":
                dates.append(text.strip())
            case "identifier":
                _read_identifier(record, text.strip())
            case "rights":
                record.licence = record.licence or text.strip()
    if dates:
        record.created = dates[0]
        record.updated = dates[-1] if len(dates) > 1 else ""


def _read_identifier(record: OaiRecord, text: str) -> None:
    """One of the identifiers of Dublin Core: the page, the DOI, or the place in a journal."""
    if re.match(r"https?://(?:[\w-]+\.)?arxiv\.org/", text):
        record.id = record.id or text.partition("/abs/")[2]
    elif text.lower().startswith("doi:"):
        record.doi = f"{record.doi} {text[4:]}".strip()
    elif not record.journal_ref:
        record.journal_ref = text
