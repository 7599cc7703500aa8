"""Tries to learn which terms a text of this meaning holds, and to search for those too.

    .venv/bin/python -m bench.ideas.sparse_expansion --among HOME

A linear head (ridge regression, 384 dimensions to the most frequent terms of papers, the very frequent left
out) is fitted to stored vectors and to the terms of their papers, none of which a judged set knows. Then

- expansion: the terms that are most probable by the query's vector, against how frequent they are, are added
  to the query of words with a small weight;
- terms as meaning: the query's vector is moved to where its terms are most probable by the same head.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.ideas.pairs import papers_without_judged
from bench.ideas.query_adapter import unit
from bench.ideas.sets import ALL, Encode, Values, kept, ndcg_of, options, report
from broadsheet.model.papers import Paper
from broadsheet.search import Engine
from broadsheet.search.analysis import STEMMED, STOP_WORDS, plain, term_of
from broadsheet.search.evaluation.runs import opened
from broadsheet.search.evaluation.settings import Setting
from broadsheet.search.following import encoded_text
from broadsheet.search.terms import chosen_terms
from broadsheet.store import Store

Floats = NDArray[np.float32]

_PAPERS, _HELD_OUT = 40_000, 2_000
_TERMS = 6_000
# A term that more papers have says nothing of them.
_MOST = 0.1
_RIDGE = 10.0
_AT_ONCE = 1_000
_SEED = 13
# Terms that are added, and what they weigh together, of what the query's own weigh.
ADDED = ((10, 0.2), (10, 0.5), (30, 0.5))
MOVED = (0.1, 0.3)


@dataclass(frozen=True, slots=True)
class Head:
    """``matrix`` (dims, terms) and ``shares`` (terms,): x @ matrix + shares is how probable each term is."""

    terms: list[str]
    matrix: Floats
    shares: Floats
    mean: Floats

    def lift(self, vector: Floats) -> Floats:
        """How much more probable than in any paper each term is, in standard deviations of its frequency."""
        return (vector - self.mean) @ self.matrix / np.sqrt(self.shares * (1 - self.shares))


def _terms_of(paper: Paper) -> set[str]:
    return set(STEMMED.analyze(plain(encoded_text(paper))))


def fitted(home: Path, work: Path) -> Head:
    """The head, fitted to the papers in ``home``; kept in ``work``."""
    path = work / "head.npz"
    if not path.exists():
        store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
        papers = random.Random(_SEED).sample(list(papers_without_judged(store)), _PAPERS)
        with opened(home, store, Setting(), needed=True) as engine:
            assert engine.meaning is not None
            keys = np.array([paper.key for paper in papers], np.int64)
            found, vectors = engine.meaning.vectors.vectors_of(keys)
        store.close()
        assert len(found) == len(keys)
        np.savez(path, **_fit(vectors, [_terms_of(paper) for paper in papers]))
    with np.load(path) as kept_head:
        return Head(kept_head["terms"].tolist(), kept_head["matrix"], kept_head["shares"], kept_head["mean"])


def _fit(vectors: Floats, texts: Sequence[set[str]]) -> dict[str, NDArray]:
    counts = Counter(term for text in texts for term in text)
    stop = {term_of(word) for word in STOP_WORDS}
    frequent = [
        term for term, count in counts.most_common() if count <= _MOST * len(texts) and term not in stop
    ]
    terms = [term for term in frequent if len(term) > 1 and not term.isdigit()][:_TERMS]
    place = {term: number for number, term in enumerate(terms)}
    known = slice(0, len(texts) - _HELD_OUT)
    mean = vectors[known].mean(axis=0)
    x = vectors - mean
    products = np.zeros((x.shape[1], len(terms)), np.float32)
    shares = np.zeros(len(terms), np.float32)
    for start in range(0, len(texts), _AT_ONCE):
        some = texts[start : start + _AT_ONCE]
        y = np.zeros((len(some), len(terms)), np.float32)
        for row, text in enumerate(some):
            y[row, [place[term] for term in text if term in place]] = 1
        if start < len(texts) - _HELD_OUT:
            products += x[start : start + _AT_ONCE].T @ y
            shares += y.sum(axis=0)
    shares /= len(texts) - _HELD_OUT
    inner = x[known].T @ x[known] + _RIDGE * np.eye(x.shape[1], dtype=np.float32)
    matrix = np.linalg.solve(inner, products).astype(np.float32)
    hits, asked = 0, 0
    for row in range(len(texts) - _HELD_OUT, len(texts)):
        lift = x[row] @ matrix / np.sqrt(shares * (1 - shares))
        hits += sum(terms[i] in texts[row] for i in np.argsort(-lift)[:10].tolist())
        asked += 10
    print(
        f"{len(terms):,} terms; of the 10 most probable a paper kept apart has {hits / asked:.0%}", flush=True
    )
    return {"terms": np.array(terms), "matrix": matrix, "shares": shares, "mean": mean}


def expanded(head: Head, count: int, weight: float) -> Callable[[Engine], Encode]:
    """What `ndcg_of` takes: vectors as they are, words with ``count`` more terms."""

    def encode_of(engine: Engine) -> Encode:
        words = engine.words
        assert engine.meaning is not None
        encode = engine.meaning.encoder.encode_query

        def choose(text: str) -> object:
            terms = chosen_terms(text, words.searcher, words.index.schema)
            lift = head.lift(encode(text))
            new = [i for i in np.argsort(-lift)[: 2 * count].tolist() if head.terms[i] not in terms.weights]
            new = [i for i in new if lift[i] > 0][:count]
            total = sum(terms.weights.values())
            of_new = float(sum(lift[i] for i in new)) or 1.0
            more = {head.terms[i]: weight * total * float(lift[i]) / of_new for i in new}
            return terms, words._scoring(replace(terms, weights=terms.weights | more))

        # The engine's words look up the terms of a query here.
        words._chosen = choose  # type: ignore[assignment]
        return encode

    return encode_of


def moved(head: Head, share: float) -> Callable[[Engine], Encode]:
    """What `ndcg_of` takes: vectors moved to where the query's terms are most probable."""
    place = {term: number for number, term in enumerate(head.terms)}

    def encode_of(engine: Engine) -> Encode:
        assert engine.meaning is not None
        encode = engine.meaning.encoder.encode_query

        def mapped(text: str) -> Floats:
            known = [place[term] for term in set(STEMMED.analyze(plain(text))) if term in place]
            vector = encode(text)
            if not known:
                return vector
            scales = -np.log(head.shares[known]) / np.sqrt(head.shares[known])
            towards = head.matrix[:, known] @ scales
            return unit(vector + share * unit(towards)).astype(np.float32)

        return mapped

    return encode_of


def main() -> None:
    given = options(__doc__).parse_args()
    head = fitted(given.among, given.work)
    ways = {f"{count} terms, {weight}": expanded(head, count, weight) for count, weight in ADDED}
    ways |= {f"moved by {share}": moved(head, share) for share in MOVED}
    base: Values = {}
    tried: dict[str, Values] = {}
    for name in ALL:
        with kept(name, given.work, given.among) as judged:
            base[name] = ndcg_of(judged)
            for way, encode in ways.items():
                tried.setdefault(way, {})[name] = ndcg_of(judged, encode)
    print(report(base, tried))


if __name__ == "__main__":
    main()
