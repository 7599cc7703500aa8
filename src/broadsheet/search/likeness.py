"""Papers like some others, from their stored vectors, chosen so that they do not repeat each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .vectors import Vectors

# So many of the nearest are chosen from, for each one that is wanted.
_POOL = 8
# What being like the papers asked for counts against being like one chosen already (Carbonell and
# Goldstein 1998, maximal marginal relevance).
_RELEVANCE = 0.75
# What is as near as this to one chosen already comes last: another version of it.
_SAME = 0.95


def nearest_to(vectors: Vectors, keys: NDArray[np.int64], limit: int) -> list[tuple[int, float]] | None:
    """Papers near to all of ``keys`` together, themselves left out, with their cosines; best first.

    None where none of ``keys`` has a vector.

    Args:
        keys: int64, ascending, each once.
    """
    _, theirs = vectors.vectors_of(keys)
    if not len(theirs) or limit <= 0:
        return [] if len(theirs) else None
    middle = theirs.mean(axis=0)
    middle /= max(float(np.linalg.norm(middle)), 1e-9)
    near, cosines = vectors.nearest(middle, _POOL * limit + len(keys))
    other = ~np.isin(near, keys) & (cosines > 0)
    near, cosines = near[other], cosines[other]
    _, pool = vectors.vectors_of(near)
    chosen = _diverse(cosines[: len(pool)], pool, limit)
    return [(int(near[place]), min(float(cosines[place]), 1.0)) for place in chosen]


def _diverse(cosines: NDArray[np.float32], pool: NDArray[np.float32], limit: int) -> list[int]:
    """The places of ``limit`` rows of ``pool``: each near to what was asked for and unlike those before."""
    chosen: list[int] = []
    repeated = np.zeros(len(pool), np.float32)
    open_ = np.ones(len(pool), bool)
    while len(chosen) < min(limit, len(pool)):
        worth = _RELEVANCE * cosines - (1 - _RELEVANCE) * repeated - (repeated >= _SAME)
        worth[~open_] = -np.inf
        best = int(np.argmax(worth))
        chosen.append(best)
        open_[best] = False
        repeated = np.maximum(repeated, pool @ pool[best])
    return chosen
