"""Which of the news concern a search or a topic, for thousands of them at once.

The papers of the period get an index of their own: words by tantivy with the analysis and the query
language of search, vectors from those that search keeps. A paper concerns a search if it fulfils its
filters and phrases and either has all of its words or is near to it in meaning.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..model.audiences import Audience
from ..model.papers import Paper
from ..search.following import encoded_text
from ..search.meaning import Meaning
from ..search.query import Query, parse
from ..search.words import Words
from .query_vectors import QueryVectors

log = logging.getLogger(__name__)

# A paper is near where it is nearer than this share of all papers here, and not far by itself; or near by
# itself. Measured in docs/editions.md.
NEARER_THAN = 0.99
LEAST_COSINE = 0.40
NEAR_COSINE = 0.5
# The papers that stand for all papers here; with fewer only `NEAR_COSINE` counts.
_SAMPLE = 2_000
_LEAST_SAMPLE = 400
# The share of meaning in a score; having all words counts for the rest.
_MEANING_WEIGHT = 0.57
# Without encoder a topic is found by its words: where a paper has so much of what a perfect one had.
_LEAST_WORDS = 0.25
# Audiences whose cosines are computed at once: 256 x 50,000 papers are 50 MB.
_AT_ONCE = 256
# Papers that search has not encoded yet are encoded here, up to so many.
_MOST_ENCODED = 1_000


@dataclass(frozen=True, slots=True)
class Match:
    """A paper that concerns an audience: ``score`` from 0 to 1, and why."""

    key: int
    score: float
    reason: str


class PeriodIndex:
    """The papers of a period, to be asked by many audiences. Close it, or use it in a ``with``."""

    def __init__(self, papers: Sequence[Paper], meaning: Meaning | None, queries: QueryVectors | None):
        self._folder = tempfile.TemporaryDirectory(prefix="broadsheet-edition-")
        self._words = Words(Path(self._folder.name) / "words")
        self._words.put(papers)
        self._words.commit(1)
        self._words.end_writing()
        self._queries = queries if meaning else None
        self._votes = {paper.key: paper.upvotes or 0 for paper in papers}
        self._keys, self._vectors, self._sample = _no_vectors()
        if meaning and queries:
            try:
                self._keys, self._vectors = _vectors(papers, meaning)
                self._sample = _sample(meaning)
            except Exception as error:  # whatever an encoder of somebody else's does
                log.error("the encoder failed, editions are composed by words alone: %s", error)
                self._keys, self._vectors, self._sample = _no_vectors()

    def __enter__(self) -> PeriodIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._folder.cleanup()

    def matches(self, audiences: Sequence[Audience], today: date) -> Iterator[list[Match] | None]:
        """Of each search or topic the papers that concern it, best first; None where it cannot be answered.

        ``today`` is what "yesterday" in a search counts from.
        """
        for start in range(0, len(audiences), _AT_ONCE):
            part = audiences[start : start + _AT_ONCE]
            queries = [_query(audience, today) for audience in part]
            cosines, near = self._cosines(queries)
            for place, (audience, query) in enumerate(zip(part, queries, strict=True)):
                found: list[Match] | None = None
                try:
                    found = self._matches(audience, query, cosines[place], near[place])
                except BaseException as error:  # tantivy's panics are no Exceptions
                    if not isinstance(error, Exception) and "panic" not in type(error).__name__.lower():
                        raise
                    # The others shall get theirs; what it asks for is not for the log.
                    log.error("a %s of a subscription cannot be answered: %r", audience.kind, error)
                yield found

    def _cosines(self, queries: Sequence[Query]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The cosine of each query with each paper, and from which cosine on a paper is near."""
        if self._queries is None or not len(self._keys):
            return np.zeros((len(queries), 0), np.float32), np.full(len(queries), 2.0, np.float32)
        try:
            asked = self._queries.of([query.text for query in queries])
        except Exception as error:  # whatever an encoder of somebody else's does
            log.error("the encoder failed, editions are composed by words alone: %s", error)
            self._keys = self._keys[:0]
            return self._cosines(queries)
        near = np.full(len(queries), NEAR_COSINE, np.float32)
        if len(self._sample) >= _LEAST_SAMPLE:
            place = int(NEARER_THAN * len(self._sample))
            others = np.partition(asked @ self._sample.T, place, axis=1)[:, place]
            near = np.clip(others, LEAST_COSINE, NEAR_COSINE)
        return asked @ self._vectors.T, near

    def _matches(
        self, audience: Audience, query: Query, cosines: NDArray[np.float32], near: float
    ) -> list[Match]:
        worded = set(self._worded(audience, query))
        close: dict[int, float] = {}
        if len(cosines) and query.text:
            places = np.flatnonzero(cosines >= near)
            if query.restricted and len(places):
                places = places[self._words.among(query, self._keys[places])]
            wanted = np.isin(self._keys, list(worded)) if worded else np.zeros(len(self._keys), bool)
            wanted[places] = True
            close = {int(self._keys[place]): float(cosines[place]) for place in np.flatnonzero(wanted)}
        found = [
            _match(audience, key, key in worded, close.get(key), near, bool(query.text))
            for key in worded | close.keys()
        ]
        return sorted(found, key=lambda match: (-match.score, -self._votes[match.key], match.key))

    def _worded(self, audience: Audience, query: Query) -> list[int]:
        """Keys of the papers with all words of ``query`` that fulfil its restrictions."""
        if audience.kind == "topic" and not len(self._keys):
            found = self._words.search(query, len(self._votes))
            return found.keys[found.scores >= _LEAST_WORDS * found.perfect].tolist()
        if not query.text and not query.restricted:
            return []
        return self._words.listed(query, len(self._votes), order="votes").tolist()


