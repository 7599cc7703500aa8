"""Which words and which sentence of a paper answer a query."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..delivery import tex
from ..model.papers import Paper
from ..search.analysis import found_in, heads_of, term_of, terms_and_small_words
from ..search.answers import Hit
from ..search.sentences import abstract_spans

# Marked words with nothing else between them are one piece: "LLaVA-NeXT", two Chinese signs.
_JOINTS = frozenset({"", " ", "-", "/", "_", "‐", "‑"})
_JOINT = re.compile(r"[ \-_/‐‑]")
# Small words of a query that stand in a row are seldom more.
_LONGEST_LINK = 60
# What is no prose in HTML: formulas, tags, escaped signs.
_NO_PROSE = re.compile(r"(<math.*?</math>|<[^>]*>|&#?\w+;)", re.DOTALL)

_ESCAPED = re.compile("[&<>\"']")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a query looks for: ``terms`` that papers are chosen by, and the ``small`` words between them.

    ``heads`` are the `heads_of` the terms.
    """

    terms: frozenset[str] = frozenset()
    small: frozenset[str] = frozenset()
    heads: tuple[str, ...] | None = ()


NOTHING = Wanted()


def wanted(text: str) -> Wanted:
    """What a query whose words are ``text`` (`Query.text`) looks for."""
    if not text:
        return NOTHING
    terms, small = terms_and_small_words(text)
    terms -= {""}
    return Wanted(terms, small, heads_of(terms))


def highlighted(text: str, query: Wanted) -> list[tuple[bool, str]]:
    """``text`` cut into pieces ``(marked, piece)``; joined they give ``text`` again.

    A word is marked where one of its terms is among those of ``query``; neighbours are one piece, with the
    small words of the query between them ("attention is all you need").
    """
    if not text or not query.terms:
        return [(False, text)] if text else []
    pieces: list[tuple[bool, str]] = []
    at = 0
    for first, last in _matches(text, query):
        if first > at:
            pieces.append((False, text[at:first]))
        pieces.append((True, text[first:last]))
        at = last
    if at < len(text):
        pieces.append((False, text[at:]))
    return pieces


def _matches(text: str, query: Wanted) -> list[tuple[int, int]]:
    """Where ``text`` holds what ``query`` looks for: (start, end), in order."""
    joined: list[tuple[int, int]] = []
    end = 0
    for first, last in found_in(text, query.terms, query.heads):
        if joined and _is_link(text[end:first], query.small):
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
        end = last
    return joined


def _is_link(between: str, small: frozenset[str]) -> bool:
    """Whether two matches with ``between`` them are one: nothing else, or ``small`` words."""
    if between in _JOINTS:
        return True
    if not small or len(between) > _LONGEST_LINK or not {between[0], between[-1]} <= _JOINTS:
        return False
    return all(word.isalnum() and term_of(word) in small for word in _JOINT.split(between[1:-1]))


def marked(text: str, query: Wanted) -> str:
    """``text`` as `delivery.tex.html_of` makes it, what ``query`` looks for in ``mark`` elements."""
    if not query.terms:
        return str(tex.html_of(text))
    if tex.is_plain(text):
        return marked_parts(text, query, (0, len(text)))[0]
    markup = str(tex.html_of(text))
    # Every second piece is what stands between those that are no prose.
    pieces = _NO_PROSE.split(markup)
    pieces[::2] = [_with_marks(piece, _matches(piece, query)) if piece else "" for piece in pieces[::2]]
    return "".join(pieces)


def marked_parts(text: str, query: Wanted, cuts: Sequence[int]) -> list[str]:
    """The parts of ``text``, which is plain, between each two of ``cuts``, as `marked` makes each.

    No match may go across a cut.
    """
    found = _matches(text, query) if query.terms else []
    escape = html.escape if _ESCAPED.search(text) else None
    return [
        _with_marks(text[:last], [one for one in found if first <= one[0] < last], first, escape)
        if first < last
        else ""
        for first, last in pairwise(cuts)
    ]


def _with_marks(
    text: str, found: list[tuple[int, int]], at: int = 0, escape: Callable[[str], str] | None = None
) -> str:
    """``text`` from ``at`` on with what was ``found`` in it in ``mark`` elements."""
    pieces = []
    for first, last in found:
        pieces += text[at:first], "<mark>", text[first:last], "</mark>"
        at = last
    pieces.append(text[at:])
    if escape is not None:
        pieces[::2] = map(escape, pieces[::2])
    return "".join(pieces)


def nearest_sentence(paper: Paper, hit: Hit) -> tuple[int, int] | None:
    """Where the sentence of the abstract nearest to the query begins and ends, if that is known."""
    found, place = sentences_around(paper, hit)
    return found[place] if found else None


def sentences_around(paper: Paper, hit: Hit) -> tuple[list[tuple[int, int]], int]:
    """Where the sentences of the abstract begin and end, and which is nearest to the query.

    There are none where that is not known, where the title is nearest, or where the abstract is not known: a
    summary stands for it then.
    """
    place = -1 if hit.sentence is None else hit.sentence - bool(paper.title)
    if place < 0 or not paper.abstract:
        return [], -1
    found = abstract_spans(paper.title, paper.abstract)
    return (found, place) if place < len(found) else ([], -1)


def authors_marked(names: str, authors: Sequence[str]) -> str:
    """The line of ``names`` as HTML with each of ``authors``, as typed, in a ``mark`` element."""
    words = [re.escape(word) for author in authors for word in author.split() if len(word) > 1]
    if not words:
        return html.escape(names)
    pieces = re.split(rf"\b((?:{'|'.join(words)})\b)", names, flags=re.IGNORECASE)
    pieces[1::2] = [f"<mark>{html.escape(piece)}</mark>" for piece in pieces[1::2]]
    pieces[::2] = map(html.escape, pieces[::2])
    return "".join(pieces)
