"""`broadsheet eval`: the measures are arithmetic, the collection goes through the real engine whole."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from broadsheet.search.evaluation import (
    EvaluationError,
    evaluate,
    ndcg,
    quality,
    read_collection,
    recall,
    reciprocal_rank,
    success,
)


def collection(folder: Path, documents: list[dict], queries: list[dict], judgements: list[tuple]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, entries in (("corpus", documents), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, line)) for line in judgements)]
    (folder / "qrels.tsv").write_text("\n".join(lines) + "\n")
    return folder


DOCUMENTS = [
    {"_id": "a/1", "title": "Robots that walk", "text": "A gait is learned by trial."},
    {"_id": "a 2", "title": "", "text": "Stars and their light."},
    {"_id": "ä", "title": "Same title", "text": ""},
    {"_id": "A", "title": "Same title", "text": ""},
    {"_id": "5", "title": "", "text": ""},
    {"_id": "6", "title": "?!", "text": "x" * 60_000},
    {"_id": "7", "title": "T" * 3_000, "text": "Prices\x00 of bonds.", "metadata": {"year": 1960}},
]
QUERIES = [
    {"_id": "q1", "text": "walking robots"},
    {"_id": "q2", "text": "light"},
    {"_id": "q3", "text": "?"},
]


def test_measures_of_a_ranking() -> None:
    ranked, gains = ["x", "a", "y", "b"], {"a": 1.0, "b": 2.0, "c": 1.0}
    found = 1 / math.log2(3) + 2 / math.log2(5)
    best = 2 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg(ranked, gains) == pytest.approx(found / best)
    assert ndcg(["b", "a", "c"], gains) == pytest.approx(1)
    assert ndcg([], gains) == 0
    assert recall(ranked, gains, 2) == pytest.approx(1 / 3)
    assert recall(ranked, gains, 5) == pytest.approx(2 / 3)
    assert reciprocal_rank(ranked, gains) == 0.5
    assert reciprocal_rank(["x"] * 10 + ["a"], gains) == 0
    assert (success(ranked, gains, 1), success(ranked, gains, 5)) == (0, 1)


def test_a_query_without_an_answer_counts_as_nothing_found() -> None:
    figures = quality({"q1": ["a"]}, {"q1": {"a": 1.0}, "q2": {"b": 1.0}})
    assert figures["ndcg@10"] == figures["recall@20"] == figures["success@1"] == 0.5


def test_every_document_goes_in_and_comes_out_under_its_own_id(tmp_path: Path, tiny_encoder: Path) -> None:
    judged = [("q1", "a/1", 1), ("q2", "a 2", 2), ("q2", "A", 0), ("q3", "7", 0)]
    folder = collection(tmp_path / "set", DOCUMENTS, QUERIES, judged)
    steps: list[int] = []
    figures = evaluate(
        folder,
        side="words",
        progress=lambda done, total: steps.append(done),
        encoder_folder=str(tiny_encoder),
    )
    assert (figures["documents"], figures["queries"]) == (7, 2)
    for name in ("ndcg@10", "recall@5", "recall@10", "recall@20", "recall@100", "mrr@10", "success@1"):
        assert figures[name] == 1.0, name
    assert figures["latency_p50_ms"] <= figures["latency_p95_ms"]
    assert figures["index_bytes"] > 0
    assert figures["peak_memory_bytes"] > 10_000_000
    assert figures["documents_per_second"] > 0
    assert sum(steps) > 0


def test_all_sides_are_measured_with_the_same_names(tmp_path: Path, tiny_encoder: Path) -> None:
    folder = collection(tmp_path / "set", DOCUMENTS, QUERIES, [("q1", "a/1", 1)])
    names = [
        list(evaluate(folder, side=side, encoder_folder=str(tiny_encoder)))
        for side in ("both", "words", "meaning")
    ]
    assert names[0] == names[1] == names[2]
    with pytest.raises(EvaluationError, match="meaning cannot be measured"):
        evaluate(folder, side="meaning", encoder_folder=str(tmp_path / "nowhere"))
    with pytest.raises(EvaluationError, match="no side of search"):
        evaluate(folder, side="neither")


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("corpus.jsonl", '{"_id": "a"}\n{"_id": ', r"corpus\.jsonl line 2 is no JSON object"),
        ("corpus.jsonl", "[1]\n", r"corpus\.jsonl line 1 is no JSON object"),
        ("corpus.jsonl", '{"title": "x"}\n', r"corpus\.jsonl line 1 lacks the text '_id'"),
        ("corpus.jsonl", '{"_id": "a"}\n{"_id": "a"}\n', r"line 2: the _id 'a' stands there twice"),
        ("queries.jsonl", '{"_id": "q1"}\n', r"queries\.jsonl line 1 lacks the text 'text'"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\nq1\ta/1\n", r"qrels\.tsv line 2 has 2 fields"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\nq1\ta/1\tmuch\n", "the score 'much' is no number"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\nq1\ta/1\tnan\n", "no finite number"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\nq9\ta/1\t1\n", r"the query 'q9' is not in queries\.jsonl"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\nq1\tb\t1\n", r"the document 'b' is not in corpus\.jsonl"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\nq1\ta/1\t0\n", "judges no document relevant"),
    ],
)
def test_a_broken_collection_is_told_with_file_and_line(
    tmp_path: Path, file: str, text: str, message: str
) -> None:
    folder = collection(tmp_path / "set", DOCUMENTS, QUERIES, [("q1", "a/1", 1)])
    (folder / file).write_text(text)
    with pytest.raises(EvaluationError, match=message):
        read_collection(folder)


def test_missing_and_unreadable_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="is no folder"):
        read_collection(tmp_path / "none")
    folder = collection(tmp_path / "set", DOCUMENTS, QUERIES, [("q1", "a/1", 1)])
    (folder / "corpus.jsonl").write_bytes(b'{"_id": "\xff"}\n')
    with pytest.raises(EvaluationError, match=r"corpus\.jsonl is not UTF-8"):
        read_collection(folder)
    (folder / "corpus.jsonl").unlink()
    with pytest.raises(EvaluationError, match=r"corpus\.jsonl is missing"):
        read_collection(folder)


def test_both_sides_together_are_better_than_either_alone(
    shared: Path, real_encoder: Path, tmp_path: Path
) -> None:
    whole = read_collection(shared / "data" / "bench" / "cranfield")
    # A part of the set, so that this takes seconds: the first questions and what bears on them.
    queries = list(whole.queries)[:60]
    judged = [(q, d, gain) for q in queries for d, gain in whole.judgements[q].items()]
    wanted = dict.fromkeys([d for _, d, _ in judged] + list(whole.documents)[:150])
    documents = [dict(zip(("_id", "title", "text"), (d, *whole.documents[d]), strict=True)) for d in wanted]
    asked = [{"_id": q, "text": whole.queries[q]} for q in queries]
    folder = collection(tmp_path / "part", documents, asked, judged)
    found = {side: evaluate(folder, side=side) for side in ("both", "words", "meaning")}
    for alone in ("words", "meaning"):
        assert found["both"]["ndcg@10"] > found[alone]["ndcg@10"] + 0.01
        assert found["both"]["recall@20"] > found[alone]["recall@20"]
