"""Measures the meaning side alone: every vector, signs first, lists, and usearch's HNSW, side by side.

    .venv/bin/python -m bench.vector_speed HOME [--rows N ...] [--queries N] [--hnsw N]

The vectors are those of HOME's index. For more rows than it has, copies are added that are moved
towards other papers, so that a copy has a cosine of 0.8 to 0.95 with its original: good for speed and size,
and for recall only as a hint. The queries are titles and sentences of abstracts of HOME, encoded. Recall
is counted against comparing every int8 vector. Each way is measured in a process of its own; times are
CPU times of one thread, so that they hold on a machine that others use too.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.common import need, save
from bench.growth import memory_mb
from bench.questions import sample
from broadsheet.search import vectors as searched
from broadsheet.search.encoder import Encoder, installed_folder
from broadsheet.search.vectors import Vectors
from broadsheet.store import Store

NEAREST = 20
# So many papers a search asks for, and so many clients ask at once.
CANDIDATES = 300
AT_A_TIME = 8
_CHUNK = 20_000
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def encoded_queries(home: Path, count: int) -> NDArray[np.float32]:
    """The vectors of ``count`` queries: by turns a title and a sentence of another paper's abstract."""
    store = Store.open(f"sqlite:///{need(home / 'broadsheet.db')}")
    papers = sample(store, 2 * count)[:count]
    store.close()
    chance = random.Random(3)
    texts = [
        chance.choice(_SENTENCE.split(paper.abstract)) if number % 2 else paper.title
        for number, paper in enumerate(papers)
    ]
    encoder = Encoder(installed_folder(), 1)
    found = np.array([encoder.encode_query(text) for text in texts], np.float32)
    encoder.close()
    return found


def encoded_papers(home: Path, dims: int) -> NDArray[np.float32]:
    """The vectors of the papers of ``home``: where there are those of several encoders, the most."""
    folders = sorted((home / "index").glob("vectors-*"), key=lambda f: need(f / "vectors.i8").stat().st_size)
    vectors = Vectors(need(folders[-1] if folders else home / "index" / "vectors-*"), dims)
    return vectors.vectors_of(np.sort(vectors.all_keys()))[1]


def chunks(real: NDArray[np.float32], rows: int) -> Iterator[NDArray[np.float32]]:
    """``rows`` vectors: the ``real`` ones, then copies of them that are moved towards other papers."""
    for start in range(0, min(len(real), rows), _CHUNK):
        yield real[start : min(start + _CHUNK, rows)]
    chance = np.random.default_rng(1)
    for start in range(len(real), rows, _CHUNK):
        count = min(_CHUNK, rows - start)
        of, one, other = (real[chance.integers(0, len(real), count)] for _ in range(3))
        away = one - other
        away -= (away * of).sum(axis=1, keepdims=True) * of
        away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
        cosine = chance.uniform(0.8, 0.95, (count, 1)).astype(np.float32)
        yield cosine * of + np.sqrt(1 - cosine**2) * away


def build(folder: Path, real: NDArray[np.float32], rows: int) -> float:
    """Writes ``rows`` vectors to ``folder``; the seconds of CPU that writing took."""
    vectors, done, seconds = Vectors(folder, real.shape[1]), 0, 0.0
    for chunk in chunks(real, rows):
        keys = range(done + 1, done + len(chunk) + 1)
        start = time.process_time()
        vectors.append(keys, [1] * len(chunk), chunk, done)
        seconds += time.process_time() - start
        done += len(chunk)
    return seconds


def times(ask: Callable[[NDArray[np.float32]], Any], queries: NDArray[np.float32]) -> dict[str, float]:
    """Milliseconds of CPU a query, and queries a second with `AT_A_TIME` clients."""
    for query in queries[:5]:
        ask(query)
    taken = []
    for query in queries:
        start = time.process_time()
        ask(query)
        taken.append(1000 * (time.process_time() - start))
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        start = time.process_time()
        list(threads.map(ask, queries))
        together = 1000 * (time.process_time() - start) / len(queries)
    return {
        "CPU ms p50": statistics.median(taken),
        "CPU ms p95": statistics.quantiles(taken, n=20)[-1],
        f"CPU ms mean, {AT_A_TIME} at a time": together,
    }


def make_lists(folder: Path, dims: int) -> float:
    """Makes the lists of the vectors in ``folder``; the seconds of CPU that it took."""
    start = time.process_time()
    Vectors(folder, dims, listed_rows=0).make_lists()
    return time.process_time() - start


