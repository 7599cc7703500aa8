"""Joins what words and meaning say of the candidates into one score. Arithmetic only.

    score = (1 - weight) * trust * BM25 / best BM25 + weight * cosine / max(best cosine, full)

``trust`` is 1 where words can be relied on and falls where the query seems to be told in other words
than the papers use. Two signs say so together: even the best paper by words holds little of the
query, and the best papers by words are far from its meaning. Two kinds of papers are trusted all the
same: those that stand out among all by words, by as much as they do, and those that hold a word which
hardly any others hold, for that is a name or a term of the art.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .tuning import Tuning

# So many of the best papers by words are held against as many of the nearest in meaning.
_COMPARED = 30


@dataclass(frozen=True, slots=True)
class Fused:
    """Candidates that have to do with the query, best first.

    ``keys`` (int64), ``scores`` (float32, 0 to 1) and the two parts of each score, all of one length.
    """

    keys: NDArray[np.int64]
    scores: NDArray[np.float32]
    words: NDArray[np.float32]
    meaning: NDArray[np.float32]

    def taken(self, places: NDArray[np.int64] | NDArray[np.bool_]) -> Fused:
        """The candidates at ``places``, in that order."""
        return Fused(self.keys[places], self.scores[places], self.words[places], self.meaning[places])

    def without(self, keys: Sequence[int]) -> Fused:
        """The same candidates but ``keys``."""
        return self.taken(~np.isin(self.keys, keys)) if keys else self


def scaled(scores: NDArray[np.float32], full: float = 0.0) -> NDArray[np.float32]:
    """``scores`` on the scale from nothing in common (0) to the best of this query, or ``full`` (1).

    The lower end is fixed at 0, for BM25 and cosine alike, and not the lowest candidate's: so a score
    does not hang on how many candidates are looked at. It measured better too.
    """
    best = max(float(np.nanmax(scores, initial=0.0)) if len(scores) else 0.0, full)
    if best <= 0:
        return np.zeros(len(scores), np.float32)
    return np.nan_to_num(np.clip(scores / best, 0, 1), nan=0.0).astype(np.float32)


def agreement(words: NDArray[np.float32], meaning: NDArray[np.float32]) -> float:
    """How near in meaning the best papers by words are: 1 as near as the nearest, 0 far from them.

    Args:
        words: BM25 of each candidate; meaning: its cosine, NaN where it has no vector.
    """
    known = ~np.isnan(meaning)
    words, meaning = words[known], meaning[known]
    if not len(meaning):
        return 1.0
    count = min(_COMPARED, len(meaning))
    nearest = np.sort(meaning)[-count:].mean()
    best = meaning[np.argsort(-words, kind="stable")[:count]].mean()
    return float(np.clip(best / nearest, 0, 1)) if nearest > 0 else 1.0


def trust(
    words: NDArray[np.float32],
    meaning: NDArray[np.float32],
    rare: NDArray[np.bool_],
    perfect: float,
    papers: int,
    tuning: Tuning,
) -> NDArray[np.float32]:
    """How far the words of each candidate can be relied on for this query, 0 to 1.

    Args:
        words: BM25 of each candidate, 0 where no word matched.
        meaning: cosine of each, NaN where it has no vector.
        rare: whether it holds a word of the query that hardly any other paper holds.
        perfect: BM25 of a paper that would hold all words of the query often; 0 where that is not known.
        papers: how many papers were searched.
    """
    best = float(np.max(words, initial=0.0))
    if best <= 0 or perfect <= 0:
        return np.ones(len(words), np.float32)
    trusted = _trust_in_query(best / perfect, agreement(words, meaning), papers, tuning)
    place = tuning.standing_out
    # Where hardly any paper has a word of the query, those that have one stand out wholly.
    usual = np.sort(words)[-place] if 0 < place <= len(words) else 0.0
    beyond = np.maximum(words - usual, 0) / np.maximum(words, 1e-9)
    return np.where(rare, 1.0, trusted + (1 - trusted) * beyond).astype(np.float32)


def _trust_in_query(coverage: float, agreed: float, papers: int, tuning: Tuning) -> float:
    """How far the words of a query can be relied on, 0 to 1.

    Args:
        coverage: the best BM25, of what a perfect paper would have. Of more papers one has more by chance:
            the highest of n scores without meaning grows as the logarithm of n.
        agreed: see `agreement`.
        papers: how many were searched.
    """
    covered = coverage / math.log(max(papers, 3)) / tuning.usual_coverage
    odds = (agreed / tuning.usual_agreement) ** tuning.agreement_power * covered**tuning.coverage_power
    # Whoever types a name or three words means the papers that hold them, however far the encoder sees them.
    full = min(coverage / tuning.full_coverage, 1.0) ** tuning.full_coverage_power
    return max(full, odds / (1 + odds))


def fused(
    keys: NDArray[np.int64],
    words: NDArray[np.float32],
    meaning: NDArray[np.float32],
    weight: float,
    trusted: float | NDArray[np.float32] = 1.0,
    tuning: Tuning | None = None,
) -> Fused:
    """The candidates ``keys`` by the weighted sum of their scaled scores.

    Args:
        keys: int64, shape (n,), each once.
        words: BM25 of each, shape (n,), NaN or 0 where no word matched.
        meaning: cosine of each, shape (n,), NaN where it has no vector.
        weight: share of meaning; 0 is words alone, 1 meaning alone.
        trusted: what the words of each count, or of all, 0 to 1 (see `trust`).
    """
    tuning = tuning or Tuning()
    related = (np.nan_to_num(words) > 0) | (np.nan_to_num(meaning) >= tuning.least_cosine)
    keys, words, meaning = keys[related], words[related], meaning[related]
    if isinstance(trusted, np.ndarray):
        trusted = trusted[related]
    words_part = (1 - weight) * trusted * scaled(words)
    meaning_part = weight * scaled(meaning, tuning.full_cosine)
    scores = (words_part + meaning_part).astype(np.float32)
    # Equal scores: by key, so that pages of results do not overlap.
    order = np.lexsort((keys, -scores))
    return Fused(keys, scores, words_part, meaning_part).taken(order)
