"""Which words and which sentence of a paper answer a query."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from markupsafe import Markup

from ..model.papers import Paper
from ..search.analysis import STOP_WORDS, plain, query_terms, spans, words_of
from ..search.answers import Hit
from ..search.sentences import sentence_spans

# Marked words with nothing else between them are one piece: "LLaVA-NeXT", two Chinese signs.
_JOINTS = frozenset({"", " ", "-", "/", "_", "‐", "‑"})
# What is no prose in HTML: formulas, tags, escaped signs.
_NO_PROSE = re.compile(r"(<math.*?</math>|<[^>]*>|&#?\w+;)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a query looks for: ``terms`` that papers are chosen by, and the ``small`` words between them."""

    terms: frozenset[str] = frozenset()
    small: frozenset[str] = frozenset()


NOTHING = Wanted()


def wanted(text: str) -> Wanted:
    """What a query whose words are ``text`` (`Query.text`) looks for."""
    if not text:
        return NOTHING
    terms = query_terms(text)
    words = words_of(plain(text))
    small = frozenset(word.term for word in words if word.folded in STOP_WORDS)
    return Wanted(terms, small - terms)


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
    found: list[tuple[int, int]] = []
    terms, small = query.terms, query.small
    # Where the match ends that the next word may belong to, small words behind it included.
    end = -1
    for first, last, own in spans(text):
        goes_on = end >= 0 and text[end:first] in _JOINTS
        if not terms.isdisjoint(own):
            if goes_on:
                found[-1] = (found[-1][0], last)
            else:
                found.append((first, last))
            end = last
        else:
            end = last if goes_on and not small.isdisjoint(own) else -1
    return found


def marked_html(markup: str, query: Wanted) -> Markup:
    """The HTML ``markup`` with what ``query`` looks for in ``mark`` elements, formulas left alone."""
    if not query.terms:
        return Markup(markup)
    # Slices of `Markup` are made slowly, and there will be many.
    markup = str(markup)
    if "<" not in markup and "&" not in markup:
        return Markup(_marked(markup, query))
    # Every second piece is what stands between those that are no prose.
    pieces = _NO_PROSE.split(markup)
    pieces[::2] = [_marked(piece, query) if piece else "" for piece in pieces[::2]]
    return Markup("".join(pieces))


def _marked(text: str, query: Wanted) -> str:
    pieces = highlighted(text, query)
    return "".join(f"<mark>{piece}</mark>" if marked else piece for marked, piece in pieces)


def nearest_sentence(paper: Paper, hit: Hit) -> tuple[int, int] | None:
    """Where the sentence of the abstract nearest to the query begins and ends.

    None where that is not known, where the title is nearest, or where the abstract is not known: a
    summary stands for it then.
    """
    if hit.sentence is None or not paper.abstract:
        return None
    found = sentence_spans(paper.title, paper.abstract)
    shift = len(paper.title) + 1
    if hit.sentence >= len(found) or found[hit.sentence][0] < shift:
        return None
    first, last = found[hit.sentence]
    return first - shift, last - shift


def authors_marked(names: str, authors: list[str]) -> Markup:
    """The line of ``names`` as HTML with each of ``authors``, as typed, in a ``mark`` element."""
    words = [re.escape(word) for author in authors for word in author.split() if len(word) > 1]
    if not words:
        return Markup(html.escape(names))
    pieces = re.split(rf"\b((?:{'|'.join(words)})\b)", names, flags=re.IGNORECASE)
    return Markup(
        "".join(
            f"<mark>{html.escape(piece)}</mark>" if i % 2 else html.escape(piece)
            for i, piece in enumerate(pieces)
        )
    )
