"""Judged collections in BEIR form: documents, queries, and which documents answer which query."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...model.identifiers import Identifier
from ...model.papers import Record, Rejection
from ...model.validation import MAX_ABSTRACT, MAX_TITLE
from ...store import Store
from .measures import Judgements


class EvaluationError(ValueError):
    """What was asked cannot be measured; the message names the file, the line and the remedy."""


@dataclass(slots=True)
class Collection:
    """Documents (id -> title, text), queries (id -> text), judgements (query -> document -> gain > 0)."""

    documents: dict[str, tuple[str, str]]
    queries: dict[str, str]
    judgements: Judgements


@dataclass(slots=True)
class Needs:
    """Queries that are judged on the papers of a store.

    ``document_of`` maps the keys of the judged papers to the ids that the judgements give them;
    ``unknown`` lists the ids that the store does not know, ``unanswered`` the queries left out because
    none of their papers is there.
    """

    queries: dict[str, str]
    judgements: Judgements
    document_of: dict[int, str]
    unknown: list[str]
    unanswered: list[str]


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


def _documents(path: Path) -> dict[str, tuple[str, str]]:
    documents: dict[str, tuple[str, str]] = {}
    for number, entry in _objects(path, ("_id",)):
        key = _once(path, number, entry["_id"], documents)
        documents[key] = (str(entry.get("title") or ""), str(entry.get("text") or ""))
    return documents


def _queries(path: Path) -> dict[str, str]:
    queries: dict[str, str] = {}
    for number, entry in _objects(path, ("_id", "text")):
        queries[_once(path, number, entry["_id"], queries)] = entry["text"]
    return queries


def _judgements(path: Path, queries: Container[str], documents: Container[str] | None) -> Judgements:
    """What is judged relevant; ``documents`` holds the ids that may stand there, None allows any."""
    judgements: Judgements = {}
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
        if documents is not None and document not in documents:
            raise EvaluationError(f"{path} line {number}: the document {document!r} is not in corpus.jsonl")
        if gain > 0:
            judgements.setdefault(query, {})[document] = gain
    if not judgements:
        raise EvaluationError(f"{path} judges no document relevant; nothing can be measured")
    return judgements


def _checked_folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise EvaluationError(
            f"{folder} is no folder; name one with corpus.jsonl, queries.jsonl and qrels.tsv"
        )
    return folder


def read_collection(folder: Path) -> Collection:
    """The judged collection in ``folder``; queries without a relevant document are left out.

    Raises:
        EvaluationError: naming the file, the line and the remedy.
    """
    documents = _documents(_checked_folder(folder) / "corpus.jsonl")
    queries = _queries(folder / "queries.jsonl")
    judgements = _judgements(folder / "qrels.tsv", queries, documents)
    return Collection(documents, {q: queries[q] for q in queries if q in judgements}, judgements)


def read_needs(folder: Path, store: Store) -> Needs:
    """The queries in ``folder`` whose judgements name papers of ``store`` by any written form of any id.

    Raises:
        EvaluationError: naming the file, the line and the remedy; or if the store knows none of the papers.
    """
    queries = _queries(_checked_folder(folder) / "queries.jsonl")
    path = folder / "qrels.tsv"
    judged = _judgements(path, queries, None)
    names = dict.fromkeys(name for gains in judged.values() for name in gains)
    key_of = {name: store.resolve(name) for name in names}
    document_of: dict[int, str] = {}
    for name, key in key_of.items():
        if key is not None:
            document_of.setdefault(key, name)
    judgements: Judgements = {}
    for query, gains in judged.items():
        for name, gain in gains.items():
            key = key_of[name]
            if key is not None:
                known = judgements.setdefault(query, {})
                known[document_of[key]] = max(gain, known.get(document_of[key], 0.0))
    if not judgements:
        raise EvaluationError(
            f"{path}: none of the {len(names):,} judged papers is in this home; import them first"
        )
    return Needs(
        {q: queries[q] for q in queries if q in judgements},
        judgements,
        document_of,
        [name for name, key in key_of.items() if key is None],
        [q for q in queries if q in judged and q not in judgements],
    )


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


def stored(collection: Collection, store: Store) -> dict[int, str]:
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
