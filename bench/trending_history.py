"""Trending tried on the history of Daily Papers: which constants show a reader the best of day and week.

    python -m bench.trending_history [--data ../shared/data/daily_papers.jsonl.gz] [--json]

The history has one count a paper, from the day of its listing: how votes grow after it cannot be learned from
it. What can be asked is what readers would have seen, had the list stood on every day of these two years:

- day: of the three most upvoted papers of each day, how many stand among the first ten on that day;
- week: of the ten most upvoted of the last seven days, how many stand there for who comes once a week, on any
  weekday;
- new: how many of the first ten a reader who came on the listing day before has not seen there.

A list that never fades has week and new near 0, one that fades at once shows a weekly reader little. The
harmonic mean of the three is what the constants are chosen by. How much a comment counts is asked of another
witness: with which weight votes and comments of a day order papers most like the stars of their repositories
do (Spearman), with the first comment of each paper and without it. Quantiles of votes and of the square root
of stars tell by how much one is larger than the other.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from broadsheet.ranking import trending

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "daily_papers.jsonl.gz"
SHOWN, BEST_OF_DAY, BEST_OF_WEEK = 10, 3, 10
GRAVITIES = (0.0, 0.5, 0.8, 1.0, 1.2, 1.5, 1.8, 2.5, 4.0)
HEAD_STARTS = (0.5, 1.0, 2.0, 3.0, 5.0)
COMMENT_WEIGHTS = (0.0, 1.0, 2.0, 3.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class History:
    """What was listed: day (proleptic ordinal), votes, comments and stars (-1: not known) of each listing."""

    day: NDArray[np.int64]
    votes: NDArray[np.float64]
    comments: NDArray[np.float64]
    stars: NDArray[np.float64]


def read(path: Path) -> History:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = sorted(map(json.loads, lines), key=lambda row: row["day"])
    return History(
        np.array([date.fromisoformat(row["day"]).toordinal() for row in rows]),
        np.array([row.get("upvotes") or 0 for row in rows], float),
        np.array([row.get("num_comments") or 0 for row in rows], float),
        np.array([-1 if row.get("github_stars") is None else row["github_stars"] for row in rows], float),
    )


def lists(history: History, weight: float, gravity: float, head_start: float) -> dict[int, NDArray[np.int64]]:
    """The first papers of the trending list of every listing day, by ordinal."""
    points = history.votes + weight * np.maximum(history.comments - trending.OWN_COMMENTS, 0)
    found = {}
    for day in np.unique(history.day):
        start, end = np.searchsorted(history.day, [day - trending.WINDOW_DAYS, day + 1])
        score = points[start:end] / (day - history.day[start:end] + head_start) ** gravity
        found[int(day)] = start + np.argsort(-score, kind="stable")[:SHOWN]
    return found


def best(history: History, first: int, last: int, number: int) -> NDArray[np.int64]:
    """The most upvoted papers listed from day ``first`` to day ``last``."""
    start, end = np.searchsorted(history.day, [first, last + 1])
    return start + np.argsort(-history.votes[start:end], kind="stable")[:number]


def seen(history: History, weight: float, gravity: float, head_start: float) -> dict[str, float]:
    """What readers of these lists would have seen: shares of day, week and new, and their harmonic mean."""
    shown, shares, before = lists(history, weight, gravity, head_start), defaultdict(list), None
    age = []
    for day, first in shown.items():
        shares["day"].append(np.isin(best(history, day, day, BEST_OF_DAY), first).mean())
        shares["week"].append(np.isin(best(history, day - 6, day, BEST_OF_WEEK), first).mean())
        if before is not None:
            shares["new"].append(1 - np.isin(first, before).mean())
        before = first
        age.append((day - history.day[first]).mean())
    told = {name: float(np.mean(values)) for name, values in shares.items()}
    told["mean"] = len(told) / sum(1 / max(value, 1e-9) for value in told.values())
    told["days_old"] = float(np.mean(age))
    return told


def agreement(history: History, weight: float, own: int) -> float:
    """Mean rank correlation of votes and weighed comments with stars, over the days with enough of them.

    The first ``own`` comments of each paper do not count.
    """
    found = []
    for day in np.unique(history.day):
        there = (history.day == day) & (history.stars >= 0)
        if there.sum() >= 8:
            points = history.votes[there] + weight * np.maximum(history.comments[there] - own, 0)
            if points.std() and history.stars[there].std():
                found.append(np.corrcoef(_ranks(points), _ranks(history.stars[there]))[0, 1])
    return float(np.mean(found))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 0, equal values sharing theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((ends - counts + ends - 1) / 2)[place]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    history = read(given.data)
    grid = [
        {"gravity": gravity, "head_start": head, **seen(history, trending.COMMENT_WEIGHT, gravity, head)}
        for gravity, head in itertools.product(GRAVITIES, HEAD_STARTS)
    ]
    comments = {weight: [agreement(history, weight, own) for own in (0, 1)] for weight in COMMENT_WEIGHTS}
    starred = history.stars > 0
    quantiles = {
        share: [
            float(np.quantile(values, share))
            for values in (history.votes[starred], history.stars[starred] ** 0.5)
        ]
        for share in (0.5, 0.75, 0.9, 0.95)
    }
    if given.json:
        print(
            json.dumps(
                {
                    "listings": len(history.day),
                    "constants": grid,
                    "comments": comments,
                    "quantiles": quantiles,
                },
                indent=2,
            )
        )
        return
    print(f"{len(history.day):,} listings on {len(np.unique(history.day)):,} days\n")
    print(
        "| gravity | head start | day | week | new | mean | mean age, days |\n|---|---|---|---|---|---|---|"
    )
    for row in sorted(grid, key=lambda row: -row["mean"]):
        cells = [f"{row['gravity']:g}", f"{row['head_start']:g}"]
        cells += [f"{row[name]:.3f}" for name in ("day", "week", "new", "mean")] + [f"{row['days_old']:.1f}"]
        print(f"| {' | '.join(cells)} |")
    print("\n| a comment counts as votes | agreement with stars, all | without the first |\n|---|---|---|")
    for weight, (all_of_them, others) in comments.items():
        print(f"| {weight:g} | {all_of_them:.3f} | {others:.3f} |")
    print("\n| share of papers with stars | votes at most | root of stars at most |\n|---|---|---|")
    for share, (votes, roots) in quantiles.items():
        print(f"| {share:g} | {votes:.0f} | {roots:.1f} |")


if __name__ == "__main__":
    main()
