"""Queries taken from the papers of a home, and how long answers to them take."""

from __future__ import annotations

import random
import re
import statistics
import time
from collections.abc import Callable, Sequence

from broadsheet.model.papers import Paper
from broadsheet.store import Store

# Shorter abstracts have no middle to take a question from.
_LEAST_CHARACTERS = 600
_FIRST_WORD = 25
_WARM_UP = 5


def sample(store: Store, number: int) -> list[Paper]:
    """Papers with a long abstract, of ``number`` that are spread over ``store``."""
    keys = range(1, store.counts()["papers"] + 1)
    papers = store.papers(random.Random(11).sample(keys, min(len(keys), number)))
    return [paper for paper in papers if len(paper.abstract) > _LEAST_CHARACTERS]


def runs_of_words(papers: Sequence[Paper], length: int) -> list[str]:
    """Of each of ``papers`` so many words from the middle of its abstract."""
    found = []
    for paper in papers:
        words = re.findall(r"[A-Za-z][A-Za-z-]+", paper.abstract)
        found.append(" ".join(words[_FIRST_WORD : _FIRST_WORD + length]))
    return found


def latencies(name: str, ask: Callable[[str], object], queries: Sequence[str]) -> dict[str, float]:
    """Median and 95th percentile of ``ask`` in milliseconds, after a few questions to warm up."""
    for query in queries[:_WARM_UP]:
        ask(query)
    taken = []
    for query in queries:
        start = time.perf_counter()
        ask(query)
        taken.append(1000 * (time.perf_counter() - start))
    return {
        f"{name} p50 ms": statistics.median(taken),
        f"{name} p95 ms": statistics.quantiles(taken, n=20)[-1],
    }
