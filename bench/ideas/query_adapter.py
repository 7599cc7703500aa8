"""Tries a linear map of the vectors of queries, learnt from real papers, the papers' vectors as they are.

    .venv/bin/python -m bench.ideas.query_adapter --among HOME

A query q becomes q + qA, scaled to length 1. A (384 x 384, or of low rank) is learnt with numpy: q is a
title, a sentence of an abstract, a summary or the keywords of a paper, and its paper's stored vector shall be
nearer than those of other papers. Rank and decay are chosen on pairs kept apart, not on a judged set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.ideas.pairs import Pairs, pairs
from bench.ideas.sets import ALL, Encode, Values, kept, ndcg_of, options, report
from broadsheet.search import Engine

Matrix = NDArray[np.float32]

_BATCH, _NEGATIVES, _STEPS = 512, 4_096, 400
_SCALE = 20.0
_RATE = 3e-4
_HELD_OUT = 0.1
_SEED = 7
# Decay of A in each step, of the rate; and the rank (0: full).
CHOICES = ((0, 0.0), (0, 1.0), (32, 0.0))


@dataclass(slots=True)
class _Adam:
    """Adam with decoupled decay (Loshchilov and Hutter, 2019)."""

    value: Matrix
    decay: float

    first: Matrix | float = 0.0
    second: Matrix | float = 0.0
    steps: int = 0

    def step(self, gradient: Matrix, rate: float) -> None:
        self.steps += 1
        self.first = 0.9 * self.first + 0.1 * gradient
        self.second = 0.999 * self.second + 0.001 * gradient**2
        first, second = self.first / (1 - 0.9**self.steps), self.second / (1 - 0.999**self.steps)
        self.value -= rate * (first / (np.sqrt(second) + 1e-8) + self.decay * self.value)


def unit(vectors: Matrix) -> Matrix:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def gradient_of(queries: Matrix, adapted: Matrix, papers: Matrix, negatives: Matrix) -> Matrix:
    """The gradient of the contrastive loss by A: row i of ``adapted`` belongs to row i of ``papers``."""
    lengths = np.linalg.norm(adapted, axis=1, keepdims=True)
    q = adapted / lengths
    others = np.concatenate([papers, negatives])
    scores = _SCALE * q @ others.T
    # A random paper that is the query's own, or nearly, is no negative.
    alike = papers @ others.T > 0.9
    alike[np.arange(len(q)), np.arange(len(q))] = False
    scores[alike] = -np.inf
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    shares[np.arange(len(q)), np.arange(len(q))] -= 1
    by_q = _SCALE * shares @ others / len(q)
    by_adapted = (by_q - q * (by_q * q).sum(axis=1, keepdims=True)) / lengths
    return queries.T @ by_adapted


def learnt(known: Pairs, chosen: NDArray[np.int64], rank: int, decay: float) -> Matrix:
    """A (dims, dims), learnt from the pairs ``chosen``."""
    random = np.random.default_rng(_SEED)
    dims = known.texts.shape[1]
    if rank:
        left = _Adam(random.standard_normal((dims, rank)).astype(np.float32) * 0.05, decay)
        right = _Adam(np.zeros((rank, dims), np.float32), decay)
    else:
        whole = _Adam(np.zeros((dims, dims), np.float32), decay)
    for step in range(_STEPS):
        batch = random.choice(chosen, _BATCH, replace=False)
        queries = known.texts[batch]
        negatives = known.papers[random.integers(0, len(known.papers), _NEGATIVES)]
        matrix = left.value @ right.value if rank else whole.value
        gradient = gradient_of(
            queries, queries + queries @ matrix, known.papers[known.rows[batch]], negatives
        )
        rate = _RATE * min(1.0, 2 * (1 - step / _STEPS))
        if rank:
            by_left, by_right = gradient @ right.value.T, left.value.T @ gradient
            left.step(by_left, 10 * rate)
            right.step(by_right, 10 * rate)
        else:
            whole.step(gradient, rate)
    return left.value @ right.value if rank else whole.value


def found_first(known: Pairs, chosen: NDArray[np.int64], matrix: Matrix | None) -> dict[str, float]:
    """Mean reciprocal rank of the own paper among all, by kind of text."""
    found: dict[str, list[float]] = {}
    for start in range(0, len(chosen), 200):
        batch = chosen[start : start + 200]
        q = known.texts[batch]
        scores = unit(q if matrix is None else q + q @ matrix) @ known.papers.T
        own = scores[np.arange(len(batch)), known.rows[batch]]
        ranks = (scores > own[:, None]).sum(axis=1) + 1
        for kind, rank in zip(known.kinds[batch].tolist(), ranks.tolist(), strict=True):
            found.setdefault(kind, []).append(1 / rank)
    return {kind: float(np.mean(values)) for kind, values in sorted(found.items())}


def split(known: Pairs, kinds: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs to learn from, of ``kinds``, and 600 pairs of papers kept apart, of all kinds."""
    random = np.random.default_rng(_SEED)
    papers = random.permutation(np.unique(known.rows))
    apart = np.isin(known.rows, papers[: round(_HELD_OUT * len(papers))])
    return (
        np.flatnonzero(~apart & np.isin(known.kinds, kinds)),
        random.permutation(np.flatnonzero(apart))[:600],
    )


def adapter(matrix: Matrix, share: float = 1.0) -> object:
    """What `ndcg_of` takes: the engine's encoder with its vectors of queries mapped."""

    def encode_of(engine: Engine) -> Encode:
        assert engine.meaning is not None
        encode = engine.meaning.encoder.encode_query

        def mapped(text: str) -> Matrix:
            q = encode(text)
            return unit(q + share * (q @ matrix)).astype(np.float32)

        return mapped

    return encode_of


def main() -> None:
    given = options(__doc__).parse_args()
    known = pairs(given.among, given.work)
    everything = ("keywords", "sentence", "summary", "title")
    tried = {}
    for name, kinds in {"all kinds": everything, "summaries and keywords": ("keywords", "summary")}.items():
        chosen, apart = split(known, kinds)
        print(f"{name}: {len(chosen):,} pairs; of pairs kept apart, mean reciprocal rank of the own paper")
        print("  as it is", {k: round(v, 3) for k, v in found_first(known, apart, None).items()}, flush=True)
        best = None
        for rank, decay in CHOICES:
            matrix = learnt(known, chosen, rank, decay)
            found = found_first(known, apart, matrix)
            print(
                f"  rank {rank or 'full'}, decay {decay}",
                {k: round(v, 3) for k, v in found.items()},
                flush=True,
            )
            mean = float(np.mean([found[kind] for kind in kinds]))
            if best is None or mean > best[0]:
                best = mean, matrix, f"{name}, rank {rank or 'full'}, decay {decay}"
        assert best is not None
        tried[best[2]] = best[1]
        np.save(given.work / f"adapter-{name.replace(' ', '-')}.npy", best[1])
    base: Values = {}
    others: dict[str, Values] = {}
    for name in ALL:
        with kept(name, given.work, given.among) as judged:
            base[name] = ndcg_of(judged)
            for label, matrix in tried.items():
                for share in (0.5, 1.0):
                    shown = label if share == 1 else f"{label}, half of it"
                    others.setdefault(shown, {})[name] = ndcg_of(judged, adapter(matrix, share))
    print(report(base, others))


if __name__ == "__main__":
    main()
