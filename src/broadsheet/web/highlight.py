"""Which words of a text a query matched, as pieces of text that are marked or not."""

from __future__ import annotations

import re
from functools import lru_cache

from ..search.words import ANALYZER, query_terms

# What the index cuts texts into.
_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=32_768)
def _stem(word: str) -> str:
    """``word`` as it stands in the index; the words of a language repeat, so most are known here."""
    return next(iter(ANALYZER.analyze(word)), "")


def matched_stems(query: str) -> frozenset[str]:
    """The stems of the words of ``query`` that papers are chosen by."""
    return frozenset(query_terms(query))


def highlighted(text: str, stems: frozenset[str]) -> list[tuple[bool, str]]:
    """``text`` cut into pieces ``(marked, piece)``; joined they give ``text`` again.

    A word is marked where its stem is among ``stems``; neighbouring marked words that only a space
    separates are one piece.
    """
    if not text or not stems:
        return [(False, text)] if text else []
    spans: list[tuple[int, int]] = []
    for word in _WORD.finditer(text):
        if _stem(word[0]) not in stems:
            continue
        first, last = word.span()
        if spans and text[spans[-1][1] : first] == " ":
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
    pieces: list[tuple[bool, str]] = []
    at = 0
    for first, last in spans:
        if first > at:
            pieces.append((False, text[at:first]))
        pieces.append((True, text[first:last]))
        at = last
    if at < len(text):
        pieces.append((False, text[at:]))
    return pieces
