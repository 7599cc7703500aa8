"""Tries a vector for each word: as a second stage (MaxSim), and as a first by encodings of one size (MUVERA).

    .venv/bin/python -m bench.ideas.late_interaction --among HOME

The vectors of the words of a text are the means over their tokens from one reading of it. MaxSim is the mean,
over the words of a query, of the cosine of the nearest word of the paper. MUVERA (Dhulipala and others, 2024)
sums the words of a query, and averages those of a paper, that fall on the same sides of random planes, so
that a product of two long vectors is about MaxSim; an empty place gets the mean of the nearest full one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.ideas.sets import (
    AMONG,
    SHORTLIST,
    Values,
    kept,
    options,
    order_anew,
    report,
    shortlisted,
)
from bench.search_quality import SETS
from broadsheet.search.encoder import Encoder, installed_folder
from broadsheet.search.evaluation import Judged, Setting
from broadsheet.search.evaluation.measures import ndcg, recall
from broadsheet.search.evaluation.runs import opened
from broadsheet.search.following import encoded_text
from broadsheet.search.tuning import Tuning

Floats = NDArray[np.float32]

_WORD = re.compile(r"\w+")
# Of larger sets only the shortlists are compared by words: it takes minutes.
_MOST_WORDS = 400_000
# Papers that the second stage puts into order, and the share of MaxSim in it.
_SECOND = 50
SHARES = (0.2, 0.5, 1.0)
# Words in a row that share a vector.
WINDOWS = (4, 8, 16)
_TOGETHER = 8
# Random planes, dimensions of a word after projection, repetitions: 2^planes * dimensions * repetitions.
ENCODINGS = ((4, 8, 20), (4, 16, 20))
_SEED = 11


@dataclass(frozen=True, slots=True)
class WordVectors:
    """Unit vectors of the words of texts, all in one; text i has ``starts[i]`` to ``starts[i + 1]``."""

    words: NDArray[np.float16]
    starts: NDArray[np.int64]
    whole: Floats

    def of(self, text: int) -> Floats:
        return self.words[self.starts[text] : self.starts[text + 1]].astype(np.float32)


def word_vectors(encoder: Encoder, texts: Sequence[str]) -> WordVectors:
    """The vectors of the words of ``texts``, each in its context, and of the texts."""
    words, whole = [], []
    for start in range(0, len(texts), 500):
        some = texts[start : start + 500]
        spans = [[word.span() for word in _WORD.finditer(text)] for text in some]
        vectors, parts = encoder.encode_with_parts(some, spans)
        whole.append(vectors)
        words += [part.astype(np.float16) for part in parts]
    starts = np.concatenate([[0], np.cumsum([len(part) for part in words])])
    return WordVectors(np.concatenate(words), starts, np.concatenate(whole))


def windows(vectors: WordVectors, size: int) -> WordVectors:
    """The same with the unit means of ``size`` words in a row in place of words."""
    means = []
    for text in range(len(vectors.starts) - 1):
        words = vectors.of(text)
        sums = np.add.reduceat(words, np.arange(0, len(words), size), axis=0) if len(words) else words
        means.append(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9))
    starts = np.concatenate([[0], np.cumsum([len(of) for of in means])])
    return WordVectors(np.concatenate(means).astype(np.float16), starts, vectors.whole)


def kept_vectors(encoder: Encoder, texts: Sequence[str], path: Path) -> WordVectors:
    """`word_vectors`, computed once."""
    if not path.exists():
        made = word_vectors(encoder, texts)
        np.savez(path, words=made.words, starts=made.starts, whole=made.whole)
    with np.load(path) as found:
        return WordVectors(found["words"], found["starts"], found["whole"])


def max_sim(query: Floats, papers: WordVectors, rows: Sequence[int]) -> Floats:
    """MaxSim of the words ``query`` with each of ``rows`` of ``papers``."""
    found = np.zeros(len(rows), np.float32)
    for place, row in enumerate(rows):
        words = papers.of(row)
        if len(words) and len(query):
            found[place] = (query @ words.T).max(axis=1).mean()
    return found


class Encoding:
    """MUVERA: the words of a text as one vector of ``dims`` dimensions."""

    def __init__(self, planes: int, size: int, repetitions: int, dims: int = 384):
        random = np.random.default_rng(_SEED)
        self.places, self.size, self.repetitions = 2**planes, size, repetitions
        self.dims = self.places * size * repetitions
        self._planes = random.standard_normal((repetitions, dims, planes)).astype(np.float32)
        signs = random.choice([-1.0, 1.0], (repetitions, dims, size))
        self._projections = (signs / np.sqrt(size)).astype(np.float32)
        numbers = np.arange(self.places)
        self._apart = np.array([[(a ^ b).bit_count() for b in numbers.tolist()] for a in numbers.tolist()])

    def of(self, texts: WordVectors, papers: bool) -> Floats:
        """The encodings of ``texts``, as papers (means, no place empty) or as queries (sums)."""
        count = len(texts.starts) - 1
        owners = np.repeat(np.arange(count), np.diff(texts.starts))
        words = texts.words.astype(np.float32)
        found = np.zeros((count, self.repetitions, self.places, self.size), np.float32)
        for repetition in range(self.repetitions):
            sides = words @ self._planes[repetition] > 0
            at = owners * self.places + sides @ (1 << np.arange(sides.shape[1]))
            projected = words @ self._projections[repetition]
            full = np.bincount(at, minlength=count * self.places)
            sums = np.stack([np.bincount(at, column, len(full)) for column in projected.T], axis=1)
            sums = sums.reshape(count, self.places, self.size)
            if papers:
                full = full.reshape(count, self.places)
                sums /= np.maximum(full, 1)[:, :, None]
                for place in range(self.places):
                    distance = np.where(full > 0, self._apart[place], 99)
                    nearest = distance.argmin(axis=1)
                    found[:, repetition, place] = sums[np.arange(count), nearest]
            else:
                found[:, repetition] = sums
        return found.reshape(count, -1)


def joined(cosines: Floats, words: Floats) -> Floats:
    """The plain sum, as the engine weighs it."""
    weight = Tuning().meaning_weight
    return (1 - weight) * words / max(float(words.max()), 1e-9) + weight * cosines / float(cosines.max())


def first_stage(
    judged: Judged, encoder: Encoder, work: Path, name: str
) -> dict[str, dict[str, dict[str, float]]]:
    """Way -> figure -> query -> value, with the papers of a set ordered by each way, alone and with words."""
    keys = sorted(judged.document_of)
    texts = [
        encoded_text(paper)
        for start in range(0, len(keys), 500)
        for paper in judged.store.papers(keys[start : start + 500])
    ]
    papers = kept_vectors(encoder, texts, work / f"words-{name}.npz")
    asked = kept_vectors(encoder, list(judged.queries.values()), work / f"words-{name}-queries.npz")
    documents = [judged.document_of[key] for key in keys]
    ways: dict[str, Floats] = {"mean": asked.whole @ papers.whole.T}
    for planes, size, repetitions in ENCODINGS:
        encoding = Encoding(planes, size, repetitions)
        began = time.process_time()
        made, theirs = encoding.of(papers, papers=True), encoding.of(asked, papers=False)
        print(
            f"  {encoding.dims} dimensions: {(time.process_time() - began) / len(keys) * 1000:.1f} ms a paper"
        )
        ways[f"MUVERA {encoding.dims}"] = theirs @ made.T
        if encoding.dims == 5_120:
            down = np.random.default_rng(_SEED).standard_normal((encoding.dims, 384)).astype(np.float32)
            ways["MUVERA 5120 to 384"] = (theirs @ down) @ (made @ down).T
            ways["MUVERA 5120, signs of papers"] = theirs @ np.sign(made).T
    if papers.starts[-1] <= _MOST_WORDS:
        everything = papers.words.astype(np.float32)
        full = np.maximum(papers.starts[:-1], 0)
        ways["MaxSim of all"] = np.stack(
            [
                np.maximum.reduceat(
                    everything @ asked.of(q).T, np.minimum(full, len(everything) - 1), axis=0
                ).mean(axis=1)
                for q in range(len(judged.queries))
            ]
        )
    found: dict[str, dict[str, dict[str, float]]] = {way: {} for way in ways}
    place = {key: row for row, key in enumerate(keys)}
    with opened(judged.home, judged.store, Setting()) as engine:
        for row, (query, text) in enumerate(judged.queries.items()):
            matches = engine.words.search(text, 300)
            words = np.zeros(len(keys), np.float32)
            words[[place[key] for key in matches.keys.tolist()]] = matches.scores
            gains = judged.judgements[query]
            for way, scores in ways.items():
                order = [documents[i] for i in np.argsort(-scores[row], kind="stable")[:100]]
                found[way].setdefault("nDCG@10", {})[query] = ndcg(order, gains)
                found[way].setdefault("recall@100", {})[query] = recall(order, gains, 100)
                order = [documents[i] for i in np.argsort(-joined(scores[row], words), kind="stable")[:10]]
                found[way].setdefault("nDCG@10 with words", {})[query] = ndcg(order, gains)
    return found


def second_stage(judged: Judged, encoder: Encoder, work: Path, name: str) -> dict[str, dict[str, float]]:
    """Share of MaxSim, by words and by windows -> query -> nDCG@10, the engine's best put into order anew."""
    keys = sorted(judged.document_of)
    row = {key: place for place, key in enumerate(keys)}
    papers = kept_vectors(encoder, [], work / f"words-{name}.npz")
    asked = kept_vectors(encoder, [], work / f"words-{name}-queries.npz")
    together = windows(papers, _TOGETHER)
    found: dict[str, dict[str, float]] = {}
    with opened(judged.home, judged.store, Setting(), needed=True) as engine:
        for place, (query, text) in enumerate(judged.queries.items()):
            hits = engine.search(text, _SECOND).hits
            if not hits:
                continue
            ours = np.array([hit.score for hit in hits], np.float32)
            rows, keys = [row[hit.key] for hit in hits], [hit.key for hit in hits]
            found.setdefault("engine", {})[query] = order_anew(judged, query, keys, ours)
            for kind, of in {"words": papers, f"{_TOGETHER} in a row": together}.items():
                theirs = max_sim(asked.of(place), of, rows)
                for share in SHARES:
                    scores = (1 - share) * ours / ours.max() + share * theirs / max(float(theirs.max()), 1e-9)
                    way = f"{kind}, {share}"
                    found.setdefault(way, {})[query] = order_anew(judged, query, keys, scores)
    return found


