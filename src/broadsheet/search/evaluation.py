"""Measures search on judged queries (BEIR form) through the real engine in a temporary home."""

from __future__ import annotations

import hashlib
import json
import math
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..model.identifiers import Identifier
from ..model.papers import Record, Rejection
from ..model.validation import MAX_ABSTRACT, MAX_TITLE
from ..store import Store
from .engine import SIDES, Engine

# Papers that are asked of the engine for each query: what recall@100 needs.
DEPTH = 100
RECALL_AT = (5, 10, 20, 100)
SUCCESS_AT = (1, 5, 10)

Judgements = dict[str, dict[str, float]]


class EvaluationError(ValueError):
    """The folder does not hold a judged collection; the message names the file, the line and the remedy."""


@dataclass(slots=True)
class Collection:
    """Documents (id -> title, text), queries (id -> text), judgements (query -> document -> gain > 0)."""

    documents: dict[str, tuple[str, str]]
    queries: dict[str, str]
    judgements: Judgements


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except FileNotFoundError:
        raise EvaluationError(
            f"{path} is missing; the folder must hold corpus.jsonl, queries.jsonl and qrels.tsv"
        ) from None
    except UnicodeDecodeError as error:
        raise EvaluationError(
            f"{path} is not UTF-8 ({error.reason} at byte {error.start}); convert it"
        ) from None
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error.strerror}") from error


