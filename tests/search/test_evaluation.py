"""`broadsheet eval`: the measures are arithmetic, the collection goes through the real engine whole."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from broadsheet.search.engine import Answer, Hit
from broadsheet.search.evaluation import (
    EvaluationError,
    Setting,
    by_query,
    evaluate,
    largest_changes,
    measured,
    ndcg,
    paired,
    quality,
    read_collection,
    read_needs,
    recall,
    reciprocal_rank,
    report,
    success,
)
from broadsheet.search.evaluation.runs import found_keys
from broadsheet.search.evaluation.settings import replaced
from broadsheet.store import Store
from tests.search.conftest import record


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
        Setting("words", str(tiny_encoder)),
        progress=lambda done, total: steps.append(done),
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
        list(evaluate(folder, Setting(side, str(tiny_encoder)))) for side in ("both", "words", "meaning")
    ]
    assert names[0] == names[1] == names[2]
    with pytest.raises(EvaluationError, match="meaning cannot be measured"):
        evaluate(folder, Setting("meaning", str(tmp_path / "nowhere")))


def test_a_set_is_measured_as_the_command_line_has_always_printed_it(
    tmp_path: Path, tiny_encoder: Path
) -> None:
    folder = collection(tmp_path / "set", DOCUMENTS, QUERIES, [("q1", "a/1", 1)])
    assert list(evaluate(folder, Setting(encoder=str(tiny_encoder)))) == [
        "ndcg@10", "recall@5", "recall@10", "recall@20", "recall@100", "mrr@10", "success@1", "success@5",
        "success@10", "latency_p50_ms", "latency_p95_ms", "documents_per_second", "index_bytes",
        "peak_memory_bytes", "documents", "queries", "side", "encoder",
    ]  # fmt: skip


# -- comparing


def test_a_difference_that_chance_makes_half_the_time_is_no_difference() -> None:
    # All four queries gain the same: of the 16 ways to exchange their values 2 differ as much.
    found = paired([([0.5, 0.6, 0.7, 0.8], [0.4, 0.5, 0.6, 0.7])])
    assert (found.setting, found.against) == (pytest.approx(0.65), pytest.approx(0.55))
    assert (found.difference, found.low, found.high) == tuple(pytest.approx(0.1) for _ in range(3))
    assert found.p == 2 / 16
    assert (found.wins, found.ties, found.losses) == (4, 0, 0)
    # One gains what another loses: every way differs as much or more.
    level = paired([([1.0, 0.0, 0.3], [0.0, 1.0, 0.3])])
    assert (level.difference, level.p) == (0, 1)
    assert (level.wins, level.ties, level.losses) == (1, 1, 1)


def test_drawn_figures_are_those_of_the_binomial_distribution() -> None:
    # 20 queries, 16 gain and 4 lose the same: the chance of 16 or more heads, or tails, of 20 coins.
    found = paired([([1.0] * 16 + [0.0] * 4, [0.0] * 16 + [1.0] * 4)])
    exact = 2 * sum(math.comb(20, heads) for heads in range(16, 21)) / 2**20
    assert found.p == pytest.approx(exact, abs=0.004)
    # Of 20 draws with 0.8 for a gain 2.5 % have fewer than 12 gains and 2.5 % more than 19.
    assert found.difference == pytest.approx((16 - 4) / 20)
    assert found.low == pytest.approx((12 - 8) / 20)
    assert found.high == pytest.approx((19 - 1) / 20)


def test_equal_settings_do_not_differ_and_exchanged_ones_differ_the_other_way() -> None:
    values = [
        [math.sin(place) ** 2 for place in range(40)],
        [math.cos(place * 2) ** 2 for place in range(40)],
    ]
    same = paired([(values[0], values[0])])
    assert (same.difference, same.low, same.high, same.p) == (0, 0, 0, 1)
    assert (same.wins, same.ties, same.losses) == (0, 40, 0)
    one, other = paired([(values[0], values[1])]), paired([(values[1], values[0])])
    assert one == paired([(values[0], values[1])])
    assert other.difference == -one.difference
    assert (other.low, other.high) == (pytest.approx(-one.high), pytest.approx(-one.low))
    assert (other.p, other.wins, other.losses) == (one.p, one.losses, one.wins)
    assert one.low < one.difference < one.high


def test_of_several_sets_each_counts_the_same() -> None:
    small, large = ([1.0, 1.0], [0.0, 0.0]), ([0.0] * 30, [0.0] * 30)
    found = paired([small, large])
    assert (found.setting, found.against, found.difference) == (0.5, 0, 0.5)
    # Drawn anew within each set, so that the small one is never left out.
    assert (found.low, found.high) == (pytest.approx(0.5), pytest.approx(0.5))
    assert (found.wins, found.ties) == (2, 30)
    assert found.p == 0.5


def test_the_queries_that_gain_and_lose_most_are_named() -> None:
    setting = {"a": 1.0, "b": 0.2, "c": 0.5, "d": 0.0, "e": 0.7}
    against = {"a": 0.4, "b": 0.9, "c": 0.5, "d": 0.1, "e": 0.5}
    gains, losses = largest_changes(setting, against)
    assert [(change.query, change.setting, change.against) for change in gains] == [
        ("a", 1.0, 0.4),
        ("e", 0.7, 0.5),
    ]
    assert [change.query for change in losses] == ["b", "d"]
    assert [change.query for change in largest_changes(setting, against, 1)[1]] == ["b"]


def test_measures_of_each_query_have_the_mean_that_is_printed() -> None:
    rankings, judged = {"q1": ["a", "b"], "q2": ["b"]}, {"q1": {"a": 1.0}, "q2": {"c": 1.0, "b": 1.0}}
    for name, values in by_query(rankings, judged).items():
        assert list(values) == ["q1", "q2"]
        assert sum(values.values()) / 2 == pytest.approx(quality(rankings, judged)[name])


def test_two_sides_are_compared_on_one_index(tmp_path: Path, tiny_encoder: Path) -> None:
    folder = collection(tmp_path / "set", DOCUMENTS, QUERIES, [("q1", "a/1", 1), ("q2", "a 2", 1)])
    words, both = (Setting(side, str(tiny_encoder)) for side in ("words", "both"))
    steps: list[tuple[int, int]] = []
    pair = measured(folder, [words, both], progress=lambda done, total: steps.append((done, total)))
    for run in pair:
        alone = evaluate(folder, run.setting)
        for name, values in run.values.items():
            assert sum(values.values()) / 2 == pytest.approx(alone[name]), name
    # Every document is looked at once for its words and once for its vector.
    assert sum(done for done, _ in steps) == steps[-1][1] == 2 * len(DOCUMENTS)
    told = report.as_json([pair])
    assert told["setting"].startswith("side=words") and "side" not in told["against"]
    assert (told["sets"][0]["queries"], told["sets"][0]["documents"]) == (2, 7)
    ndcg_found = told["sets"][0]["measures"]["ndcg@10"]
    assert set(ndcg_found) == {
        "setting", "against", "difference", "low", "high", "p", "wins", "ties", "losses",
        "largest_gains", "largest_losses",
    }  # fmt: skip
    assert set(told["sets"][0]["latency_p50_ms"]) == {"setting", "against"}
    assert "all_sets" not in told and "all_sets" in report.as_json([pair, pair])
    text = report.as_text([pair, pair])
    assert "ndcg@10 of all sets" in text and "2 queries, 7 documents" in text
    assert json.loads(json.dumps(told)) == told


def test_a_setting_compared_with_itself_differs_nowhere(tmp_path: Path, tiny_encoder: Path) -> None:
    folder = collection(tmp_path / "set", DOCUMENTS, QUERIES, [("q1", "a/1", 1), ("q2", "a 2", 1)])
    setting = Setting(encoder=str(tiny_encoder))
    told = report.as_json([measured(folder, [setting, setting])])
    for found in told["sets"][0]["measures"].values():
        assert (found["difference"], found["p"], found["ties"]) == (0, 1, 2)
        assert found["largest_gains"] == found["largest_losses"] == []


def test_without_an_encoder_nothing_is_compared_by_halves(tmp_path: Path) -> None:
    folder = collection(tmp_path / "set", DOCUMENTS, QUERIES, [("q1", "a/1", 1)])
    with pytest.raises(EvaluationError, match="meaning cannot be measured"):
        measured(folder, [Setting("words"), Setting(encoder=str(tmp_path / "nowhere"))])


# -- settings as text


@dataclass(frozen=True)
class Knobs:
    weight: float = 0.5
    depth: int = 10
    rerank: bool = True
    model: str = "small"
    floor: float | None = 0.2
    parts: tuple[int, ...] = (1, 2)


def test_settings_are_read_by_the_types_of_their_defaults() -> None:
    read = replaced(Knobs(), {"weight": "1", "depth": "7", "rerank": "off", "model": "big", "floor": "none"})
    assert read == Knobs(1.0, 7, False, "big", None)
    assert isinstance(read.weight, float)
    assert replaced(Knobs(), {}) == Knobs()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("weigth", "1", r"no setting 'weigth'.*weight=0\.5, depth=10"),
        ("weight", "much", "weight=much: 'much' is not a number"),
        ("weight", "nan", "is not a number"),
        ("depth", "1.5", "is not a whole number"),
        ("rerank", "maybe", "is not true or false"),
        ("floor", "low", "is not none or a number"),
        ("parts", "1", "parts cannot be set by text"),
    ],
)
def test_a_setting_that_cannot_be_is_told_with_what_would_be_right(
    name: str, text: str, message: str
) -> None:
    with pytest.raises(EvaluationError, match=message):
        replaced(Knobs(), {name: text})


def test_a_setting_is_written_as_it_is_read() -> None:
    assert Setting.parse(["default"]) == Setting.parse([]) == Setting()
    assert str(Setting()) == "default"
    assert Setting.parse(["words"]) == Setting.parse(["side=both", "side=words"]) == Setting("words")
    said = str(Setting.parse(["encoder=/some where", "meaning"]))
    assert said == "side=meaning encoder=/some where"
    for pairs, message in (
        (["side=neither"], "no side of search"),
        (["nothing"], "write NAME=VALUE"),
        (["nothing=1"], "no setting 'nothing'"),
    ):
        with pytest.raises(EvaluationError, match=message):
            Setting.parse(pairs)


# -- needs that are judged on the papers of a home


def needs(folder: Path, queries: list[dict], judgements: list[tuple]) -> Path:
    collection(folder, [], queries, judgements)
    (folder / "corpus.jsonl").unlink()
    return folder


def test_needs_are_judged_on_the_papers_of_a_home(tmp_path: Path, papers_store: Store) -> None:
    papers_store.add(
        [record(1, "Robots that walk"), record(2, "Light of stars"), record(3, "Prices of bonds")]
    )
    folder = needs(
        tmp_path / "needs",
        [{"_id": "n1", "text": "walking robot"}, {"_id": "n2", "text": "star"}, {"_id": "n3", "text": "x"}],
        [
            ("n1", "https://arxiv.org/abs/2401.00001v2", 1),
            ("n1", "2401.00001", 2),
            ("n2", "2401.00002", 1),
            ("n2", "2401.99999", 1),
            ("n3", "2401.99998", 1),
        ],
    )
    found = read_needs(folder, papers_store)
    assert list(found.queries) == ["n1", "n2"]
    assert list(found.judgements["n1"].values()) == [2.0]
    assert (found.unknown, found.unanswered) == (["2401.99999", "2401.99998"], ["n3"])
    with pytest.raises(EvaluationError, match=r"corpus\.jsonl is missing"):
        evaluate(folder, Setting("words"))
    figures = evaluate(folder, Setting("words"), home=tmp_path)
    assert figures["ndcg@10"] == figures["success@1"] == 1
    assert (figures["documents"], figures["queries"], figures["queries_left_out"]) == (3, 2, 1)
    assert "documents_per_second" not in figures


def test_a_collection_is_hidden_among_the_papers_of_a_copy_of_a_home(
    tmp_path: Path, tiny_encoder: Path
) -> None:
    folder = collection(tmp_path / "set", DOCUMENTS, QUERIES, [("q1", "a/1", 1)])
    setting = Setting("words", str(tiny_encoder))
    home = tmp_path / "home"
    home.mkdir()
    store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    store.add([record(1, "Robots that walk and walk"), record(2, "Prices of bonds")])
    store.close()
    hidden = evaluate(folder, setting, home=home)
    assert (hidden["documents"], hidden["success@1"], hidden["success@5"]) == (9, 0, 1)
    assert "documents_per_second" not in hidden
    assert evaluate(folder, setting)["success@1"] == 1
    assert not (home / "index").exists()


def test_what_a_home_cannot_be_measured_for_is_told(
    tmp_path: Path, papers_store: Store, tiny_encoder: Path
) -> None:
    papers_store.add([record(1, "Robots that walk")])
    folder = needs(tmp_path / "needs", [{"_id": "n1", "text": "robot"}], [("n1", "2401.00001", 1)])
    with pytest.raises(EvaluationError, match="no paper of this home is encoded by this encoder"):
        evaluate(folder, Setting(encoder=str(tiny_encoder)), home=tmp_path)
    with pytest.raises(EvaluationError, match=r"broadsheet\.db is missing"):
        evaluate(folder, home=tmp_path / "none")
    strange = needs(tmp_path / "strange", [{"_id": "n1", "text": "robot"}], [("n1", "2401.77777", 1)])
    with pytest.raises(EvaluationError, match="none of the 1 judged papers is in this home"):
        evaluate(strange, home=tmp_path)


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
    found = {side: evaluate(folder, Setting(side)) for side in ("both", "words", "meaning")}
    for alone in ("words", "meaning"):
        assert found["both"]["ndcg@10"] > found[alone]["ndcg@10"] + 0.01
        assert found["both"]["recall@20"] > found[alone]["recall@20"]


def test_the_command_compares_settings_of_several_sets(tmp_path: Path, tiny_encoder: Path) -> None:
    folders = [
        collection(tmp_path / name, DOCUMENTS, QUERIES, [("q1", "a/1", 1), ("q2", "a 2", 1)])
        for name in ("one", "two")
    ]

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "broadsheet.cli", "eval", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    encoder = f"encoder={tiny_encoder}"
    told = json.loads(run(*folders, "--set", encoder, "--against", encoder, "--against", "words").stdout)
    assert [one["set"] for one in told["sets"]] == ["one", "two"]
    assert told["against"] == f"side=words {encoder}"
    assert told["all_sets"]["recall@20"]["ties"] == 4
    figures = json.loads(run(*folders, "--side", "words").stdout)
    assert [one["side"] for one in figures["sets"].values()] == ["words", "words"]
    assert json.loads(run(folders[0], "--side", "words").stdout)["success@1"] == 1
    mistake = run(folders[0], "--against", "weights=much")
    assert mistake.returncode == 1 and "no setting 'weights'" in mistake.stderr


def test_an_answer_without_the_encoder_is_asked_for_again() -> None:
    class Busy:
        """An engine whose encoder is too slow ``times`` times."""

        def __init__(self, times: int):
            self.times = times

        def search(self, text: str, limit: int) -> Answer:
            self.times -= 1
            notes = ["Searched by words alone: the encoder did not answer in time."]
            return Answer(query=text, hits=[Hit(7, 1.0, 1.0, None, "words")], notes=notes * (self.times >= 0))

    assert found_keys(Busy(2), "robots") == [7]  # type: ignore[arg-type]
    with pytest.raises(EvaluationError, match="measure when the machine is less busy"):
        found_keys(Busy(1_000), "robots")  # type: ignore[arg-type]
