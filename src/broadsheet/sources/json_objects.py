"""The JSON objects of an input, one a line or in one document, each with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from ..model.papers import Rejection
from .content import MAX_LINE, Content
from .encodings import UnknownEncoding, decoded

_DECODER = json.JSONDecoder(strict=False, parse_constant=lambda name: None)
_BLANK = re.compile(r"[\s,]*")


def looks_like_json(head: str) -> bool:
    """Whether ``head``, the beginning of an input, is that of JSON, or of JSON lines of which the
    first is broken.
    """
    whole = re.match(r"\s*(?:\{\s*(?:[\"}]|$)|\[\s*(?:[{\[\]\"]|null\b|$))", head)
    return bool(whole) or any(_OBJECT_LINE.match(line) for line in head.split("\n", 4)[1:4])


# The beginning of an object with a key.
_OBJECT_LINE = re.compile(r'\s*\{\s*"[^"]+"\s*:')


def objects(content: Content) -> Iterator[tuple[str, Any] | Rejection]:
    """Every JSON value of ``content`` with its place in words; what cannot be read as a rejection.

    One value a line (JSON lines), or one document; the elements of an array that is the document
    are told one by one.
    """
    if _is_lines(content.head):
        yield from _lines(content)
    else:
        yield from _document(content)


def _is_lines(head: bytes) -> bool:
    """Whether ``head`` begins with an object that is closed on its own line, or broken there."""
    if not head.lstrip().startswith(b"{"):
        # An array is one document; anything else is the broken first line.
        return not head.lstrip().startswith(b"[")
    first, _, rest = head.lstrip().partition(b"\n")
    if not rest:
        # One long line, or a single one.
        return True
    try:
        orjson.loads(first)
        return True
    except orjson.JSONDecodeError:
        # Pretty-printed documents go on with a key; JSON lines with the next object.
        return first.strip() != b"{" and bool(re.match(rb"\s*\{", rest))


def _lines(content: Content) -> Iterator[tuple[str, Any] | Rejection]:
    name = content.name
    for number, line in content.lines():
        where = f"{name} line {number}"
        if line is None:
            yield Rejection(
                where, f"the line is longer than {MAX_LINE // 1_000_000} MB; write one paper a line"
            )
            continue
        try:
            yield where, orjson.loads(line)
            continue
        except orjson.JSONDecodeError as error:
            if not line.strip():
                continue
            problem = error
        try:
            yield where, _leniently(decoded(line))
        except UnknownEncoding as error:
            if not content.broken:
                yield Rejection(where, f"{error}")
        except (ValueError, RecursionError):
            # The last line of a file that was cut off is told with the cut.
            if not content.broken:
                yield Rejection(where, f"no JSON: {_told(problem)}; write one JSON object a line")


def _document(content: Content) -> Iterator[tuple[str, Any] | Rejection]:
    name = content.name
    data = content.data()
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        yield from _salvaged(content, decoded(data), error)
        return
    if isinstance(document, list):
        for number, value in enumerate(document, start=1):
            yield f"{name} entry {number}", value
    else:
        yield name, document


def _salvaged(
    content: Content, text: str, problem: orjson.JSONDecodeError
) -> Iterator[tuple[str, Any] | Rejection]:
    """The whole elements of a document that is no good JSON as a whole."""
    name = content.name
    at = _BLANK.match(text).end()
    is_array = text[at : at + 1] == "["
    number, at = 0, at + is_array
    while True:
        at = _BLANK.match(text, at).end()
        if at >= len(text) or text[at] == "]":
            break
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        number += 1
        yield (f"{name} entry {number}" if is_array else name), value
    rest = text[at:].strip()
    if rest not in ("", "]") and not content.broken:
        line = text.count("\n", 0, at) + 1
        read = f"the {number} entries before it were read; " if number else ""
        yield Rejection(
            f"{name} line {line}", f"no JSON: {_told(problem)}; {read}correct the file and add it again"
        )
    elif is_array and rest == "" and not content.broken:
        yield Rejection(name, f"the JSON list is not closed (cut off?); its {number} whole entries were read")


def _leniently(text: str) -> Any:
    """``text`` as JSON that may hold NaN, raw control characters and lone surrogates."""
    value, end = _DECODER.raw_decode(text.strip())
    if text.strip()[end:].strip():
        raise ValueError("more than one value")
    return value


def _told(problem: orjson.JSONDecodeError) -> str:
    """What is wrong and where, without orjson's own line number, which counts within the piece."""
    return re.sub(r": line \d+ (column \d+) \(char \d+\)", r" (\1)", str(problem))
