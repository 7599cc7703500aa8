"""The part of an abstract that a result shows: around the sentence that answers the query, as HTML."""

from __future__ import annotations

from itertools import accumulate

from ..delivery import tex
from ..model.papers import Paper
from ..search.answers import Hit
from . import stories
from .highlight import Wanted, marked, marked_parts, sentences_around

_LENGTH = 330

# Before and after the sentence nearest in meaning.
NEAREST = '<em class="nearest" title="Nearest in meaning to what was searched for">', "</em>"


def excerpt(paper: Paper, hit: Hit, query: Wanted) -> str:
    """About 330 characters of the abstract (else of the summary) as HTML, the nearest sentence marked.

    An excerpt begins with the abstract unless that sentence stands further behind.
    """
    text = paper.abstract or paper.ai_summary or ""
    sentences, place = sentences_around(paper, hit)
    if not sentences:
        return marked(stories.cut(text, _LENGTH), query)
    start, end = _window(sentences, place, len(text))
    first, last = sentences[place]
    pieces = [text[start:first], text[first:last], text[last:end]]
    if not _formulas_whole(text, [text[:start], *pieces, text[end:]]):
        return marked(stories.cut(text, _LENGTH), query)
    whole = pieces[1]
    pieces[1] = stories.cut(whole, int(_LENGTH * 1.3))
    before, sentence, after = _marked_pieces(pieces, query)
    goes_on = end < len(text) and pieces[1] == whole
    return "".join(
        ("… " if start else "", before, NEAREST[0], sentence, NEAREST[1], after, " …" if goes_on else "")
    )


def _marked_pieces(pieces: list[str], query: Wanted) -> list[str]:
    """Each of ``pieces``, which end where sentences end, as HTML."""
    text = "".join(pieces)
    if tex.is_plain(text):
        return marked_parts(text, query, (0, *accumulate(map(len, pieces))))
    return [marked(piece, query) for piece in pieces]


def _window(sentences: list[tuple[int, int]], place: int, length: int) -> tuple[int, int]:
    """Where an excerpt of whole ``sentences`` around one begins and ends, of ``length`` characters in all."""
    first = last = place
    if sentences[last][1] <= _LENGTH:
        first = 0
    while last + 1 < len(sentences) and sentences[last + 1][1] - sentences[first][0] <= _LENGTH:
        last += 1
    # At the end of an abstract what stands before fills the room.
    while first > 0 and sentences[last][1] - sentences[first - 1][0] <= _LENGTH:
        first -= 1
    start = 0 if first == 0 else sentences[first][0]
    end = length if last == len(sentences) - 1 else sentences[last][1]
    return start, end


def _formulas_whole(text: str, pieces: list[str]) -> bool:
    """Whether no formula of ``text`` is cut in two between ``pieces``."""
    if "$" not in text and "\\" not in text:
        return True
    return _formulas(text) == sum(map(_formulas, pieces))


def _formulas(text: str) -> int:
    return sum(is_math for is_math, _ in tex.parts(text))
