"""Asks the real engine every query of a judged set, with one setting or with several on one index."""

from __future__ import annotations

import math
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...store import Store
from ..engine import Engine, Tuning
from .collection import EvaluationError, read_collection, read_needs, stored
from .measures import Judgements, by_query, means
from .settings import Setting

# Quality is measured on busy machines too: no query is answered by words alone for want of time.
_PATIENCE = 60.0
# Papers that are asked of the engine for each query: what recall@100 needs.
DEPTH = 100

# On a busy machine the engine may not wait for its encoder; such an answer says nothing of its quality.
_TOO_SLOW = "did not answer in time"
_ATTEMPTS = 20

Progress = Callable[..., None] | None


@dataclass(slots=True)
class Run:
    """What one setting did on the set ``name``: measure -> query -> value, and the figures as printed."""

    name: str
    setting: Setting
    values: dict[str, dict[str, float]]
    figures: dict[str, Any]


@dataclass(slots=True)
class Judged:
    """A judged set, ready to be searched in ``home``.

    ``documents`` counts the documents that were stored in an empty home, in ``seconds``; it is 0
    where the papers of a home stand for them or around them. Where ``encode`` is false the home's
    vectors are taken as they are.
    """

    home: Path
    store: Store
    queries: Mapping[str, str]
    judgements: Judgements
    document_of: Mapping[int, str]
    documents: int = 0
    seconds: float = 0.0
    encode: bool = True
    left_out: int = 0


@contextmanager
def judged_set(folder: Path, home: Path | None = None) -> Iterator[Judged]:
    """The set in ``folder``, its documents stored in a temporary home or standing for papers of ``home``.

    Arguments and errors are those of `measured`.
    """
    if home is None:
        collection = read_collection(folder)
        with _temporary() as place, _store(place) as store:
            started = time.perf_counter()
            document_of = stored(collection, store)
            seconds = time.perf_counter() - started
            documents = len(collection.documents)
            yield Judged(
                place, store, collection.queries, collection.judgements, document_of, documents, seconds
            )
    elif not (home / "broadsheet.db").exists():
        raise EvaluationError(f"{home / 'broadsheet.db'} is missing; name a home that holds papers")
    elif (folder / "corpus.jsonl").exists():
        collection = read_collection(folder)
        with _temporary() as place:
            shutil.copytree(home, place, dirs_exist_ok=True)
            with _store(place) as store:
                document_of = stored(collection, store)
                yield Judged(place, store, collection.queries, collection.judgements, document_of)
    else:
        with _store(home) as store:
            needs = read_needs(folder, store)
            judged = Judged(home, store, needs.queries, needs.judgements, needs.document_of)
            judged.encode, judged.left_out = False, len(needs.unanswered)
            yield judged


@contextmanager
def _temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="broadsheet-eval-") as folder:
        yield Path(folder)


@contextmanager
def _store(home: Path) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    try:
        yield store
    finally:
        store.close()


@contextmanager
def opened(
    home: Path, store: Store, setting: Setting, threads: int = 2, needed: bool = False
) -> Iterator[Engine]:
    """The engine of ``home`` run with ``setting``; ``needed`` says that it may not do without its encoder.

    Raises:
        EvaluationError: if there is no encoder where one is needed.
    """
    engine = Engine.open(
        home, store, setting.encoder, threads, side=setting.side, tuning=setting.tuning, patience=_PATIENCE
    )
    try:
        state = engine.state()
        if not state.encoder and (setting.side == "meaning" or (needed and setting.side == "both")):
            raise EvaluationError(f"meaning cannot be measured: {state.message}")
        yield engine
    finally:
        engine.close()


def follow(judged: Judged, engine: Engine, setting: Setting, progress: Progress) -> None:
    """Brings the index up to the store; of a home as it stands the words alone, as a search does."""
    meaning = setting.side != "words"
    engine.follow(judged.store, encode=judged.encode and meaning, progress=progress)
    if meaning and not judged.encode and not engine.state().vectors:
        raise EvaluationError(
            "no paper of this home is encoded by this encoder; run `broadsheet reindex`, "
            "or measure with --side words"
        )


