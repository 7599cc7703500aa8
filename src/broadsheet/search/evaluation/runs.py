"""Asks the real engine every query of a judged set, with one setting or with two that are held together."""

from __future__ import annotations

import math
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...store import Store
from ..engine import Engine
from .collection import Collection, EvaluationError, read_collection, read_needs, stored
from .measures import Judgements, by_query, quality
from .settings import Setting, Tuning, Untuned

# Papers that are asked of the engine for each query: what recall@100 needs.
DEPTH = 100

Progress = Callable[..., None] | None


@dataclass(slots=True)
class Answers:
    """What an engine answered: the ranking of each query, the seconds of each, the index they came from."""

    rankings: dict[str, list[str]]
    seconds: list[float]
    index_bytes: int
    encoder: str

    @property
    def latencies(self) -> dict[str, float]:
        return {
            "latency_p50_ms": 1000 * _percentile(self.seconds, 0.5),
            "latency_p95_ms": 1000 * _percentile(self.seconds, 0.95),
        }


@dataclass(slots=True)
class Compared:
    """Two settings on one set: measure -> query -> value of each, and what their answers cost."""

    name: str
    documents: int
    setting: dict[str, dict[str, float]]
    against: dict[str, dict[str, float]]
    setting_costs: dict[str, float]
    against_costs: dict[str, float]


@dataclass(slots=True)
class _Judged:
    """A judged set whose documents are in a store; ``seconds`` is how long it took to store them."""

    store: Store
    queries: Mapping[str, str]
    judgements: Judgements
    document_of: Mapping[int, str]
    # Documents of a collection that is measured whole; None where the papers of a home stand for them.
    documents: int | None
    seconds: float = 0.0
    left_out: int = 0


def _put(collection: Collection, store: Store) -> _Judged:
    started = time.perf_counter()
    document_of = stored(collection, store)
    seconds = time.perf_counter() - started
    documents = len(collection.documents)
    return _Judged(store, collection.queries, collection.judgements, document_of, documents, seconds)


@contextmanager
def _judged(folder: Path, home: Path | None) -> Iterator[tuple[Path, _Judged]]:
    """A home and the set in ``folder``: with a corpus in a temporary home, without one in ``home``."""
    if home is not None and not (folder / "corpus.jsonl").exists():
        database = home / "broadsheet.db"
        if not database.exists():
            raise EvaluationError(f"{database} is missing; name a home that holds papers")
        store = Store.open(f"sqlite:///{database}")
        try:
            needs = read_needs(folder, store)
            judged = _Judged(store, needs.queries, needs.judgements, needs.document_of, None)
            judged.left_out = len(needs.unanswered)
            yield home, judged
        finally:
            store.close()
        return
    collection = read_collection(folder)
    with tempfile.TemporaryDirectory(prefix="broadsheet-eval-") as temporary:
        store = Store.open(f"sqlite:///{Path(temporary) / 'broadsheet.db'}")
        try:
            yield Path(temporary), _put(collection, store)
        finally:
            store.close()


@contextmanager
def _opened(
    home: Path, judged: _Judged, setting: Setting, threads: int, needed: bool = False
) -> Iterator[Engine]:
    """The engine of ``home`` with ``setting``; ``needed`` says that it may not do without its encoder."""
    if judged.documents is None and setting.encoder:
        raise EvaluationError(
            "another encoder cannot be measured on a home, whose papers it has not encoded; "
            "measure it on a folder with corpus.jsonl"
        )
    tuning = {} if Tuning is Untuned else {"tuning": setting.tuning}
    engine = Engine.open(home, judged.store, setting.encoder, threads, side=setting.side, **tuning)
    try:
        state = engine.state()
        if not state.encoder and (setting.side == "meaning" or (needed and setting.side == "both")):
            raise EvaluationError(f"meaning cannot be measured: {state.message}")
        yield engine
    finally:
        engine.close()


def _follow(judged: _Judged, engine: Engine, setting: Setting, progress: Progress) -> None:
    """Brings the index up to the store; of a home only the words, as `broadsheet search` does."""
    own = judged.documents is not None
    engine.follow(judged.store, encode=own and setting.side != "words", progress=progress)
    if not own and setting.side != "words" and not engine.state().vectors:
        raise EvaluationError(
            "no paper of this home is encoded; run `broadsheet reindex`, or measure words alone"
        )


