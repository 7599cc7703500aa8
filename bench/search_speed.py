"""Measures the parts of search without HTTP: the encoder, each side, the whole engine, 8 at a time.

    .venv/bin/python -m bench.search_speed [--home HOME] [--queries N] [--texts N]

HOME (by default the one that bench.import_speed leaves) is searched as it stands; its number of
papers and vectors is told with the figures. Keyword queries are 4 words, questions 20 words, both
taken from abstracts all over the archive.
"""

from __future__ import annotations

import argparse
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.common import OUT, need, save
from bench.growing import meaning_of
from bench.questions import latencies, runs_of_words, sample
from broadsheet.search import Engine, Tuning
from broadsheet.search.encoder import Encoder, installed_folder
from broadsheet.search.following import encoded_text
from broadsheet.store import Store

AT_A_TIME = 8


def memory_mb() -> float:
    """Memory that this process holds now, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, default=OUT / "home")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--texts", type=int, default=300)
    options = parser.parse_args()
    store = Store.open(f"sqlite:///{need(options.home / 'broadsheet.db')}")
    papers = sample(store, max(options.queries, options.texts) * 2)
    figures: dict[str, object] = {}

    start = time.perf_counter()
    encoder = Encoder(installed_folder())
    figures["encoder load s"] = time.perf_counter() - start
    texts = [encoded_text(paper) for paper in papers[: options.texts]]
    start = time.perf_counter()
    encoder.encode(texts)
    figures["abstracts encoded per second"] = len(texts) / (time.perf_counter() - start)
    encoder.close()

    start = time.perf_counter()
    engine = Engine.open(options.home, store)
    figures["engine open s"] = time.perf_counter() - start
    state = engine.state()
    figures |= {"papers": state.words, "vectors": state.vectors, "index bytes": engine.index_bytes()}
    keywords = runs_of_words(papers[: options.queries], 4)
    questions = runs_of_words(papers[: options.queries], 20)
    words, candidates = engine.words, Tuning().candidates
    query_encoder, vectors = meaning_of(engine)
    figures |= latencies("words, keywords", lambda q: words.search(q, candidates), keywords)
    figures |= latencies("words, question", lambda q: words.search(q, candidates), questions)
    figures |= latencies("encoding a question", query_encoder.encode_query, questions)
    vector = query_encoder.encode_query(questions[0])
    figures |= latencies("all vectors", lambda q: vectors.nearest(vector, candidates), questions)
    figures |= latencies("engine, keywords", engine.search, keywords)
    figures |= latencies("engine, question", engine.search, questions)
    figures |= latencies(
        "similar papers", lambda key: engine.similar(int(key)), [str(p.key) for p in papers[:100]]
    )
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        start = time.perf_counter()
        list(threads.map(engine.search, questions))
        figures[f"questions per second, {AT_A_TIME} at a time"] = len(questions) / (
            time.perf_counter() - start
        )
    figures["memory MB"] = memory_mb()
    engine.close()
    store.close()
    save("search_speed", figures)


if __name__ == "__main__":
    main()