def ranked(
    search: Callable[[str], Sequence[int]], queries: Mapping[str, str], document_of: Mapping[int, str]
) -> tuple[dict[str, list[str]], list[float]]:
    """The rankings of all ``queries`` and the seconds of each, after one to warm up.

    ``search`` gives the keys of papers, best first; those that are no documents stand as ``key N``.
    """
    # The first query of a process opens files and starts threads.
    search(next(iter(queries.values())))
    rankings, seconds = {}, []
    for query, text in queries.items():
        begun = time.perf_counter()
        keys = search(text)
        seconds.append(time.perf_counter() - begun)
        rankings[query] = [document_of.get(key, f"key {key}") for key in keys]
    return rankings, seconds


def found_keys(engine: Engine, text: str, limit: int = DEPTH) -> list[int]:
    """The keys of the papers that ``engine`` finds, near-duplicates behind the paper they are folded to.

    Raises:
        EvaluationError: if the encoder is too slow for the engine, which then answers by words alone.
    """
    for _ in range(_ATTEMPTS):
        answer = engine.search(text, limit=limit)
        if not any(_TOO_SLOW in note for note in answer.notes):
            return [key for hit in answer.hits for key in (hit.key, *hit.folded)]
    raise EvaluationError(
        f"the encoder did not answer in time, {_ATTEMPTS} times; measure when the machine is less busy"
    )


def latencies(seconds: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile of ``seconds``, in milliseconds."""
    ordered = sorted(seconds)

    def percentile(share: float) -> float:
        return 1000 * ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]

    return {"latency_p50_ms": percentile(0.5), "latency_p95_ms": percentile(0.95)}


def _run(name: str, judged: Judged, engine: Engine, setting: Setting, progress: Progress) -> Run:
    started = time.perf_counter()
    follow(judged, engine, setting, progress)
    indexed = judged.seconds + time.perf_counter() - started
    rankings, seconds = ranked(lambda text: found_keys(engine, text), judged.queries, judged.document_of)
    values = by_query(rankings, judged.judgements)
    state = engine.state()
    figures: dict[str, Any] = {**means(values), **latencies(seconds)}
    if judged.documents:
        figures["documents_per_second"] = judged.documents / indexed
    figures |= {
        "index_bytes": engine.index_bytes(),
        "peak_memory_bytes": peak_memory_bytes(),
        "documents": judged.documents or state.words,
        "queries": len(judged.judgements),
        "side": setting.side,
        "encoder": state.encoder,
    }
    if setting.tuning != Tuning():
        figures["setting"] = str(setting)
    if not judged.encode:
        figures |= {"unencoded": state.unencoded, "queries_left_out": judged.left_out}
    return Run(name, setting, values, figures)


def measured(
    folder: Path,
    settings: Sequence[Setting],
    *,
    home: Path | None = None,
    progress: Progress = None,
    threads: int = 2,
) -> list[Run]:
    """Asks the queries of the judged set in ``folder`` with each of ``settings``, on one index.

    Documents are stored and their words indexed once, and encoded once for each encoder, so
    ``documents_per_second`` means something only of the first.

    Args:
        folder: with queries.jsonl (``_id``, ``text``), qrels.tsv (header line, then query, document,
            score; above 0 is relevant) and corpus.jsonl (``_id``, ``title``, ``text``).
        home: search among the papers of this home. Documents of corpus.jsonl are put among them, in a
            copy. Without corpus.jsonl the judgements name papers of the home by any of their ids, and
            of the home itself only the index of words is brought up to date.
        progress: called with what was done since the last call and the total, in documents and steps.
        threads: texts that are encoded at a time.
    Raises:
        EvaluationError: if the folder holds no such set, or a setting cannot be measured.
    """
    steps = before = 0

    def advance(done: int, total: int) -> None:
        nonlocal steps
        steps += done
        if progress:
            progress(done, before + total)

    runs = []
    with judged_set(folder, home) as judged:
        for setting in settings:
            before = steps
            with opened(judged.home, judged.store, setting, threads, len(settings) > 1) as engine:
                runs.append(_run(folder.resolve().name, judged, engine, setting, advance))
    return runs


def evaluate(
    folder: Path,
    setting: Setting | None = None,
    *,
    home: Path | None = None,
    progress: Progress = None,
    threads: int = 2,
) -> dict[str, Any]:
    """The figures of one setting, by default that of the engine, as `broadsheet eval` prints them.

    Arguments and errors are those of `measured`.
    """
    (run,) = measured(folder, [setting or Setting()], home=home, progress=progress, threads=threads)
    return run.figures


def peak_memory_bytes() -> int:
    """The most memory this process ever held (Linux counts in KiB, macOS in bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
