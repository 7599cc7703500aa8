"""BibTeX and BibLaTeX entries with their macros put in and their cross-references followed.

Sources: "BibTeXing" (Patashnik 1988) for the syntax, the BibLaTeX manual for `crossref`, `xdata`
and the names of fields.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bibtexparser import model
from bibtexparser.splitter import Splitter

from ...model.papers import Rejection

# The library logs what it also returns as failed blocks.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)

# Not every "@name(" begins an entry: programs have decorators.
_ENTRY = re.compile(
    r"""(?im)^[ \t]*@[ \t]*(?:
        (?:string|preamble|comment)[ \t]*[{(]
      | [a-z]+[ \t]*\{[^\s,{}()="]*[ \t]*(?:,|\s*$)
      | (?:article|book|in\w+|manual|\w+thesis|misc|proceedings|techreport|unpublished)[ \t]*\(
    )""",
    re.VERBOSE,
)
# Lines that somebody has commented out. "%" means nothing to BibTeX itself, and an abstract may
# have a line that begins with it, so only lines that look like parts of entries count.
_COMMENTED = re.compile(r"(?m)^[ \t]*%[ \t%]*(?:@\w+[ \t]*[{(]|[\w-]+[ \t]*=|[})][ \t]*,?[ \t]*$).*$")
# Where an entry ends and the next one begins, beyond doubt; and how much is read at once, in characters.
_ENTRY_END = re.compile(r"^[ \t]*[})][ \t]*\n\s*(?=@\w+[ \t]*\{)", re.MULTILINE)
_PIECE = 1_000_000
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NOT_PAPERS = ("xdata", "set", "control", "string", "preamble", "comment", "commented")
# What an entry does not take over from the one it refers to.
_OWN = {
    "title", "subtitle", "titleaddon", "shorttitle", "author", "abstract", "keywords", "doi", "url",
    "eprint", "archiveprefix", "eprinttype", "eprintclass", "primaryclass", "note", "pages", "crossref",
    "xref", "xdata", "ids", "label", "options", "entryset", "related", "relatedtype",
}  # fmt: skip
_MAX_CHAIN = 5


@dataclass(slots=True)
class BibEntry:
    """One entry: ``fields`` by lower-case name, as TeX, without the braces or quotes around them."""

    kind: str
    key: str
    line: int
    fields: dict[str, str]


def looks_like_bibtex(head: str) -> bool:
    """Whether ``head``, the beginning of an input, is that of a BibTeX file."""
    return bool(_ENTRY.search(head))


def parse(text: str) -> Iterator[BibEntry | Rejection]:
    """The entries of ``text`` in order, and what cannot be read, with ``where`` as ``line N``."""
    text = _COMMENTED.sub("", text)
    macros = dict(zip(_MONTHS, _MONTHS, strict=True))
    found: list[BibEntry | Rejection] = []
    for before, block in _blocks(text):
        line = before + (block.start_line or 0) + 1
        if isinstance(block, model.DuplicateBlockKeyBlock | model.DuplicateFieldKeyBlock):
            # Two entries of one key are two entries; of two fields of one name the first counts.
            block = block.ignore_error_block
        if isinstance(block, model.String):
            macros[block.key.lower()] = _value(block.value, macros)
        elif isinstance(block, model.Entry):
            kind = block.entry_type.lower()
            if kind in _NOT_PAPERS and kind != "xdata":
                continue
            fields: dict[str, str] = {}
            for field in block.fields:
                fields.setdefault(field.key.lower(), _value(field.value, macros))
            found.append(BibEntry(kind, block.key, line, fields))
        elif isinstance(block, model.ParsingFailedBlock):
            reason = (getattr(block.error, "abort_reason", "") or str(block.error)).strip(" .")
            start = " ".join((block.raw or "").split())[:50]
            why = f"no good BibTeX at {start!r}: {reason}; correct it and add the file again"
            found.append(Rejection(f"line {line}", why))
    by_key: dict[str, BibEntry] = {}
    for entry in found:
        if isinstance(entry, BibEntry):
            by_key.setdefault(entry.key.lower(), entry)
    for entry in found:
        if isinstance(entry, Rejection):
            yield entry
        elif entry.kind != "xdata":
            _inherit(entry, by_key)
            yield entry


def _blocks(text: str) -> Iterator[tuple[int, model.Block]]:
    """The blocks of ``text``, each with the number of lines before the piece that its place is counted in.

    The library keeps fifty times what it reads, so a large file is read in pieces.
    """
    start = lines = 0
    while start < len(text):
        end = _ENTRY_END.search(text, start + _PIECE) if len(text) - start > 2 * _PIECE else None
        piece = text[start : end.end() if end else len(text)]
        for block in Splitter(piece).split().blocks:
            yield lines, block
        start += len(piece)
        lines += piece.count("\n")


def _value(raw: str, macros: dict[str, str]) -> str:
    """The value of a field: ``{…}``, ``"…"``, a number or a macro, or several joined by ``#``."""
    raw = raw.strip()
    if raw[:1] == "{" and raw.endswith("}") and _closing(raw, 0) == len(raw) - 1:
        return raw[1:-1]
    parts, at = [], 0
    while at < len(raw):
        char = raw[at]
        if char == "{":
            end = _closing(raw, at)
            parts.append(raw[at + 1 : end])
            at = end + 1
        elif char == '"':
            end = _quote(raw, at)
            parts.append(raw[at + 1 : end])
            at = end + 1
        elif char == "#" or char.isspace():
            at += 1
        else:
            word = re.compile(r"[^\s#\"{]+").match(raw, at)[0]
            parts.append(macros.get(word.lower(), word))
            at += len(word)
    return "".join(parts)


def _closing(text: str, start: int) -> int:
    """Where the brace that opens at ``start`` is closed; the end where it is not."""
    depth = 0
    for mark in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, start):
        depth += {"{": 1, "}": -1}.get(mark[0], 0)
        if depth == 0 and mark[0] == "}":
            return mark.start()
    return len(text)


def _quote(text: str, start: int) -> int:
    """Where the quote that opens at ``start`` is closed, outside braces."""
    depth = 0
    for mark in re.compile(r"\\.|[{}\"]", re.DOTALL).finditer(text, start + 1):
        depth += {"{": 1, "}": -1}.get(mark[0], 0)
        if mark[0] == '"' and depth <= 0:
            return mark.start()
    return len(text)


def _inherit(entry: BibEntry, by_key: dict[str, BibEntry]) -> None:
    """Gives ``entry`` what it lacks and the entries that it refers to have."""
    parent, seen = entry, {id(entry)}
    for _ in range(_MAX_CHAIN):
        name = parent.fields.get("crossref") or parent.fields.get("xdata", "").split(",")[0]
        parent = by_key.get(name.strip().lower()) if name else None
        if parent is None or id(parent) in seen:
            return
        seen.add(id(parent))
        is_data = parent.kind == "xdata"
        for field, value in parent.fields.items():
            if is_data or field not in _OWN:
                entry.fields.setdefault(field, value)
        if not is_data and "title" in parent.fields:
            entry.fields.setdefault(
                "journaltitle" if parent.kind in ("article", "periodical") else "booktitle",
                parent.fields["title"],
            )