def anew(judged: Judged, encoder: Encoder, work: Path, name: str) -> Mapping[str, dict[str, float]]:
    """nDCG@10 of the `SHORTLIST` nearest papers by the mean, by MaxSim and by both, half and half."""
    near, papers = shortlisted(judged, encoder)
    row = {paper.key: place for place, paper in enumerate(papers)}
    vectors = kept_vectors(encoder, [encoded_text(paper) for paper in papers], work / f"words-{name}.npz")
    texts = [judged.queries[query] for query in near]
    asked = kept_vectors(encoder, texts, work / f"words-{name}-queries.npz")
    ways = {"MaxSim": vectors} | {f"{size} words in a row": windows(vectors, size) for size in WINDOWS}
    found: dict[str, dict[str, float]] = {}
    for place, (query, keys) in enumerate(near.items()):
        rows = [row[key] for key in keys]
        cosines = vectors.whole[rows] @ asked.whole[place]
        found.setdefault("mean", {})[query] = order_anew(judged, query, keys, cosines)
        for way, of in ways.items():
            theirs = max_sim(asked.of(place), of, rows)
            half = cosines / cosines.max() + theirs / theirs.max()
            found.setdefault(way, {})[query] = order_anew(judged, query, keys, theirs)
            found.setdefault(f"{way}, half", {})[query] = order_anew(judged, query, keys, half)
    return found


def main() -> None:
    given = options(__doc__).parse_args()
    encoder = Encoder(installed_folder())
    figures = ("nDCG@10", "recall@100", "nDCG@10 with words")
    base: Values = {}
    tried: dict[str, Values] = {}
    for name in SETS:
        with kept(name, given.work, given.among) as judged:
            for way, values in first_stage(judged, encoder, given.work, name).items():
                (base if way == "mean" else tried.setdefault(way, {}))[name] = values
    print("First stage\n" + report(base, tried, figures), flush=True)
    base, tried = {}, {}
    for name in SETS:
        with kept(name, given.work, given.among) as judged:
            for way, of in second_stage(judged, encoder, given.work, name).items():
                (base if way == "engine" else tried.setdefault(way, {}))[name] = {"second stage": of}
    print(report(base, tried, ["second stage"]), flush=True)
    base, tried = {}, {}
    for name in (AMONG, "needs"):
        with kept(name, given.work, given.among) as judged:
            for way, of in anew(judged, encoder, given.work, name).items():
                (base if way == "mean" else tried.setdefault(way, {}))[name] = {f"best {SHORTLIST} anew": of}
    print(report(base, tried, [f"best {SHORTLIST} anew"]))


if __name__ == "__main__":
    main()