def _query(audience: Audience, today: date) -> Query:
    """What ``audience`` asks for: a search in the query language, a topic in plain words."""
    if audience.kind == "topic":
        return Query(typed=audience.value, text=audience.value)
    return parse(audience.value, today)


def _match(
    audience: Audience, key: int, worded: bool, cosine: float | None, near: float, has_text: bool
) -> Match:
    what = audience.kind
    if not has_text:
        return Match(key, 1.0, f"It fulfils the filters of the {what}.")
    meaning = min(max(cosine or 0.0, 0.0) / NEAR_COSINE, 1.0)
    score = _MEANING_WEIGHT * meaning + (1 - _MEANING_WEIGHT) * worded
    close = cosine is not None and cosine >= near
    if worded and close:
        reason = f"It has all words of the {what} and is near to it in meaning (cosine {cosine:.2f})."
    elif worded:
        reason = f"It has all words of the {what}."
    else:
        reason = f"It is near to the {what} in meaning (cosine {cosine:.2f})."
    return Match(key, score, reason)


def _vectors(papers: Sequence[Paper], meaning: Meaning) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The keys of the papers that have a vector, ascending, and the vectors."""
    keys, vectors = meaning.vectors.vectors_of(np.array(sorted(paper.key for paper in papers), np.int64))
    known = set(keys.tolist())
    missing = [paper for paper in papers if paper.key not in known][:_MOST_ENCODED]
    if missing:
        keys = np.concatenate([keys, np.array([paper.key for paper in missing], np.int64)])
        vectors = np.concatenate([vectors, meaning.encoder.encode([encoded_text(p) for p in missing])])
        order = np.argsort(keys)
        keys, vectors = keys[order], vectors[order]
    return keys, vectors


def _sample(meaning: Meaning) -> NDArray[np.float32]:
    """Vectors of papers that stand for all papers here, evenly over time."""
    keys = np.sort(meaning.vectors.all_keys())
    return meaning.vectors.vectors_of(keys[:: max(len(keys) // _SAMPLE, 1)])[1]


def _no_vectors() -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    nothing = np.zeros((0, 0), np.float32)
    return np.zeros(0, np.int64), nothing, nothing
