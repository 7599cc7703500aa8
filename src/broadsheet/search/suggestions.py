"""What a person may be typing: titles, authors and topics that go on from it. Nothing leaves the machine."""

from __future__ import annotations

import logging
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tantivy import Query

from ..model.papers import Paper
from ..store import Store
from . import vocabulary
from .analysis import plain, term_of, words_of
from .restrictions import all_of, any_of
from .words import Words

log = logging.getLogger(__name__)

# A longer text is pasted; a single letter says nothing yet.
MAX_TEXT = 200
_MIN_TEXT = 2
_MAX_WORDS = 16

# The last word is taken to be one of so many, the most frequent.
_ENDINGS = 24
_NAME_ENDINGS = 8
# Papers whose titles, or authors, are looked at.
_LOOK_AT = 8
# Thousands sign a paper of physics.
_MOST_AUTHORS = 200
# Beyond so many matching papers only new and notable ones are looked at.
_MANY_PAPERS = 20_000


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One way to go on: ``kind`` is ``title``, ``author`` or ``topic``; ``query`` is what to search for."""

    kind: str
    text: str
    query: str


_AUTHOR = re.compile(r'^(?P<before>(?:.*\s)?)author:\s*"?(?P<name>[^":]*)$', re.IGNORECASE)
# An operator other than author: says what it wants by itself.
_OPERATOR = re.compile(r'(?:^|\s)-?[a-z]+:\S|"', re.IGNORECASE)


def suggestions(words: Words, store: Store, text: str, limit: int = 8) -> list[Suggestion]:
    """At most ``limit`` ways to go on from ``text``: topics, titles, authors; never raises.

    The last word of ``text`` is taken for the beginning of a word, the others for what they are. A
    quarter of them are topics at most, and a quarter authors, unless ``text`` ends with ``author:``
    and part of a name: then all are authors.
    """
    try:
        words.refresh()
        return _suggestions(words, store, " ".join(text.split()), limit) if limit > 0 else []
    except BaseException as error:  # tantivy's panics are no Exceptions
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        log.error("suggestions failed: %s", type(error).__name__)
        return []


def _suggestions(words: Words, store: Store, text: str, limit: int) -> list[Suggestion]:
    if not _MIN_TEXT <= len(text) <= MAX_TEXT:
        return []
    if asked := _AUTHOR.match(text):
        typed = _typed(asked["name"])
        keys = _papers_by(words, typed)
        names = _names(store.papers(keys, brief=True), typed)
        return [_author(name, asked["before"]) for name in names][:limit]
    typed = _typed(text)
    if _OPERATOR.search(text) or not typed.last or len(typed.former) >= _MAX_WORDS:
        return []
    titled, authored = _papers_titled(words, typed), _papers_by(words, typed)
    keys = list(dict.fromkeys([*titled, *authored]))
    papers = {paper.key: paper for paper in store.papers(keys, brief=True)}
    few = max(limit // 4, 1)
    topics = [Suggestion("topic", topic, topic) for topic in _topics(words, text, few)]
    names = _names([papers[key] for key in authored if key in papers], typed)
    authors = [_author(name) for name in names[:few]]
    titles = _titles([papers[key] for key in titled if key in papers], typed)
    found = _different([*topics, *(Suggestion("title", title, title) for title in titles)])
    return _different([*found[: limit - len(authors)], *authors])[:limit]


def _different(found: Iterable[Suggestion]) -> list[Suggestion]:
    different: dict[str, Suggestion] = {}
    for one in found:
        different.setdefault(one.text.casefold(), one)
    return list(different.values())


@dataclass(frozen=True, slots=True)
class _Typed:
    """Folded words: those that stand, and the beginning of the last one."""

    former: tuple[str, ...]
    last: str


def _folded(text: str) -> list[str]:
    return [word.folded for word in words_of(plain(text))]


def _fit(former: Sequence[str], last: str, standing: Sequence[str], parts: Sequence[str]) -> int:
    """How the words typed stand in a text: 3 begin it, 2 follow one another, 1 somewhere, 0 not all.

    Args:
        former: the words before the last, in the form of ``standing``.
        last: the beginning of a word.
        standing: the words of the text, stemmed where stems are to agree.
        parts: the words of the text, folded.
    """
    size = len(former)
    for start in range(len(parts) - size):
        if parts[start + size].startswith(last) and list(standing[start : start + size]) == list(former):
            return 2 if start else 3
    free = list(zip(standing, parts, strict=True))
    for word in former:
        place = next((place for place, (form, _) in enumerate(free) if form == word), None)
        if place is None:
            return 0
        del free[place]
    return int(any(part.startswith(last) for _, part in free))


def _typed(text: str) -> _Typed:
    *former, last = _folded(text) or [""]
    return _Typed(tuple(former), last)


def _author(name: str, before: str = "") -> Suggestion:
    quoted = name.replace('"', "")
    return Suggestion("author", name, f'{before}author:"{quoted}"')


# -- topics


def _topics(words: Words, text: str, limit: int) -> list[str]:
    """Topics that begin with ``text``, most frequent first; of two that differ by an ending, one."""
    begins = text.lower()
    found: dict[tuple[str, ...], str] = {}
    for topic in vocabulary.recent_topics(words, begins):
        if topic != begins:
            found.setdefault(tuple(word.term for word in words_of(topic)), topic)
            if len(found) == limit:
                break
    return list(found.values())


# -- authors


def _papers_by(words: Words, typed: _Typed) -> list[int]:
    """The newest papers with an author who may be meant."""
    searcher, schema = words.searcher, words.index.schema
    if len(typed.former) > 3 or not all(searcher.doc_freq("authors", word) for word in typed.former):
        return []
    endings = vocabulary.endings(words, "authors", typed.last, _NAME_ENDINGS) if typed.last else {}
    clauses = [Query.term_query(schema, "authors", word) for word in dict.fromkeys(typed.former)]
    clauses.append(any_of([Query.term_query(schema, "authors", term) for term in endings]))
    if sum(endings.values()) > _MANY_PAPERS:
        clauses.append(vocabulary.new_papers(words))
    return _keys(words, clauses, "day") if endings else []


def _names(papers: Sequence[Paper], typed: _Typed) -> list[str]:
    """The names in ``papers`` with all words of ``typed``; those that begin so first, then by papers."""
    count: Counter[str] = Counter()
    shown: dict[str, str] = {}
    begun: set[str] = set()
    for paper in papers:
        for author in paper.authors[:_MOST_AUTHORS]:
            if author.name.isascii() and typed.last not in author.name.lower():
                continue
            parts, name = _folded(author.name), author.name.casefold()
            if fit := _fit(typed.former, typed.last, parts, parts):
                count[name] += 1
                shown.setdefault(name, author.name)
                if fit == 3:
                    begun.add(name)
    # Sorting keeps the order of those that are equal: newest first.
    return [shown[name] for name in sorted(shown, key=lambda name: (name not in begun, -count[name]))]


# -- titles


def _papers_titled(words: Words, typed: _Typed) -> list[int]:
    """The newest and the most voted papers whose title has all words of ``typed``."""
    searcher, schema = words.searcher, words.index.schema
    former = [term_of(word) for word in typed.former]
    endings = dict.fromkeys(
        term_of(word) for word in vocabulary.endings(words, "typed", typed.last, _ENDINGS)
    )
    if not endings:
        return []
    in_title = {term: searcher.doc_freq("title", term) for term in [*former, *endings]}
    anywhere = [Query.term_query(schema, "title", term) for term in dict.fromkeys(former)]
    anywhere.append(any_of([Query.term_query(schema, "title", term) for term in endings]))
    many = min([sum(in_title[term] for term in endings), *(in_title[term] for term in former)]) > _MANY_PAPERS
    found: dict[int, None] = {}
    side_by_side = [[Query.phrase_query(schema, "title", former)]] if len(former) > 1 else []
    for more in [*side_by_side, []]:
        for order, notable in (("votes", vocabulary.voted_papers), ("day", vocabulary.new_papers)):
            within = [notable(words)] if many else []
            found |= dict.fromkeys(_keys(words, [*anywhere, *more, *within], order))
        if len(found) >= _LOOK_AT:
            break
    return list(found)[: 2 * _LOOK_AT]


def _titles(papers: Sequence[Paper], typed: _Typed) -> list[str]:
    """Titles that begin with what was typed, then those that have it; notable and new ones first."""
    former = [term_of(word) for word in typed.former]
    ranked = []
    for place, paper in enumerate(papers):
        text = words_of(plain(paper.title))
        if fit := _fit(former, typed.last, [word.term for word in text], [word.folded for word in text]):
            ranked.append((fit, _notable(paper), -place, paper.title))
    return [title for *_, title in sorted(ranked, reverse=True)]


def _notable(paper: Paper) -> float:
    """Doubling the votes makes up for a year."""
    day = paper.published or paper.first_listed or ""
    year = int(day[:4]) + int(day[5:7] or 1) / 12 if day[:4].isdigit() else 0
    return year + math.log2(1 + max(paper.upvotes or 0, 0))


# -- asking the index


def _keys(words: Words, clauses: Sequence[Query], order: str) -> list[int]:
    """Keys of the papers that fulfil all ``clauses``, highest in the field ``order`` first."""
    hits = words.searcher.search(all_of(clauses), _LOOK_AT, count=False, order_by_field=order).hits
    return words.searcher.fast_field_values("key", [address for _, address in hits])
