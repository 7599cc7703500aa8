"""Search as a person meets it: ids, titles, words, meaning, and what happens when parts are away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Listing
from broadsheet.search import Engine
from broadsheet.store import Store
from tests.search.conftest import made_up, record

Opener = Callable[..., Engine]

ROBOT = record(1, "Robots learn to walk", "A legged machine acquires a gait by trial and error.")
STARS = record(2, "Light of distant stars", "Spectra of galaxies observed over ten years.", ("Ada Poincaré",))
MARKET = record(3, "Prices on a market", "How traders form expectations about bonds.", ("Bo Chen",))
GRAPHS = record(4, "Graph networks for proteins", "Message passing predicts how a protein folds.")
LISTED = [ROBOT, STARS, MARKET, GRAPHS]


def ids(store: Store, engine: Engine, query: str, **options: int) -> list[str]:
    return [paper.id for paper in store.papers([hit.key for hit in engine.search(query, **options).hits])]


@pytest.fixture
def filled(papers_store: Store) -> Store:
    papers_store.add(LISTED)
    return papers_store


@pytest.mark.parametrize(
    "query",
    ["2401.00002", "arXiv:2401.00002v3", "https://arxiv.org/pdf/2401.00002", "10.48550/arXiv.2401.00002"],
)
def test_an_id_in_any_form_finds_its_paper_alone(
    filled: Store, open_engine: Opener, tiny_encoder: Path, query: str
) -> None:
    engine = open_engine(tiny_encoder)
    engine.follow()
    answer = engine.search(query)
    assert [hit.reason for hit in answer.hits] == ["id"]
    assert answer.hits[0].key == filled.resolve("2401.00002")
    assert (answer.total, answer.hits[0].score, answer.notes) == (1, 1.0, [])


def test_an_unknown_id_is_said_to_be_unknown(filled: Store, open_engine: Opener, tiny_encoder: Path) -> None:
    engine = open_engine(tiny_encoder)
    engine.follow()
    answer = engine.search("https://arxiv.org/abs/2402.99999")
    assert (answer.hits, answer.notes) == ([], ["No paper with the id 2402.99999 is known here."])


def test_a_typed_title_stands_first_whatever_else_matches(
    filled: Store, open_engine: Opener, tiny_encoder: Path
) -> None:
    better = "robots learn to walk robots learn to walk"
    filled.add([record(9, f"{better} and robots", better * 5)])
    engine = open_engine(tiny_encoder)
    engine.follow()
    answer = engine.search("  robots LEARN to walk! ")
    assert answer.hits[0].key == filled.resolve("2401.00001")
    assert answer.hits[0].reason == "title"
    assert answer.hits[1].reason == "words and meaning"
    assert [hit.key for hit in answer.hits].count(answer.hits[0].key) == 1


def test_words_are_stemmed_and_accents_folded(filled: Store, open_engine: Opener, tiny_encoder: Path) -> None:
    engine = open_engine(tiny_encoder, side="words")
    engine.follow(encode=False)
    assert ids(filled, engine, "protein folding") == ["2401.00004"]
    assert ids(filled, engine, "poincare") == ["2401.00002"]
    assert ids(filled, engine, "POINCARÉ galaxy") == ["2401.00002"]


def test_one_of_the_words_is_enough_and_stop_words_choose_nothing(
    filled: Store, open_engine: Opener, tiny_encoder: Path
) -> None:
    engine = open_engine(tiny_encoder, side="words")
    engine.follow(encode=False)
    assert ids(filled, engine, "what is the best way to model a bond between unicorns") == ["2401.00003"]
    assert "2401.00003" in ids(filled, engine, "how about the")


def test_meaning_finds_what_shares_no_word(filled: Store, open_engine: Opener, real_encoder: Path) -> None:
    engine = open_engine(real_encoder)
    engine.follow()
    answer = engine.search("teaching quadrupeds locomotion with reinforcement")
    assert answer.hits[0].key == filled.resolve("2401.00001")
    assert answer.hits[0].reason == "meaning"


def test_a_score_is_the_sum_of_its_shares(filled: Store, open_engine: Opener, real_encoder: Path) -> None:
    engine = open_engine(real_encoder)
    engine.follow()
    answer = engine.search("graph networks that predict protein structure")
    assert answer.hits[0].reason == "words and meaning"
    scores = [hit.score for hit in answer.hits]
    assert scores == sorted(scores, reverse=True)
    for hit in answer.hits:
        assert 0 < hit.score <= 1
        assert hit.words is not None
        assert hit.meaning is not None
        assert hit.score == pytest.approx(hit.words + hit.meaning, abs=1e-6)


def test_a_name_is_not_outranked_by_what_is_least_far_in_meaning(
    filled: Store, open_engine: Opener, real_encoder: Path
) -> None:
    engine = open_engine(real_encoder)
    engine.follow()
    assert ids(filled, engine, "Bo Chen")[0] == "2401.00003"


@pytest.mark.parametrize(
    "query",
    ["", "   ", "!!! ??? ...", "\x00\x01", "((((", '"', "a AND OR NOT (", "title:[", "*", "-x", "\ud800",
     "😀", "🤖 robots", "שלום עולם", "机器人学习行走", "'; DROP TABLE papers; --", "x" * 100_000,
     "ab " * 50_000,
     " ".join(f"w{i}" for i in range(20_000)), "/.*/", "\\", "^~1", "robots" + "\n" * 50 + "walk"],
)  # fmt: skip
def test_no_query_fails(filled: Store, open_engine: Opener, tiny_encoder: Path, query: str) -> None:
    engine = open_engine(tiny_encoder)
    engine.follow()
    answer = engine.search(query)
    assert answer.query == query
    assert answer.total >= len(answer.hits)


def test_what_cannot_be_searched_for_is_said(filled: Store, open_engine: Opener, tiny_encoder: Path) -> None:
    engine = open_engine(tiny_encoder)
    engine.follow()
    assert engine.search("?! …").notes == [
        "Nothing was searched for: the query has neither letters nor digits."
    ]
    assert engine.search("?! …").hits == []
    long = engine.search("robots walk " + "x" * 100_000)
    assert long.notes == ["The query has 100,012 characters; the first 10,000 were searched for."]
    assert filled.papers([long.hits[0].key])[0].id == "2401.00001"


def test_pages_do_not_overlap_and_reach_the_total(
    papers_store: Store, open_engine: Opener, tiny_encoder: Path
) -> None:
    papers_store.add(made_up(150))
    engine = open_engine(tiny_encoder)
    engine.follow()
    total = engine.search("graph network").total
    assert 0 < total <= 150
    seen = [
        hit.key for start in range(0, total, 20) for hit in engine.search("graph network", 20, start).hits
    ]
    assert len(seen) == len(set(seen)) == total
    assert engine.search("graph network", 20, total).hits == []
    assert engine.search("graph network", -5, -5).hits == []


def test_without_an_encoder_words_alone_answer_and_say_so(
    filled: Store, open_engine: Opener, tmp_path: Path
) -> None:
    engine = open_engine(tmp_path / "nowhere")
    assert engine.follow().complete
    answer = engine.search("protein")
    assert answer.notes == ["Searched by words alone: no encoder is installed."]
    assert [(hit.reason, hit.meaning) for hit in answer.hits] == [("words", None)]
    state = engine.state()
    assert (state.encoder, state.words, state.vectors) == ("", 4, 0)
    assert "make install" in state.message
    assert engine.similar(filled.resolve("2401.00004") or 0) == []


def test_while_papers_are_encoded_words_alone_answer(
    filled: Store, open_engine: Opener, tiny_encoder: Path
) -> None:
    engine = open_engine(tiny_encoder)
    engine.follow(encode=False)
    answer = engine.search("protein")
    assert answer.notes == ["Searched by words alone: the papers are still being encoded."]
    assert engine.state().unencoded == 4
    engine.follow()
    assert engine.search("protein").notes == []
    assert engine.state().unencoded == 0


def test_similar_papers_come_from_vectors_without_the_paper_itself(
    papers_store: Store, open_engine: Opener, real_encoder: Path
) -> None:
    papers_store.add([*LISTED, record(5, "A machine that walks", "Locomotion of robots with two legs.")])
    engine = open_engine(real_encoder)
    engine.follow()
    key, nearest = papers_store.resolve("2401.00001"), papers_store.resolve("2401.00005")
    assert key and nearest
    similar = engine.similar(key, limit=3)
    assert similar[0].key == nearest
    assert key not in [hit.key for hit in similar]
    assert len(similar) <= 3
    assert engine.similar(999_999) == []


def test_similar_papers_share_words_where_there_is_no_vector_yet(
    papers_store: Store, open_engine: Opener, tiny_encoder: Path
) -> None:
    papers_store.add([*LISTED, record(5, "Robots that walk far", "They walk.")])
    engine = open_engine(tiny_encoder)
    engine.follow(encode=False)
    similar = engine.similar(papers_store.resolve("2401.00001") or 0)
    assert [hit.key for hit in similar] == [papers_store.resolve("2401.00005")]
    assert similar[0].reason == "words"


def test_sides_can_be_searched_alone(filled: Store, open_engine: Opener, real_encoder: Path) -> None:
    open_engine(real_encoder).follow()
    words = open_engine(real_encoder, side="words").search("quadruped robots")
    assert [(hit.reason, hit.meaning) for hit in words.hits] == [("words", None)]
    meaning = open_engine(real_encoder, side="meaning").search("quadruped robots")
    assert {(hit.reason, hit.words) for hit in meaning.hits} == {("meaning", None)}
    with pytest.raises(ValueError, match="no side of search"):
        open_engine(real_encoder, side="both sides")


def test_changed_and_joined_papers_are_found_as_they_are_now(
    papers_store: Store, open_engine: Opener, tiny_encoder: Path
) -> None:
    papers_store.add([record(1, "Old title about unicorns", "")])
    engine = open_engine(tiny_encoder)
    engine.follow()
    assert ids(papers_store, engine, "unicorns") == ["2401.00001"]
    papers_store.add([record(1, "Old title about unicorns", "An abstract about dragons.")])
    engine.follow()
    assert ids(papers_store, engine, "dragons") == ["2401.00001"]
    assert engine.state().words == 1
    assert engine.state().vectors == 1


def test_only_another_text_is_encoded_again(
    papers_store: Store, open_engine: Opener, tiny_encoder: Path
) -> None:
    papers_store.add(made_up(10))
    engine = open_engine(tiny_encoder)
    assert engine.follow().vectors == 10
    voted = made_up(10)
    for paper in voted:
        paper.listings = [Listing("daily_papers", "2026-05-01", 1, "test", upvotes=7)]
        paper.upvotes = 7
    assert papers_store.add(voted).updated == 10
    outcome = engine.follow()
    assert (outcome.words, outcome.vectors) == (10, 0)
    changed = made_up(1)
    changed[0].abstract = "quantum light " * 50
    papers_store.add(changed)
    assert engine.follow().vectors == 1


def test_searches_go_on_while_papers_are_added(
    papers_store: Store, open_engine: Opener, tiny_encoder: Path
) -> None:
    papers_store.add(made_up(300))
    engine = open_engine(tiny_encoder)
    engine.follow(encode=False)
    stop, failures = threading.Event(), []

    def search() -> None:
        while not stop.is_set():
            try:
                assert engine.search("graph network", 20).hits
            except BaseException as error:
                failures.append(error)
                return

    searchers = [threading.Thread(target=search) for _ in range(3)]
    for thread in searchers:
        thread.start()
    for start in (1_000, 2_000, 3_000):
        papers_store.add(made_up(300, seed=start, first=start))
        engine.follow()
    stop.set()
    for thread in searchers:
        thread.join()
    assert failures == []
    assert engine.state().vectors == engine.state().words == 1_200


def test_what_another_engine_indexes_is_found_without_a_restart(
    papers_store: Store, open_engine: Opener, tiny_encoder: Path
) -> None:
    reader, writer = open_engine(tiny_encoder), open_engine(tiny_encoder)
    assert reader.search("protein").hits == []
    papers_store.add(LISTED)
    writer.follow()
    assert ids(papers_store, reader, "protein")[0] == "2401.00004"
    assert reader.state().vectors == 4
    writer.reindex()
    papers_store.add([record(7, "Protein again", "unicorns")])
    writer.follow()
    assert ids(papers_store, reader, "unicorns")[0] == "2401.00007"
    assert reader.state().vectors == 5


def test_only_one_follows_at_a_time_and_the_other_is_told(
    filled: Store, open_engine: Opener, tiny_encoder: Path
) -> None:
    one, other = open_engine(tiny_encoder), open_engine(tiny_encoder)
    told = []
    one.follow(progress=lambda done, total: told.append(other.follow().message))
    assert "Another process is bringing the index up to date" in told[0]
    assert other.follow().complete


def test_documents_without_identifier_of_papers_are_found_too(
    papers_store: Store, open_engine: Opener, tiny_encoder: Path
) -> None:
    named = record(1, "Same title", "graph")
    named.identifiers = [Identifier("title", "title-00000000000000aa")]
    other = record(1, "Same title", "graph")
    other.identifiers = [Identifier("title", "title-00000000000000bb")]
    assert papers_store.add([named, other]).new == 2
    engine = open_engine(tiny_encoder)
    engine.follow()
    assert engine.search("same title").total == 2
