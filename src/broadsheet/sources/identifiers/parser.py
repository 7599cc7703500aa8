"""Ids and addresses out of lines and words, in every form in which people write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ...model.identifiers import Identifier, find_identifier
from ...model.papers import Rejection, Wanted

FORMS = (
    "an arXiv id (2407.21783, hep-th/9901001), a DOI (10.1038/nature14539), an ACL Anthology id "
    "(2020.acl-main.1), openreview:ID, or the address of a paper at one of them"
)
_COMMENT = re.compile(r"(?:^|\s)#.*")
# DOIs may hold commas and semicolons; these divide only before a space or the next id.
_SEPARATOR = re.compile(
    r"\s+|[,;]+(?=\s|$|10\.\d|https?:|(?:arxiv|doi|acl|openreview):|\d{4}\.\d{4})", re.IGNORECASE
)
# "arXiv: 2407.21783", "doi: 10.…": one id, though of two words.
_SPACED_SCHEME = re.compile(r"(?i)\b(arxiv|doi|acl|openreview)\s*:\s+(?=\S)")
_BRACKETED_CLASS = re.compile(r"(?<=\d)\s+\[[\w.\- ]+\]")
_MAX_LINE = 20_000


def identifiers_in(text: str) -> tuple[list[Identifier], list[Rejection]]:
    """The ids in ``text``, each once, in order, and what is none, with ``where`` as ``line N``."""
    found: dict[str, Identifier] = {}
    rejected = []
    for item in wanted(enumerate(text.splitlines(), start=1)):
        if isinstance(item, Wanted):
            found.setdefault(item.identifier.key, item.identifier)
        else:
            rejected.append(item)
    return list(found.values()), rejected


def wanted(lines: Iterable[tuple[int, str]], name: str = "") -> Iterator[Wanted | Rejection]:
    """What the numbered ``lines`` ask for; what is no id comes as a rejection. ``#`` begins a comment."""
    seen: set[str] = set()
    for number, line in lines:
        where = f"{name} line {number}".strip()
        for word in _words(line):
            identifier = find_identifier(word)
            if identifier is None:
                yield Rejection(where, f"{word[:80]!r} names no paper; give {FORMS}")
            elif identifier.key not in seen:
                seen.add(identifier.key)
                yield Wanted(identifier, where)


def looks_like_identifiers(head: str) -> bool:
    """Whether most lines of ``head``, the beginning of an input, are ids and addresses of papers."""
    good = bad = 0
    for line in head.splitlines()[:200]:
        words = _words(line)
        if not words:
            continue
        if len(line) < 2000 and sum(find_identifier(word) is not None for word in words) * 2 >= len(words):
            good += 1
        else:
            bad += 1
    return good > bad


def _words(line: str) -> list[str]:
    line = _COMMENT.sub("", line[:_MAX_LINE])
    line = _BRACKETED_CLASS.sub("", _SPACED_SCHEME.sub(r"\1:", line))
    # Lists are written with bullets and numbers, and with punctuation around the ids.
    line = re.sub(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+", "", line)
    return [word for part in _SEPARATOR.split(line) if (word := _bare(part))]


def _bare(word: str) -> str:
    word = word.strip("\"'<>[]\ufeff").rstrip(".:")
    if word.count(")") != word.count("("):
        word = word.strip("()")
    return word[1:-1] if word.startswith("(") and word.endswith(")") else word
