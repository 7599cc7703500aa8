"""The part of an abstract that a result shows: around the sentence that answers the query, as HTML."""

from __future__ import annotations

from markupsafe import Markup

from ..delivery import tex
from ..model.papers import Paper
from ..search.answers import Hit
from ..search.sentences import sentence_spans
from . import stories
from .highlight import Wanted, marked_html, nearest_sentence

_LENGTH = 330

_NEAREST = Markup('<em class="nearest" title="Nearest in meaning to what was searched for">{}</em>')


def excerpt(paper: Paper, hit: Hit, query: Wanted) -> Markup:
    """About 330 characters of the abstract (else of the summary), the sentence nearest in meaning marked.

    An excerpt begins with the abstract unless that sentence stands further behind.
    """
    text = paper.abstract or paper.ai_summary or ""
    nearest = nearest_sentence(paper, hit)
    if nearest is None:
        return marked_html(tex.html_of(stories.cut(text, _LENGTH)), query)
    start, end = _window(paper, nearest)
    first, last = nearest
    pieces = [text[start:first], text[first:last], text[last:end]]
    if not _formulas_whole(text, [text[:start], *pieces, text[end:]]):
        return marked_html(tex.html_of(stories.cut(text, _LENGTH)), query)
    whole = pieces[1]
    pieces[1] = stories.cut(whole, int(_LENGTH * 1.3))
    before, sentence, after = (marked_html(tex.html_of(piece), query) for piece in pieces)
    goes_on = end < len(text) and pieces[1] == whole
    return Markup("").join(
        ("… " if start else "", before, _NEAREST.format(sentence), after, " …" if goes_on else "")
    )


def _window(paper: Paper, nearest: tuple[int, int]) -> tuple[int, int]:
    """Where an excerpt of whole sentences around the ``nearest`` one begins and ends."""
    shift = len(paper.title) + 1
    spans = [(a - shift, b - shift) for a, b in sentence_spans(paper.title, paper.abstract) if a >= shift]
    first = last = spans.index(nearest)
    if spans[last][1] <= _LENGTH:
        first = 0
    while last + 1 < len(spans) and spans[last + 1][1] - spans[first][0] <= _LENGTH:
        last += 1
    # At the end of an abstract what stands before fills the room.
    while first > 0 and spans[last][1] - spans[first - 1][0] <= _LENGTH:
        first -= 1
    start = 0 if first == 0 else spans[first][0]
    end = len(paper.abstract) if last == len(spans) - 1 else spans[last][1]
    return start, end


def _formulas_whole(text: str, pieces: list[str]) -> bool:
    """Whether no formula of ``text`` is cut in two between ``pieces``."""
    if "$" not in text and "\\" not in text:
        return True
    return _formulas(text) == sum(map(_formulas, pieces))


def _formulas(text: str) -> int:
    return sum(is_math for is_math, _ in tex.parts(text))
