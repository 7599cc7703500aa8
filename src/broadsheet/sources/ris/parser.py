"""The references of a RIS file, one by one, so that a broken one costs only itself.

Source: "RIS Format Specifications" (Research Information Systems, 2012). A reference begins with
the tag `TY` and ends with `ER`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import rispy

from ...model.papers import Rejection

# Files made by hand and old programs have one space or none where two belong.
_TAG = re.compile(r"^([A-Z][A-Z0-9])[ \t]{1,3}-(?:[ \t]|$)")
_TAGGED_LINES = re.compile(r"(?m)^[ \t\ufeff]*[A-Z][A-Z0-9]  ?-(?: .*)?$")
_TYPE = re.compile(r"(?m)^[ \t\ufeff]*TY  ?- ")
_MAX_LINES = 20_000
# Databases put a few lines of their own before the first reference.
_PROLOGUE = 3_000


def looks_like_ris(head: str) -> bool:
    """Whether ``head``, the beginning of an input, is that of a RIS file."""
    if re.search(r"(?m)^PMID- ", head):
        return False
    head = head[:_PROLOGUE]
    return bool(_TYPE.search(head)) or len(_TAGGED_LINES.findall(head)) >= 3


def parse(text: str, whole: bool = True) -> Iterator[tuple[int, dict[str, Any]] | Rejection]:
    """The references of ``text`` as rispy tells them, with the lines where they begin.

    What cannot be read comes as a `Rejection` with ``where`` as ``line N``. Where ``text`` is not
    ``whole``, a last reference without end is left out.
    """
    lines, first = [], 0
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.strip("\ufeff \t\r")
        if not lines or (line.startswith("TY") and not any(_TAG.match(other) for other in lines)):
            first = number
        if line.startswith("%"):
            continue
        tag = _TAG.match(line)
        if tag and tag[1] == "ER":
            yield from _reference(first, lines)
            lines = []
        elif line and len(lines) < _MAX_LINES:
            lines.append(line)
    if any(_TAG.match(line) for line in lines) and whole:
        yield from _reference(first, lines)


def _reference(first: int, lines: list[str]) -> Iterator[tuple[int, dict[str, Any]] | Rejection]:
    where = f"line {first}"
    if not any(_TAG.match(line) for line in lines):
        return
    if not any(line.startswith("TY") for line in lines):
        yield Rejection(where, "the reference does not begin with TY (its type); add a line like: TY  - JOUR")
        return
    try:
        found = rispy.loads("\n".join([*(_spaced(line) for line in lines), "ER  - "]))
    except Exception as error:
        # rispy has no common class for what it raises on malformed references.
        yield Rejection(where, f"the reference cannot be read: {error}")
        return
    for reference in found:
        yield first, reference


def _spaced(line: str) -> str:
    """``line`` with the two spaces after its tag that the format wants."""
    tag = _TAG.match(line)
    return f"{tag[1]}  - {line[tag.end() :].strip()}" if tag else line
