"""Measures what search costs as the corpus grows: 10,000, 100,000, 1,000,000 papers.

    .venv/bin/python -m bench.growth --folder DIR [--from HOME] [--sizes N ...]
    .venv/bin/python -m bench.growth --folder DIR [--from HOME] --home-only N

Under DIR a home of each size is built and kept for the next time (a million papers take some ten
minutes and 6 GB). HOME, by default the one that bench.import_speed leaves, gives the vectors of the
real papers; beyond the real papers come copies with words and vectors changed (bench/growing.py),
good for speed and size and for nothing else. --home-only builds DIR/papers-N, for
`bench.http_speed --home DIR/papers-N`, and measures nothing.

Every size is measured in a process of its own. Keyword queries are 4 words, questions 20, taken from
abstracts of the home. Writes bench/out/growth.json and docs/images/growth.svg (of other sizes than
the usual ones: bench/out/growth.svg).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.charts import Panel, write_charts
from bench.common import OUT, ROOT, machine
from bench.growing import build, copied, copies, keys_of, meaning_of
from bench.questions import latencies, runs_of_words, sample
from broadsheet.search import Engine
from broadsheet.search.evaluation.report import table
from broadsheet.search.vectors import Vectors
from broadsheet.store import Store

SIZES = (10_000, 100_000, 1_000_000)
PICTURE = ROOT / "docs" / "images" / "growth.svg"
ADDED = 1_000
# Copies that are added have numbers that no home holds.
_FIRST_ADDED = 20_000_000
_RECALL_AT = 20
# Between questions of the reader who searches while papers are added.
_PAUSE = 0.1


def memory_mb() -> dict[str, float]:
    """What this process holds now, in MB; mapped files are memory that the system may take back."""
    status = Path("/proc/self/status").read_text()
    names = {"resident memory MB": "VmRSS", "of it mapped files MB": "RssFile"}
    return {
        name: int(re.search(rf"{field}:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]
        for name, field in names.items()
    }


def recall(home: Path, vectors: Vectors, asked: Sequence[NDArray[np.float32]]) -> float:
    """The share of the exact nearest 20 papers that ``vectors`` find, over the vectors ``asked``."""
    keys = np.fromfile(home / "exact.i64", np.int64)
    exact = np.memmap(home / "exact.f16", np.float16, "r").reshape(len(keys), -1)
    queries = np.array(asked, np.float32)
    cosines = np.concatenate(
        [
            queries @ exact[start : start + 50_000].astype(np.float32).T
            for start in range(0, len(keys), 50_000)
        ],
        axis=1,
    )
    shares = []
    for query, row in zip(queries, cosines, strict=True):
        best = keys[np.argpartition(-row, _RECALL_AT - 1)[:_RECALL_AT]]
        shares.append(len(np.intersect1d(best, vectors.nearest(query, _RECALL_AT)[0])) / len(best))
    return statistics.fmean(shares)


def adding(home: Path, questions: Sequence[str]) -> dict[str, float]:
    """Seconds from giving 1,000 papers to a copy of ``home``, and how long searches took meanwhile."""
    copy = copied(home, home.with_name(home.name + "-adding"))
    store = Store.open(f"sqlite:///{copy / 'broadsheet.db'}")
    engine = Engine.open(copy, store)
    engine.search(questions[0])
    records = list(copies(store, keys_of(store)[:ADDED], _FIRST_ADDED, ADDED))
    done = threading.Event()
    waited: list[float] = []

    def ask() -> None:
        while not done.is_set():
            began = time.perf_counter()
            engine.search(questions[len(waited) % len(questions)])
            waited.append(1000 * (time.perf_counter() - began))
            time.sleep(_PAUSE)

    asking = threading.Thread(target=ask)
    asking.start()
    figures = {}
    stages: dict[str, Callable[[], object]] = {
        "1,000 papers added: stored after s": lambda: store.add(records),
        "found by words after s": lambda: engine.follow(store, encode=False),
        "found by meaning after s": lambda: engine.follow(store),
    }
    try:
        began = time.perf_counter()
        for name, stage in stages.items():
            stage()
            figures[name] = time.perf_counter() - began
    finally:
        done.set()
        asking.join()
        engine.close()
        store.close()
        shutil.rmtree(copy)
    figures["question while adding p95 ms"] = statistics.quantiles(waited, n=20)[-1]
    figures["question while adding max ms"] = max(waited)
    return figures


def measure(home: Path, queries: int, started: float) -> dict[str, float]:
    """All figures of ``home``; ``started`` is when this process was started (`time.time`)."""
    store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    engine = Engine.open(home, store)
    engine.search("robots that learn to walk")
    figures: dict[str, float] = {"start to first answer s": time.time() - started}
    papers = sample(store, 4 * queries)[:queries]
    keywords, questions = runs_of_words(papers, 4), runs_of_words(papers, 20)
    figures |= latencies("engine, keywords", engine.search, keywords)
    figures |= latencies("engine, question", engine.search, questions)
    figures |= memory_mb()
    count = store.counts()["papers"]
    figures["index bytes a paper"] = engine.index_bytes() / count
    database = sum(path.stat().st_size for path in home.glob("broadsheet.db*"))
    figures["database bytes a paper"] = database / count
    encoder, vectors = meaning_of(engine)
    encoded = [encoder.encode_query(question) for question in questions]
    figures |= latencies("encoding a question", encoder.encode_query, questions)
    # latencies() asks with texts; here they stand for the vectors made of them.
    vector_of = dict(zip(questions, encoded, strict=True))
    figures |= latencies("vectors", lambda question: vectors.nearest(vector_of[question], 300), questions)
    figures["vectors recall@20"] = recall(home, vectors, encoded[:50])
    engine.close()
    words = Engine.open(home, store, side="words")
    figures |= latencies("words, keywords", words.search, keywords)
    figures |= latencies("words, question", words.search, questions)
    words.close()
    store.close()
    return figures | adding(home, questions)


def measured(home: Path, queries: int) -> dict[str, float]:
    """`measure` in a process of its own."""
    command = [sys.executable, "-m", "bench.growth", "--measure", str(home), "--queries", str(queries)]
    done = subprocess.run(
        [*command, "--started", str(time.time())], check=True, stdout=subprocess.PIPE, cwd=ROOT
    )
    return json.loads(done.stdout)


def show(sizes: dict[str, dict[str, Any]]) -> None:
    names = dict.fromkeys(name for figures in sizes.values() for name in figures)
    rows = [(name, *(f"{figures[name]:,.4g}" for figures in sizes.values())) for name in names]
    print("\n".join(table([("", *(f"{int(size):,}" for size in sizes)), *rows])))


def draw(sizes: dict[str, dict[str, Any]], path: Path) -> None:
    """Writes the picture of ``sizes`` to ``path``."""

    def line(name: str) -> list[tuple[float, float]]:
        return [(int(size), figures[name]) for size, figures in sizes.items()]

    times = {
        "engine, question": "engine, question p50 ms",
        "engine, keywords": "engine, keywords p50 ms",
        "words, question": "words, question p50 ms",
        "words, keywords": "words, keywords p50 ms",
        "vectors": "vectors p50 ms",
    }
    costs = {
        "memory, MB": "resident memory MB",
        "index, bytes a paper": "index bytes a paper",
        "start, s": "start to first answer s",
        "1,000 papers added, s": "found by words after s",
    }
    panels = [
        Panel("Milliseconds of a query, median", {label: line(name) for label, name in times.items()}),
        Panel("Memory, index, start, adding", {label: line(name) for label, name in costs.items()}),
    ]
    write_charts(path, "What search costs as the number of papers grows", panels)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, help="where the homes are built and kept")
    parser.add_argument("--from", dest="source", type=Path, default=OUT / "home", metavar="HOME")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N")
    parser.add_argument("--home-only", type=int, metavar="N")
    parser.add_argument("--real", type=int, default=sys.maxsize, metavar="N", help="at most N real papers")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--started", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.queries, options.started)))
        return
    if not options.folder:
        parser.error("name the folder for the homes with --folder")
    sizes: dict[str, dict[str, Any]] = {}
    notes = []
    for size in [options.home_only] if options.home_only else options.sizes:
        built = build(options.folder, size, options.source, options.real)
        copied_ones = built.papers - built.real
        notes.append(
            f"{size:,} papers: {built.real:,} real, {copied_ones:,} copies with words and vectors changed"
        )
        if built.unlike:
            notes[-1] += f"; {built.unlike:,} real ones have a made-up vector"
        print(notes[-1], flush=True)
        if options.home_only:
            print(f"the home is {built.home}")
            return
        sizes[str(size)] = measured(built.home, options.queries)
    show(sizes)
    print("\n".join(notes))
    OUT.mkdir(parents=True, exist_ok=True)
    # All of it takes longer where others use the machine too.
    told = {"machine": machine(), "load": os.getloadavg()[1], "papers": notes, "sizes": sizes}
    (OUT / "growth.json").write_text(json.dumps(told, indent=2) + "\n")
    if len(sizes) > 1:
        draw(sizes, PICTURE if tuple(options.sizes) == SIZES else OUT / "growth.svg")


if __name__ == "__main__":
    main()
