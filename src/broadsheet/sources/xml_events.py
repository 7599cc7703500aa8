"""XML read piece by piece without any of its dangers: no entities, no DTD, no network, bounded memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from lxml import etree

# Nothing between the ends of two records is longer: the largest real ones have 300 kB.
MAX_RECORD = 20_000_000
_PIECE = 1 << 16


class DamagedXml(ValueError):
    """Data that is no XML, or no longer; the message says why."""


# What every reader of XML is given: no entity is resolved, nothing is loaded, no text grows without bound.
SAFELY: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


def xml_events(
    data: bytes | Iterable[bytes], records: Collection[str]
) -> Iterator[tuple[str, etree._Element]]:
    """The ``start`` and ``end`` of every element of ``data``, in order.

    Args:
        records: tags of the elements that the caller clears at their end: without such an end the
            reading goes on for `MAX_RECORD` bytes and no further.

    Raises:
        DamagedXml: where the data are no XML.
    """
    parser = etree.XMLPullParser(events=("start", "end"), **SAFELY)
    since_record = 0
    try:
        for piece in _pieces(data):
            parser.feed(piece)
            since_record += len(piece)
            for event, element in parser.read_events():
                if event == "end" and element.tag in records:
                    since_record = 0
                yield event, element
            if since_record > MAX_RECORD:
                raise DamagedXml(f"there is no end of a record in {MAX_RECORD // 1_000_000} MB")
        parser.close()
    except etree.XMLSyntaxError as error:
        # What was read before the damage counts.
        yield from parser.read_events()
        raise DamagedXml(" ".join((error.msg or "it is no XML").split())) from error


def local_name(element: etree._Element) -> str:
    """The name of ``element`` without its namespace, whatever stands in that."""
    return str(element.tag).rpartition("}")[2]


def _pieces(data: bytes | Iterable[bytes]) -> Iterator[bytes]:
    for chunk in [data] if isinstance(data, bytes) else data:
        for start in range(0, len(chunk), _PIECE):
            yield chunk[start : start + _PIECE]
