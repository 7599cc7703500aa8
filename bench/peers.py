"""Measures Broadsheet beside other searches: quality and speed, on the same documents, in one run.

    .venv/bin/python -m bench.peers [SET ...] [--among HOME [--needs FOLDER]] [--tokens N]

The others (bench/other_searches.py): SQLite FTS5, tantivy alone, exact vectors alone, the plain
weighted sum of tantivy and vectors, the linear scan of karpathy/arxiv-sanity-lite. Each SET goes
into a temporary home; Broadsheet's engine indexes it, and the others take their documents and
vectors from there, so that nothing is encoded twice. With --among the requests of spar_bench are asked
among the papers of HOME (in a copy), and the sets alone only where they are named; with --needs the
needs in FOLDER (queries.jsonl, and qrels.tsv with ids of papers) are asked of HOME.

Every search is compared with the weighted sum, query by query. With --tokens the vectors of the
others come from the same model reading so many tokens of a paper, whole, as its authors use it; they
are encoded once and kept in bench/out/vectors.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.common import DATA, OUT, machine, need
from bench.growing import keys_of, meaning_of
from bench.other_searches import (
    BroadsheetSearch,
    LinearScan,
    Search,
    SqliteSearch,
    TantivySearch,
    VectorSearch,
    WeightedSum,
)
from bench.questions import runs_of_words, sample
from bench.search_quality import SETS
from broadsheet.model.papers import Paper
from broadsheet.search import Engine
from broadsheet.search.encoder import Encoder, installed_folder
from broadsheet.search.evaluation import Judged, Setting, by_query, judged_set
from broadsheet.search.evaluation.measures import means
from broadsheet.search.evaluation.report import HEADER, MAIN, compared, row, table
from broadsheet.search.evaluation.runs import DEPTH, follow, latencies, opened, ranked
from broadsheet.search.following import encoded_text
from broadsheet.store import Store

SHOWN = ("ndcg@10", "recall@20", "recall@100", "mrr@10", "success@10", "latency_p50_ms", "latency_p95_ms")
# Where the issue asks for 0.02 more than the weighted sum; nowhere less than it.
AHEAD = 0.02
AHEAD_ON = ("scifact_train", "spar_bench among many")

_AT_ONCE = 2_000
_LINEAR_QUERIES = 5


def papers_of(store: Store) -> list[Paper]:
    """All papers of ``store``."""
    keys = keys_of(store)
    starts = range(0, len(keys), _AT_ONCE)
    return [paper for start in starts for paper in store.papers(keys[start : start + _AT_ONCE])]


def stored_vectors(engine: Engine, papers: Sequence[Paper]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Keys and vectors, as Broadsheet keeps them, of those of ``papers`` that have one."""
    _, vectors = meaning_of(engine)
    found = ((paper.key, vectors.vector(paper.key)) for paper in papers)
    known = [(key, vector) for key, vector in found if vector is not None]
    return np.array([key for key, _ in known], np.int64), np.array([v for _, v in known], np.float32)


