"""Measures of rankings, of each query and their means: nDCG, recall, reciprocal rank, success."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial

RECALL_AT = (5, 10, 20, 100)
SUCCESS_AT = (1, 5, 10)

# query -> document -> gain, above 0
Judgements = dict[str, dict[str, float]]
# query -> documents, best first
Rankings = Mapping[str, Sequence[str]]


def ndcg(ranked: Sequence[str], gains: Mapping[str, float], depth: int = 10) -> float:
    """Normalised discounted cumulative gain of the first ``depth`` of ``ranked``, 0 to 1."""
    found = sum(
        gains.get(document, 0.0) / math.log2(place + 2) for place, document in enumerate(ranked[:depth])
    )
    best = sorted(gains.values(), reverse=True)[:depth]
    return found / sum(gain / math.log2(place + 2) for place, gain in enumerate(best))


def recall(ranked: Sequence[str], gains: Mapping[str, float], depth: int) -> float:
    """Share of the relevant documents among the first ``depth`` of ``ranked``."""
    return len(set(ranked[:depth]) & set(gains)) / len(gains)


def reciprocal_rank(ranked: Sequence[str], gains: Mapping[str, float], depth: int = 10) -> float:
    """One over the place of the first relevant document, 0 where none stands among the first ``depth``."""
    return next((1 / place for place, document in enumerate(ranked[:depth], 1) if document in gains), 0.0)


def success(ranked: Sequence[str], gains: Mapping[str, float], depth: int) -> float:
    """1 where a relevant document stands among the first ``depth``, else 0."""
    return float(any(document in gains for document in ranked[:depth]))


MEASURES: dict[str, Callable[[Sequence[str], Mapping[str, float]], float]] = {
    "ndcg@10": ndcg,
    **{f"recall@{depth}": partial(recall, depth=depth) for depth in RECALL_AT},
    "mrr@10": reciprocal_rank,
    **{f"success@{depth}": partial(success, depth=depth) for depth in SUCCESS_AT},
}


def by_query(rankings: Rankings, judgements: Judgements) -> dict[str, dict[str, float]]:
    """Measure -> query -> value, for all judged queries; one without a ranking found nothing."""
    return {
        name: {query: measure(rankings.get(query, ()), gains) for query, gains in judgements.items()}
        for name, measure in MEASURES.items()
    }


def means(values: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The mean of each measure over its queries."""
    return {name: statistics.fmean(of.values()) for name, of in values.items()}


def quality(rankings: Rankings, judgements: Judgements) -> dict[str, float]:
    """The mean of each measure over all judged queries."""
    return means(by_query(rankings, judgements))
