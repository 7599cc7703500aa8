"""Joins what words and meaning say of the candidates into one score. Arithmetic only.

    score = (1 - weight) * trust * BM25 / best BM25 + weight * cosine / max(best cosine, full)

``trust`` is 1 where words can be relied on and falls where the query seems to be told in other words
than the papers use. Two signs say so together: even the best paper by words holds little of the
query, and the best papers by words are far from its meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .tuning import Tuning

# So many of the best papers by words are held against as many of the nearest in meaning.
_COMPARED = 10


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


def trust(words: NDArray[np.float32], meaning: NDArray[np.float32], perfect: float, tuning: Tuning) -> float:
    """How far words can be relied on for this query, 0 to 1.

    Args:
        words: BM25 of each candidate, 0 where no word matched.
        meaning: cosine of each, NaN where it has no vector.
        perfect: BM25 of a paper that would hold all words of the query often; 0 where that is not known.
    """
    best = float(np.nanmax(words, initial=0.0)) if len(words) else 0.0
    if best <= 0 or perfect <= 0:
        return 1.0
    covered = min(best / perfect / tuning.trusted_coverage, 1.0) ** tuning.coverage_power
    agreed = min(agreement(words, meaning) / tuning.trusted_agreement, 1.0) ** tuning.agreement_power
    return max(covered, agreed)


def fused(
    keys: NDArray[np.int64],
    words: NDArray[np.float32],
    meaning: NDArray[np.float32],
    weight: float,
    trusted: float = 1.0,
    tuning: Tuning | None = None,
) -> Fused:
    """The candidates ``keys`` by the weighted sum of their scaled scores.

    Args:
        keys: int64, shape (n,), each once.
        words: BM25 of each, shape (n,), NaN or 0 where no word matched.
        meaning: cosine of each, shape (n,), NaN where it has no vector.
        weight: share of meaning; 0 is words alone, 1 meaning alone.
        trusted: what words count, 0 to 1 (see `trust`).
    """
    tuning = tuning or Tuning()
    related = (np.nan_to_num(words) > 0) | (np.nan_to_num(meaning) >= tuning.least_cosine)
    keys, words, meaning = keys[related], words[related], meaning[related]
    words_part = (1 - weight) * trusted * scaled(words)
    meaning_part = weight * scaled(meaning, tuning.full_cosine)
    scores = (words_part + meaning_part).astype(np.float32)
    # Equal scores: by key, so that pages of results do not overlap.
    order = np.lexsort((keys, -scores))
    return Fused(keys, scores, words_part, meaning_part).taken(order)