def answers(engine: Engine, queries: Mapping[str, str], document_of: Mapping[int, str]) -> Answers:
    """Asks ``engine`` all ``queries``; papers that are no documents stand in the rankings as ``key N``."""
    # The first query of a process opens files and starts threads.
    engine.search(next(iter(queries.values())), limit=DEPTH)
    rankings, seconds = {}, []
    for query, text in queries.items():
        begun = time.perf_counter()
        answer = engine.search(text, limit=DEPTH)
        seconds.append(time.perf_counter() - begun)
        # Near-duplicates that stand behind a paper are found with it.
        keys = [key for hit in answer.hits for key in (hit.key, *getattr(hit, "folded", ()))]
        rankings[query] = [document_of.get(key, f"key {key}") for key in keys]
    return Answers(rankings, seconds, engine.index_bytes(), engine.state().encoder)


def _figures(judged: _Judged, engine: Engine, setting: Setting, progress: Progress) -> dict[str, Any]:
    started = time.perf_counter()
    _follow(judged, engine, setting, progress)
    indexed = judged.seconds + time.perf_counter() - started
    found = answers(engine, judged.queries, judged.document_of)
    state = engine.state()
    figures: dict[str, Any] = {**quality(found.rankings, judged.judgements), **found.latencies}
    if judged.documents is not None:
        figures["documents_per_second"] = judged.documents / indexed
    figures |= {
        "index_bytes": found.index_bytes,
        "peak_memory_bytes": peak_memory_bytes(),
        "documents": state.words if judged.documents is None else judged.documents,
        "queries": len(judged.judgements),
        "side": setting.side,
        "encoder": state.encoder,
    }
    if judged.documents is None:
        figures |= {"unencoded": state.unencoded, "queries_left_out": judged.left_out}
    if setting.tuning != Tuning():
        figures["setting"] = str(setting)
    return figures


def evaluate(
    folder: Path,
    setting: Setting | None = None,
    *,
    home: Path | None = None,
    progress: Progress = None,
    threads: int = 2,
) -> dict[str, Any]:
    """Quality and cost of search on the judged set in ``folder``, as `broadsheet eval` prints them.

    Args:
        folder: with corpus.jsonl (``_id``, ``title``, ``text``), queries.jsonl (``_id``, ``text``) and
            qrels.tsv (header line, then query, document, score; above 0 is relevant).
        setting: how the engine is run; its defaults where None.
        home: whose papers are searched where ``folder`` has no corpus.jsonl; the judgements then name
            papers by any of their ids. Only its index of words is brought up to date.
        progress: called with what was done since the last call and the total, in documents and steps.
        threads: texts that are encoded at a time.
    Raises:
        EvaluationError: if the folder holds no such set, or the setting cannot be measured.
    """
    setting = setting or Setting()
    with _judged(folder, home) as (place, judged), _opened(place, judged, setting, threads) as engine:
        return _figures(judged, engine, setting, progress)


def measured(
    collection: Collection,
    store: Store,
    engine: Engine,
    setting: Setting | None = None,
    progress: Progress = None,
) -> dict[str, Any]:
    """Adds the collection to ``store`` and measures ``engine``, which was opened with ``setting``, on it.

    Other papers in the store count as wrong.
    """
    return _figures(_put(collection, store), engine, setting or Setting(), progress)


def compare(
    folder: Path,
    setting: Setting,
    against: Setting,
    *,
    home: Path | None = None,
    progress: Progress = None,
    threads: int = 2,
) -> Compared:
    """Asks the queries of the judged set in ``folder`` with both settings, on one index where they share it.

    The arguments are those of `evaluate`. Documents are stored and their words indexed once, and
    encoded once for each encoder.

    Raises:
        EvaluationError: if the folder holds no such set, or one of the settings cannot be measured.
    """
    found: list[Answers] = []
    steps = 0

    def advance(done: int, total: int) -> None:
        nonlocal steps
        steps += done
        if progress:
            progress(done, before + total)

    with _judged(folder, home) as (place, judged):
        for one in (setting, against):
            with _opened(place, judged, one, threads, needed=True) as engine:
                before = steps
                _follow(judged, engine, one, advance)
                found.append(answers(engine, judged.queries, judged.document_of))
                papers = engine.state().words
        first, second = (by_query(one.rankings, judged.judgements) for one in found)
        costs = [{**one.latencies, "index_bytes": one.index_bytes} for one in found]
        documents = papers if judged.documents is None else judged.documents
    return Compared(folder.resolve().name, documents, first, second, *costs)


def peak_memory_bytes() -> int:
    """The most memory this process ever held (Linux counts in KiB, macOS in bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]
