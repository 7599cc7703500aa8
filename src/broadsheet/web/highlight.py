"""Which words of a text a query matched, as pieces of text that are marked or not."""

from __future__ import annotations

from ..search.words import ANALYZER, query_terms


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
    for token in ANALYZER.pre_tokenize(text).tokens:
        if token.text not in stems:
            continue
        first, last = token.char_offset_from, token.char_offset_to
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
