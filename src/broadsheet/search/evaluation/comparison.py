"""Statistics of paired differences: is one setting better than another, and by how much? Arithmetic only.

Both settings answer the same queries, so the difference is taken query by query: what makes a query
easy or hard for both drops out. The interval is a paired bootstrap, the p-value a paired
randomization test (Smucker, Allan, Carterette, "A comparison of statistical significance tests for
information retrieval evaluation", CIKM 2007); both are seeded and say the same on every run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
CONFIDENCE = 0.95
_SEED = 1
# With so few queries that differ all patterns of signs are counted instead of drawn.
_COUNTED = 13
# Resamples that are held in memory at once.
_AT_ONCE = 500
# Differences below this are rounding.
_TIE = 1e-9

Values = Sequence[float] | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Paired:
    """One measure of two settings on the same queries.

    ``setting`` and ``against`` are the means, ``difference`` is the first less the second with its
    interval from ``low`` to ``high`` (95 %). ``p`` is the probability of a difference at least so
    large, either way, if it were chance which setting has which value of a query. ``wins`` counts
    the queries on which ``setting`` is better, ``losses`` those on which it is worse.
    """

    setting: float
    against: float
    difference: float
    low: float
    high: float
    p: float
    wins: int
    ties: int
    losses: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Change:
    """One query and what both settings have on it."""

    query: str
    setting: float
    against: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def paired(sets: Sequence[tuple[Values, Values]]) -> Paired:
    """Compares the values of two settings, query by query, over one set of queries or several.

    Of several sets each counts the same, however many queries it has: the means are means of the
    sets' means, and queries are drawn anew within each set.

    Args:
        sets: of each set the values of the setting and of the one it is held against, both of shape
            (queries,) and in the same order of queries; no set is empty.
    """
    firsts = [np.asarray(first, np.float64) for first, _ in sets]
    seconds = [np.asarray(second, np.float64) for _, second in sets]
    differences = [first - second for first, second in zip(firsts, seconds, strict=True)]
    low, high = _interval(differences)
    every = np.concatenate(differences)
    wins, losses = int((every > _TIE).sum()), int((every < -_TIE).sum())
    return Paired(
        _mean(firsts), _mean(seconds), _mean(differences), low, high, _p_value(differences),
        wins, len(every) - wins - losses, losses,
    )  # fmt: skip


def _mean(sets: Sequence[NDArray[np.float64]]) -> float:
    return float(np.mean([values.mean() for values in sets]))


def _interval(differences: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """The bounds between which `CONFIDENCE` of the means of resampled queries lie."""
    random = np.random.default_rng(_SEED)
    means = np.zeros(RESAMPLES)
    for values in differences:
        size = len(values)
        for start in range(0, RESAMPLES, _AT_ONCE):
            # How often each query is drawn when as many are drawn as there are.
            drawn = random.multinomial(size, np.full(size, 1 / size), _AT_ONCE)
            means[start : start + _AT_ONCE] += drawn @ values / (size * len(differences))
    outside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, (outside, 1 - outside))
    return float(low), float(high)


def _p_value(differences: Sequence[NDArray[np.float64]]) -> float:
    """The share of ways to exchange the settings' values of queries that differ as much or more."""
    parts = [values / (len(values) * len(differences)) for values in differences]
    shares = np.concatenate(parts)
    shares = shares[np.abs(np.concatenate(differences)) > _TIE]
    observed = abs(float(shares.sum())) * (1 - 1e-12) - 1e-15
    if len(shares) <= _COUNTED:
        patterns = np.arange(2 ** len(shares))[:, None] >> np.arange(len(shares)) & 1
        return float((np.abs((1 - 2 * patterns) @ shares) >= observed).mean())
    random = np.random.default_rng(_SEED)
    extreme = 0
    for _ in range(0, RESAMPLES, _AT_ONCE):
        signs = 1 - 2 * random.integers(0, 2, (_AT_ONCE, len(shares)), dtype=np.int8)
        extreme += int((np.abs(signs @ shares) >= observed).sum())
    # What was observed is one of the ways.
    return (extreme + 1) / (RESAMPLES + 1)


def largest_changes(
    setting: Mapping[str, float], against: Mapping[str, float], limit: int = 5
) -> tuple[list[Change], list[Change]]:
    """The queries with the largest gains and those with the largest losses, at most ``limit`` of each."""
    changes = [Change(query, value, against[query]) for query, value in setting.items()]
    changes.sort(key=lambda change: (change.against - change.setting, change.query))
    gains = [change for change in changes[:limit] if change.setting - change.against > _TIE]
    losses = [change for change in changes[::-1][:limit] if change.against - change.setting > _TIE]
    return gains, losses