def plain_encoder(tokens: int) -> Encoder:
    """The installed model reading ``tokens`` tokens of a paper, with its punctuation."""
    folder = OUT / f"encoder-{tokens}"
    folder.mkdir(parents=True, exist_ok=True)
    about = json.loads((installed_folder() / "encoder.json").read_text())
    kept = {name: about[name] for name in ("name", "optimise") if name in about}
    (folder / "encoder.json").write_text(json.dumps(kept | {"max_tokens": tokens}))
    for name in ("model.onnx", "tokenizer.json"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(installed_folder() / name)
    return Encoder(folder)


def encoded(encoder: Encoder, papers: Sequence[Paper]) -> NDArray[np.float32]:
    """The vectors of ``papers`` by ``encoder``; what was encoded before is read from bench/out/vectors."""
    folder = OUT / "vectors" / encoder.identity[:16]
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for start in range(0, len(papers), _AT_ONCE):
        texts = [encoded_text(paper) for paper in papers[start : start + _AT_ONCE]]
        path = folder / f"{hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:32]}.npy"
        if not path.exists():
            print(f"  encoding {start + len(texts):,} of {len(papers):,}", flush=True)
            np.save(path, encoder.encode(texts))
        parts.append(np.load(path))
    return np.concatenate(parts)


def _built(name: str, make: Callable[[], Search]) -> Search:
    began = time.perf_counter()
    made = make()
    print(f"  {name} built in {time.perf_counter() - began:,.1f} s", flush=True)
    return made


@contextmanager
def searches(engine: Engine, store: Store, options: argparse.Namespace) -> Iterator[list[Search]]:
    """All searches over the papers of ``store``, the weighted sum first."""
    papers = papers_of(store)
    encoder = plain_encoder(options.tokens) if options.tokens else None
    if encoder:
        keys = np.array([paper.key for paper in papers], np.int64)
        vectors = VectorSearch(
            f"vectors ({options.tokens} tokens)", keys, encoded(encoder, papers), encoder.encode_query
        )
    else:
        encode = meaning_of(engine)[0].encode_query
        vectors = VectorSearch("vectors", *stored_vectors(engine, papers), encode)
    with tempfile.TemporaryDirectory(prefix="broadsheet-peers-") as folder:
        words = _built("tantivy", lambda: TantivySearch(papers, Path(folder)))
        assert isinstance(words, TantivySearch)
        made: list[Search] = [WeightedSum(words, vectors), BroadsheetSearch(engine), words, vectors]
        makers: dict[str, Callable[[], Search]] = {
            SqliteSearch.name: lambda: SqliteSearch(papers, Path(folder)),
            LinearScan.name: lambda: LinearScan(papers),
        }
        made += [_built(name, make) for name, make in makers.items() if name not in options.without]
        yield made
    if encoder:
        encoder.close()


def quality(name: str, judged: Judged, found: Sequence[Search]) -> dict[str, Any]:
    """Asks every query of every search; prints and returns what each found, and against the first."""
    papers = judged.store.counts()["papers"]
    print(f"\n{name}: {len(judged.queries):,} queries, {papers:,} documents", flush=True)
    rows = [("", *SHOWN, "bytes a paper")]
    values, figures = {}, {}
    for search in found:
        rankings, seconds = ranked(
            lambda text, search=search: search.search(text, DEPTH), judged.queries, judged.document_of
        )
        values[search.name] = by_query(rankings, judged.judgements)
        figures[search.name] = {
            **means(values[search.name]),
            **latencies(seconds),
            "bytes_a_paper": search.bytes / papers,
        }
        shown = figures[search.name]
        rows.append(
            (
                search.name,
                *(f"{shown[key]:,.1f}" if key.endswith("ms") else f"{shown[key]:.4f}" for key in SHOWN),
                f"{shown['bytes_a_paper']:,.0f}",
            )
        )
    print("\n".join(table(rows)))
    base, *others = (search.name for search in found)
    against = {other: compared(values[other][MAIN], values[base][MAIN]) for other in others}
    print(f"\n{MAIN} against the {base}")
    print("\n".join(table([HEADER, *(row(other, against[other]) for other in others)])), flush=True)
    return {
        "documents": papers,
        "queries": len(judged.queries),
        "searches": figures,
        "against": base,
        MAIN: {other: result.as_json() for other, result in against.items()},
    }


def speed(store: Store, found: Sequence[Search], queries: int) -> dict[str, Any]:
    """Milliseconds of 4 keywords and of 20-word questions, taken from abstracts, 20 results each."""
    papers = sample(store, 3 * queries)
    figures: dict[str, Any] = {}
    rows = [("", "keywords p50 ms", "p95 ms", "questions p50 ms", "p95 ms")]
    for search in found:
        # Looking at every paper takes seconds; a few queries tell how many.
        asked = min(queries, _LINEAR_QUERIES) if isinstance(search, LinearScan) else queries
        figures[search.name] = {}
        cells = []
        for kind, length in (("keywords", 4), ("questions", 20)):
            texts = dict(enumerate(runs_of_words(papers, length)[:asked]))
            _, seconds = ranked(lambda text, search=search: search.search(text, 20), texts, {})  # type: ignore[arg-type]
            figures[search.name][kind] = latencies(seconds)
            cells += [f"{value:,.1f}" for value in latencies(seconds).values()]
        rows.append((search.name, *cells))
    print(f"\nSpeed at {store.counts()['papers']:,} papers, 20 results, one query at a time")
    print("\n".join(table(rows)), flush=True)
    return figures


def verdict(figures: dict[str, Any]) -> list[str]:
    """What of the goals against the weighted sum was missed."""
    missed = []
    for name, found in figures.items():
        if MAIN in found:
            result = found[MAIN][BroadsheetSearch.name]
            least = AHEAD if name in AHEAD_ON else 0.0
            if result["difference"] < least:
                missed.append(
                    f"{name}: {result['difference']:+.4f} ({result['low']:+.4f} to {result['high']:+.4f}), "
                    f"the goal is {least:+.2f}"
                )
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}")
    parser.add_argument("--among", type=Path, metavar="HOME", help="home with all its papers encoded")
    parser.add_argument("--needs", type=Path, metavar="FOLDER", help="needs judged on the papers of HOME")
    parser.add_argument(
        "--without", nargs="*", default=[], metavar="NAME", help=f"{SqliteSearch.name}, {LinearScan.name}"
    )
    parser.add_argument("--tokens", type=int, metavar="N", help="others read N tokens of a paper")
    parser.add_argument("--queries", type=int, default=100, help="queries of each kind for the speed")
    options = parser.parse_args()
    if options.needs and not options.among:
        parser.error("--needs are judged on the papers of a home; name it with --among")
    tasks: list[tuple[str, Path, Path | None]] = [
        (name, need(DATA / "bench" / name), None) for name in options.sets or (() if options.among else SETS)
    ]
    if options.among:
        tasks.append(("spar_bench among many", need(DATA / "bench" / "spar_bench"), need(options.among)))
    if options.needs:
        tasks.append((options.needs.resolve().name, need(options.needs), options.among))
    figures: dict[str, Any] = {}
    for name, folder, home in tasks:
        print(f"\n== {name}", flush=True)
        with judged_set(folder, home) as judged, opened(judged.home, judged.store, Setting()) as engine:
            follow(judged, engine, Setting(), None)
            with searches(engine, judged.store, options) as found:
                figures[name] = quality(name, judged, found)
                if home and "speed" not in figures:
                    figures["speed"] = speed(judged.store, found, options.queries)
    OUT.mkdir(parents=True, exist_ok=True)
    # The speed of all suffers where others use the machine too.
    about = {"machine": machine(), "load": os.getloadavg()[1], "tokens": options.tokens}
    (OUT / "peers.json").write_text(json.dumps({**about, **figures}, indent=2) + "\n")
    missed = verdict(figures)
    print("\nGoals against the weighted sum: " + ("all reached" if not missed else "missed"))
    for line in missed:
        print(f"  {line}")


if __name__ == "__main__":
    main()