def ours(folder: Path, queries: NDArray[np.float32], way: str) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """Figures and keys found of broadsheet's own search; ``way``: ``exact``, ``signs`` or ``lists``."""
    before = memory_mb()["resident memory MB"]
    start, wall = time.process_time(), time.perf_counter()
    exact_rows = 2**40 if way == "exact" else 0
    vectors = Vectors(folder, queries.shape[1], exact_rows=exact_rows, listed_rows=exact_rows)
    figures: dict[str, Any] = {
        "open CPU s": time.process_time() - start,
        "open s": time.perf_counter() - wall,
    }
    found = np.array([vectors.nearest(query, NEAREST)[0] for query in queries])
    # Every vector is looked at: so much memory it takes once it is warm.
    for segment in vectors._view.segments:
        segment.max()
    figures["memory bytes a paper"] = (memory_mb()["resident memory MB"] - before) * 2**20 / vectors.count
    figures["disk bytes a paper"] = vectors.bytes() / vectors.count
    # A thread of its own for each query, as when several come at once: CPU time is what counts here.
    searched._ROWS_FOR_TWO = 2**40
    figures |= times(lambda query: vectors.nearest(query, CANDIDATES), queries)
    if way == "lists":
        thousand = vectors.vectors_of(np.arange(1, 1_001))[1]
        keys = range(vectors.count + 1, vectors.count + 1_001)
        start = time.process_time()
        vectors.append(keys, [1] * 1_000, thousand, 1)
        vectors.nearest(queries[0], NEAREST)
        figures["adding 1,000 papers and searching, CPU s"] = time.process_time() - start
    return figures, found


def hnsw(folder: Path, queries: NDArray[np.float32]) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """Figures and keys found of usearch's graph of int8 vectors, built with its own settings."""
    from usearch.index import Index

    matrix = np.memmap(folder / "vectors.i8", np.int8, "r").reshape(-1, queries.shape[1])
    index = Index(ndim=queries.shape[1], metric="cos", dtype="i8")
    start = time.process_time()
    for first in range(0, len(matrix), _CHUNK):
        part = np.ascontiguousarray(matrix[first : first + _CHUNK])
        index.add(np.arange(first + 1, first + len(part) + 1), part, threads=1)
    figures: dict[str, Any] = {
        "build CPU s": time.process_time() - start,
        "memory bytes a paper": index.memory_usage / len(matrix),
    }
    # So many candidates at a time that it finds as many as are asked for in a search.
    index.expansion_search = CANDIDATES

    def nearest(query: NDArray[np.float32], limit: int) -> NDArray[np.int64]:
        code = np.clip(np.rint(query * (127 / 0.3)), -127, 127).astype(np.int8)
        return index.search(code, limit, threads=1).keys.astype(np.int64)

    found = np.array([nearest(query, NEAREST) for query in queries])
    return figures | times(lambda query: nearest(query, CANDIDATES), queries), found


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """``function`` of ``arguments`` in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as process:
        return process.apply(function, arguments)


def recall(found: NDArray[np.int64], expected: NDArray[np.int64]) -> float:
    return float(np.mean([len(np.intersect1d(a, b)) / len(b) for a, b in zip(found, expected, strict=True)]))


def measure(
    folder: Path, real: NDArray[np.float32], rows: int, queries: NDArray[np.float32], most_hnsw: int
) -> dict[str, dict[str, Any]]:
    """The figures of each way at ``rows`` rows."""
    seconds = build(folder, real, rows)
    exact, expected = apart(ours, folder, queries, "exact")
    signs, by_signs = apart(ours, folder, queries, "signs")
    making = apart(make_lists, folder, queries.shape[1])
    lists, by_lists = apart(ours, folder, queries, "lists")
    ways = {
        "every vector": {"recall@20": 1.0, "build CPU s": seconds, **exact},
        "signs first": {"recall@20": recall(by_signs, expected), "build CPU s": seconds, **signs},
        "lists": {"recall@20": recall(by_lists, expected), "build CPU s": seconds + making, **lists},
    }
    if rows <= most_hnsw:
        graph, by_graph = apart(hnsw, folder, queries)
        ways["usearch HNSW"] = {"recall@20": recall(by_graph, expected), **graph}
    return ways


def show(rows: int, ways: dict[str, dict[str, Any]]) -> None:
    names = list(dict.fromkeys(name for figures in ways.values() for name in figures))
    print(f"\n| {rows:,} papers | " + " | ".join(ways) + " |\n|" + "---|" * (len(ways) + 1))
    for name in names:
        values = [figures.get(name) for figures in ways.values()]
        shown = ["" if value is None else f"{value:,.4g}" for value in values]
        print(f"| {name} | " + " | ".join(shown) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("home", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[128_000, 1_000_000])
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--hnsw", type=int, default=128_000, help="the most rows that HNSW is built for")
    options = parser.parse_args()
    queries = encoded_queries(options.home, options.queries)
    real = encoded_papers(options.home, queries.shape[1])
    figures: dict[str, Any] = {"real vectors": len(real), "queries": len(queries)}
    for rows in options.rows:
        home = Path(tempfile.mkdtemp(prefix="vector_speed-", dir=options.home))
        try:
            ways = measure(home / "vectors", real, rows, queries, options.hnsw)
        finally:
            shutil.rmtree(home)
        show(rows, ways)
        figures |= {
            f"{rows:,} papers, {way}, {name}": value
            for way, found in ways.items()
            for name, value in found.items()
        }
    print()
    save("vector_speed", figures)


if __name__ == "__main__":
    main()
