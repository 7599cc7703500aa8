"""The frequent words, recent topics and notable papers of an index, read when first asked for."""

from __future__ import annotations

import sys
import threading
import weakref
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import tantivy

from .restrictions import day_number
from .words import Words

LETTERS = "abcdefghijklmnopqrstuvwxyz"

# Of each letter. Together they are all words that one of five thousand papers has, in 10 MB.
_MOST_WORDS = 3_000
_MOST_TOPICS = 2_000
_TOPIC_DAYS = 365

# So many papers are looked through in less than a millisecond.
_SOME_PAPERS = 30_000
_WINDOWS = (1, 3, 7, 14, 30, 90, 180, 365, 1_000)
_VOTES = (1_000, 500, 200, 100, 50, 20, 10, 5, 2, 1)

# Everything is read anew when the number of papers has changed by this share; at once where there
# are few papers.
_STALE, _FEW_PAPERS = 0.1, 20_000


@dataclass(slots=True)
class _Known:
    lock: threading.Lock = field(default_factory=threading.Lock)
    papers: int = -1
    answers: dict[tuple[str, str], Any] = field(default_factory=dict)


_known: weakref.WeakKeyDictionary[Words, _Known] = weakref.WeakKeyDictionary()


def _kept(words: Words, name: str, which: str, read: Callable[[], Any]) -> Any:
    """What ``read`` gave for ``which`` the last time, while the index is about the same."""
    known = _known.setdefault(words, _Known())
    with known.lock:
        papers = words.searcher.num_docs
        changed = abs(papers - known.papers)
        if changed and (papers < _FEW_PAPERS or changed > _STALE * known.papers):
            known.papers, known.answers = papers, {}
        if (name, which) not in known.answers:
            known.answers[name, which] = read()
        return known.answers[name, which]


def frequent_words(words: Words, letter: str) -> dict[str, int]:
    """The frequent words that begin with ``letter`` (a to z) and their papers, most frequent first.

    Reading them takes 50 ms at a million papers, once a letter.
    """

    def read() -> dict[str, int]:
        terms = words.searcher.terms_with_prefix("typed", letter, limit=_MOST_WORDS)
        return {term: count for term, count in terms if term.isascii() and term.isalpha()}

    return _kept(words, "words", letter, read)


def endings(words: Words, name: str, begins: str, limit: int) -> dict[str, int]:
    """The ``limit`` most frequent terms of the field ``name`` that begin so, and their papers."""

    def read() -> dict[str, int]:
        return dict(words.searcher.terms_with_prefix(name, begins, limit=limit))

    # A million papers have a hundred thousand words that begin with an s, but few with "str".
    return _kept(words, f"{name} {limit}", begins, read) if len(begins) < 3 else read()


def recent_topics(words: Words, begins: str) -> list[str]:
    """The topics of the last year that begin so (with one sign at least), those of most papers first."""

    def read() -> tuple[list[str], dict[str, int]]:
        since = _since(words, _newest(words), _TOPIC_DAYS)
        found = words.searcher.terms_with_prefix("topic", begins[0], filter_query=since, limit=_MOST_TOPICS)
        places = {topic: place for place, (topic, _) in enumerate(found)}
        return sorted(places), places

    topics, places = _kept(words, "topics", begins[0], read)
    first, end = bisect_left(topics, begins), bisect_left(topics, begins + chr(sys.maxunicode))
    return sorted(topics[first:end], key=places.__getitem__)


def new_papers(words: Words) -> tantivy.Query:
    """The papers of the last days, as many days as make some ten thousand papers at most."""

    def read() -> tantivy.Query:
        newest = _newest(words)
        return _largest(words, (_since(words, newest, days) for days in _WINDOWS))

    return _kept(words, "new", "", read)


def voted_papers(words: Words) -> tantivy.Query:
    """The papers with the most votes, some ten thousand at most."""
    return _kept(words, "voted", "", lambda: _largest(words, (_at_least(words, "votes", n) for n in _VOTES)))


def _largest(words: Words, growing: Iterable[tantivy.Query]) -> tantivy.Query:
    """The last of the ``growing`` queries that does not have too many papers."""
    chosen = None
    for query in growing:
        if chosen and (words.searcher.search(query, 1).count or 0) > _SOME_PAPERS:
            break
        chosen = query
    return chosen or tantivy.Query.empty_query()


def _newest(words: Words) -> date:
    """The day of the newest paper (an archive may have ended long ago), today at the latest."""
    hits = words.searcher.search(tantivy.Query.all_query(), 1, count=False, order_by_field="day").hits
    text = str(hits[0][0]) if hits else ""
    return min(date.fromisoformat(text), date.today()) if len(text) == 8 else date.today()


def _since(words: Words, newest: date, days: int) -> tantivy.Query:
    return _at_least(words, "day", day_number(newest - timedelta(days)))


def _at_least(words: Words, name: str, least: int) -> tantivy.Query:
    kind = tantivy.FieldType.Integer
    # The inverted index lists these papers; the column would be read for all of them.
    return tantivy.Query.range_query(words.index.schema, name, kind, least, None, use_inverted_index=True)


def warm(words: Words) -> None:
    """Reads the frequent words of all letters, so that no keystroke waits for them."""
    for letter in LETTERS:
        frequent_words(words, letter)