def _objects(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in _lines(path):
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise EvaluationError(
                f"{path} line {number} is no JSON object ({error}); mend the line"
            ) from None
        if not isinstance(entry, dict):
            raise EvaluationError(f"{path} line {number} is no JSON object; mend the line")
        for name in needed:
            if not isinstance(entry.get(name), str):
                raise EvaluationError(f"{path} line {number} lacks the text {name!r}; add it")
        yield number, entry


def _once(path: Path, number: int, key: str, known: Mapping[str, Any]) -> str:
    if key in known:
        raise EvaluationError(f"{path} line {number}: the _id {key!r} stands there twice; give each its own")
    return key


def read_collection(folder: Path) -> Collection:
    """The judged collection in ``folder``; queries without a relevant document are left out.

    Raises:
        EvaluationError: naming the file, the line and the remedy.
    """
    if not folder.is_dir():
        raise EvaluationError(
            f"{folder} is no folder; name one with corpus.jsonl, queries.jsonl and qrels.tsv"
        )
    documents: dict[str, tuple[str, str]] = {}
    for number, entry in _objects(folder / "corpus.jsonl", ("_id",)):
        key = _once(folder / "corpus.jsonl", number, entry["_id"], documents)
        documents[key] = (str(entry.get("title") or ""), str(entry.get("text") or ""))
    queries: dict[str, str] = {}
    for number, entry in _objects(folder / "queries.jsonl", ("_id", "text")):
        queries[_once(folder / "queries.jsonl", number, entry["_id"], queries)] = entry["text"]
    judgements: Judgements = {}
    path = folder / "qrels.tsv"
    for number, line in _lines(path):
        fields = line.split("\t")
        if number == 1 and fields[0] == "query-id":
            continue
        if len(fields) != 3:
            raise EvaluationError(
                f"{path} line {number} has {len(fields)} fields; write query, document and score"
            )
        query, document, score = fields
        try:
            gain = float(score)
        except ValueError:
            raise EvaluationError(f"{path} line {number}: the score {score!r} is no number") from None
        if not math.isfinite(gain):
            raise EvaluationError(f"{path} line {number}: the score {score!r} is no finite number")
        if query not in queries:
            raise EvaluationError(f"{path} line {number}: the query {query!r} is not in queries.jsonl")
        if document not in documents:
            raise EvaluationError(f"{path} line {number}: the document {document!r} is not in corpus.jsonl")
        if gain > 0:
            judgements.setdefault(query, {})[document] = gain
    if not judgements:
        raise EvaluationError(f"{path} judges no document relevant; nothing can be measured")
    return Collection(documents, {q: queries[q] for q in queries if q in judgements}, judgements)


def _record(key: str, title: str, text: str, where: str) -> Record:
    # A document has no id of the kinds that papers have; one of its own keeps it apart from documents
    # with the same title.
    name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    title = " ".join(title.split()) or " ".join(text.split())[:80] or f"Document {name}"
    return Record(
        title=title[:MAX_TITLE],
        source="evaluation",
        where=where,
        identifiers=[Identifier("title", f"title-{name}")],
        abstract=text[:MAX_ABSTRACT] or None,
    )


def ndcg(ranked: Sequence[str], gains: Mapping[str, float], depth: int = 10) -> float:
    """Normalised discounted cumulative gain of the first ``depth`` of ``ranked``, 0 to 1."""
    found = sum(
        gains.get(document, 0.0) / math.log2(place + 2) for place, document in enumerate(ranked[:depth])
    )
    best = sorted(gains.values(), reverse=True)[:depth]
    return found / sum(gain / math.log2(place + 2) for place, gain in enumerate(best))


def recall(ranked: Sequence[str], gains: Mapping[str, float], depth: int) -> float:
    """Share of the relevant documents among the first ``depth`` of ``ranked``."""
    return len(set(ranked[:depth]) & set(gains)) / len(gains)


def reciprocal_rank(ranked: Sequence[str], gains: Mapping[str, float], depth: int = 10) -> float:
    """One over the place of the first relevant document, 0 where none stands among the first ``depth``."""
    return next((1 / place for place, document in enumerate(ranked[:depth], 1) if document in gains), 0.0)


def success(ranked: Sequence[str], gains: Mapping[str, float], depth: int) -> float:
    """1 where a relevant document stands among the first ``depth``, else 0."""
    return float(any(document in gains for document in ranked[:depth]))


def quality(rankings: Mapping[str, Sequence[str]], judgements: Judgements) -> dict[str, float]:
    """The means over all judged queries; ``rankings`` maps a query to documents, best first."""
    pairs = [(rankings.get(query, ()), gains) for query, gains in judgements.items()]

    def mean(measure: Callable[[Sequence[str], Mapping[str, float]], float]) -> float:
        return statistics.fmean(measure(ranked, gains) for ranked, gains in pairs)

    figures = {"ndcg@10": mean(ndcg)}
    for depth in RECALL_AT:
        figures[f"recall@{depth}"] = mean(lambda ranked, gains, depth=depth: recall(ranked, gains, depth))
    figures["mrr@10"] = mean(reciprocal_rank)
    for depth in SUCCESS_AT:
        figures[f"success@{depth}"] = mean(lambda ranked, gains, depth=depth: success(ranked, gains, depth))
    return figures


def peak_memory_bytes() -> int:
    """The most memory this process ever held (Linux counts in KiB, macOS in bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def evaluate(
    folder: Path,
    *,
    side: str = "both",
    progress: Callable[..., None] | None = None,
    encoder_folder: str = "",
    threads: int = 2,
) -> dict[str, Any]:
    """Quality and cost of search on the collection in ``folder``, as `broadsheet eval` prints them.

    Args:
        folder: with corpus.jsonl (``_id``, ``title``, ``text``), queries.jsonl (``_id``, ``text``) and
            qrels.tsv (header line, then query, document, score; above 0 is relevant).
        side: ``both``, or ``words`` or ``meaning`` alone, to compare.
        progress: called with what was done since the last call and the total, in documents and steps.
        encoder_folder: folder of an encoder; empty means the installed one.
        threads: texts that are encoded at a time.
    Raises:
        EvaluationError: if the folder holds no such collection, or the side cannot be measured.
    """
    if side not in SIDES:
        raise EvaluationError(f"{side!r} is no side of search; write one of {', '.join(SIDES)}")
    collection = read_collection(folder)
    with tempfile.TemporaryDirectory(prefix="broadsheet-eval-") as temporary:
        home = Path(temporary)
        store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
        engine = Engine.open(home, store, encoder_folder, threads, side=side)
        try:
            if side == "meaning" and not engine.state().encoder:
                raise EvaluationError(f"meaning cannot be measured: {engine.state().message}")
            return measured(collection, store, engine, side, progress)
        finally:
            engine.close()
            store.close()


def measured(
    collection: Collection,
    store: Store,
    engine: Engine,
    side: str = "both",
    progress: Callable[..., None] | None = None,
) -> dict[str, Any]:
    """Adds the collection to ``store`` and measures ``engine`` on it; other papers there count as wrong."""
    started = time.perf_counter()
    document_of = _stored(collection, store)
    engine.follow(store, encode=side != "words", progress=progress)
    indexed = time.perf_counter() - started
    # The first query of a process opens files and starts threads.
    engine.search(next(iter(collection.queries.values())), limit=DEPTH)
    rankings, seconds = {}, []
    for query, text in collection.queries.items():
        begun = time.perf_counter()
        answer = engine.search(text, limit=DEPTH)
        seconds.append(time.perf_counter() - begun)
        rankings[query] = [document_of.get(hit.key, f"key {hit.key}") for hit in answer.hits]
    return {
        **quality(rankings, collection.judgements),
        "latency_p50_ms": 1000 * _percentile(seconds, 0.5),
        "latency_p95_ms": 1000 * _percentile(seconds, 0.95),
        "documents_per_second": len(collection.documents) / indexed,
        "index_bytes": engine.index_bytes(),
        "peak_memory_bytes": peak_memory_bytes(),
        "documents": len(collection.documents),
        "queries": len(collection.queries),
        "side": side,
        "encoder": engine.state().encoder,
    }


def _stored(collection: Collection, store: Store) -> dict[int, str]:
    """Stores the documents; the map from the store's key to the document's id."""
    records: Iterator[Record | Rejection] = (
        _record(key, title, text, f"document {key!r}") for key, (title, text) in collection.documents.items()
    )
    report = store.add(records)
    if report.rejected:
        first = report.rejected[0]
        raise EvaluationError(f"{first.where} was not stored: {first.why}")
    document_of: dict[int, str] = {}
    for key, (title, text) in collection.documents.items():
        name = _record(key, title, text, "").identifiers[0]
        found = store.resolve(name.key)
        if found is None or found in document_of:
            raise EvaluationError(f"the document {key!r} was taken for another one; please report this")
        document_of[found] = key
    return document_of
