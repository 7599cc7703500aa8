"""Tries to put the best papers of a search into order anew by what needs no other model.

    .venv/bin/python -m bench.ideas.second_stage --among HOME

Of the best 30: how near in meaning the title is; how near to one another the words of the query stand
(Rasolofo and Savoy, 2003: pairs of words within five places, by the square of their distance); and how near
the words of the query, each by its own vector, are to the stored sentences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from bench.ideas.late_interaction import word_vectors
from bench.ideas.sets import ALL, Values, kept, options, order_anew, papers_of, report
from broadsheet.model.papers import Paper
from broadsheet.search import Engine
from broadsheet.search.analysis import STOP_WORDS, plain, words_of
from broadsheet.search.evaluation import Judged, Setting
from broadsheet.search.evaluation.runs import opened
from broadsheet.search.following import encoded_text
from broadsheet.search.sentences import cosines

Floats = NDArray[np.float32]

_BEST = 30
_WITHIN = 5
SHARES = (0.05, 0.1, 0.2)
OF_WORDS = (0.2, 0.5)


def near_titles(engine: Engine, text: str, keys: Sequence[int]) -> Floats:
    """The cosine of the query with the title of each of ``keys``; a paper's first sentence is its title."""
    assert engine.meaning is not None
    vector = engine.meaning.encoder.encode_query(text)
    codes, counts = engine.meaning.vectors.sentences(np.array(keys, np.int64))
    known = counts > 0
    found = np.zeros(len(keys), np.float32)
    found[known] = cosines(vector, codes)[(np.cumsum(counts) - counts)[known]]
    return found


def near_sentences(engine: Engine, text: str, keys: Sequence[int]) -> Floats:
    """The mean, over the words of the query, of the cosine of the nearest sentence of each of ``keys``."""
    assert engine.meaning is not None
    words = word_vectors(engine.meaning.encoder, [text]).of(0)
    codes, counts = engine.meaning.vectors.sentences(np.array(keys, np.int64))
    known = counts > 0
    found = np.zeros(len(keys), np.float32)
    if known.any() and len(words):
        every = np.stack([cosines(word, codes) for word in words])
        found[known] = np.maximum.reduceat(every, (np.cumsum(counts) - counts)[known], axis=1).mean(axis=0)
    return found


def proximity(engine: Engine, text: str, papers: Sequence[Paper]) -> Floats:
    """How near to one another the telling words of the query stand in each of ``papers``."""
    telling = {word.term for word in words_of(plain(text)) if word.folded not in STOP_WORDS}
    count = engine.words.count
    idf = {t: math.log(count / (1 + engine.words.searcher.doc_freq("text", t))) for t in telling}
    found = np.zeros(len(papers), np.float32)
    for row, paper in enumerate(papers):
        terms = [word.term for word in words_of(plain(encoded_text(paper)))]
        at = [(place, term) for place, term in enumerate(terms) if term in telling]
        best: dict[tuple[str, str], float] = {}
        for i, (place, term) in enumerate(at):
            for other_place, other in at[i + 1 : i + 1 + _WITHIN]:
                if other != term and other_place - place <= _WITHIN:
                    pair = (min(term, other), max(term, other))
                    best[pair] = best.get(pair, 0.0) + 1 / (other_place - place) ** 2
        # Saturating, as BM25 does.
        found[row] = sum(min(idf[a], idf[b]) * 2.2 * n / (n + 1.2) for (a, b), n in best.items())
    most = sum(
        sorted((min(idf[a], idf[b]) for a, b in combinations(sorted(telling), 2)), reverse=True)[
            : len(telling)
        ]
    )
    return found / max(most, 1e-9)


def tried_on(judged: Judged) -> dict[str, dict[str, float]]:
    """Way -> query -> nDCG@10."""
    found: dict[str, dict[str, float]] = {}
    with opened(judged.home, judged.store, Setting(), needed=True) as engine:
        for query, text in judged.queries.items():
            hits = engine.search(text, _BEST).hits
            keys = [hit.key for hit in hits]
            if not keys:
                continue
            ours = np.array([hit.score for hit in hits], np.float32)
            titles = near_titles(engine, text, keys)
            near = proximity(engine, text, papers_of(judged, keys))
            ways = {"": ours}
            for share in SHARES:
                ways[f"title {share}"] = ours + share * titles / max(float(titles.max()), 0.3)
                ways[f"proximity {share}"] = ours + share * near
            words = near_sentences(engine, text, keys)
            for share in OF_WORDS:
                of_words = words / max(float(words.max()), 1e-9)
                ways[f"words and sentences {share}"] = (1 - share) * ours / ours.max() + share * of_words
            for way, scores in ways.items():
                found.setdefault(way, {})[query] = order_anew(judged, query, keys, scores)
    return found


def main() -> None:
    given = options(__doc__).parse_args()
    base: Values = {}
    tried: dict[str, Values] = {}
    for name in ALL:
        with kept(name, given.work, given.among) as judged:
            for way, of in tried_on(judged).items():
                (tried.setdefault(way, {}) if way else base)[name] = {"second stage": of}
    print(report(base, tried, ["second stage"]))


if __name__ == "__main__":
    main()
