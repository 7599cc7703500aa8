"""Joins what words and meaning say of the candidates into one score. Arithmetic only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The share of meaning in a score. From 0.5 to 0.6 the development sets hardly differ; see docs/search.md.
MEANING_WEIGHT = 0.55
# A nearest paper below this cosine is no full hit: a name or a made-up word is near to nothing, and
# what it is least far from must not outrank the papers that hold it.
FULL_COSINE = 0.5
# What shares no word with the query and is this far from its meaning has nothing to do with it.
LEAST_COSINE = 0.2


@dataclass(frozen=True, slots=True)
class Fused:
    """Candidates that have to do with the query, best first.

    ``keys`` (int64), ``scores`` (float32, 0 to 1) and the two parts of each score, all of one length.
    """

    keys: NDArray[np.int64]
    scores: NDArray[np.float32]
    words: NDArray[np.float32]
    meaning: NDArray[np.float32]

    def without(self, keys: Sequence[int]) -> Fused:
        """The same candidates but ``keys``."""
        if not keys:
            return self
        keep = ~np.isin(self.keys, keys)
        return Fused(self.keys[keep], self.scores[keep], self.words[keep], self.meaning[keep])


def scaled(scores: NDArray[np.float32], full: float = 0.0) -> NDArray[np.float32]:
    """``scores`` on the scale from nothing in common (0) to the best of this query, or ``full`` (1).

    The lower end is fixed at 0, for BM25 and cosine alike, and not the lowest candidate's: so a score
    does not hang on how many candidates are looked at. It measured better too.
    """
    best = max(float(np.nanmax(scores, initial=0.0)) if len(scores) else 0.0, full)
    if best <= 0:
        return np.zeros(len(scores), np.float32)
    return np.nan_to_num(np.clip(scores / best, 0, 1), nan=0.0).astype(np.float32)


def fused(
    keys: NDArray[np.int64],
    words: NDArray[np.float32],
    meaning: NDArray[np.float32],
    weight: float = MEANING_WEIGHT,
) -> Fused:
    """The candidates ``keys`` by the weighted sum of their scaled scores.

    Args:
        keys: int64, shape (n,), each once.
        words: BM25 of each, shape (n,), NaN or 0 where no word matched.
        meaning: cosine of each, shape (n,), NaN where it has no vector.
        weight: share of meaning; 0 is words alone, 1 meaning alone.
    """
    related = (np.nan_to_num(words) > 0) | (np.nan_to_num(meaning) >= LEAST_COSINE)
    keys, words, meaning = keys[related], words[related], meaning[related]
    words_part = (1 - weight) * scaled(words)
    meaning_part = weight * scaled(meaning, FULL_COSINE)
    scores = words_part + meaning_part
    # Equal scores: by key, so that pages of results do not overlap.
    order = np.lexsort((keys, -scores))
    return Fused(keys[order], scores[order], words_part[order], meaning_part[order])
