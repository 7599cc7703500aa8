"""What a query finds within its restrictions, and with parts that are slow, old or away."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from broadsheet.model.papers import Link, Listing
from broadsheet.search import Engine, Tuning
from broadsheet.search.encoder.install import install
from broadsheet.store import Store
from tests.search import tiny
from tests.search.conftest import made_up, record
from tests.search.slow import slow_encoder

Opener = Callable[..., Engine]

GAIT = record(
    1,
    "Robots learn to walk",
    "A legged machine acquires a gait by trial and error in a simulator. It is then set on real ground.",
    ("Ada Poincaré", "Bo Chen"),
    categories=["cs.RO", "cs.LG"],
    published="2024-03-05",
    listings=[Listing("daily_papers", "2024-03-06", 1, "test")],
)
GRASP = record(
    2,
    "Robots learn to grasp",
    "A hand with three fingers picks up what lies on a table. All of its parts are printed.",
    ("Cy Diaz",),
    links=[Link("code", "https://github.com/example/grasp", "test", "comment")],
    categories=["cs.RO"],
    published="2025-01-10",
)
STARS = record(
    3,
    "Light of distant stars",
    "Spectra of galaxies observed over ten years show how metals spread.",
    ("Ada Poincaré",),
    categories=["astro-ph.GA"],
    published="2025-06-01",
)
LISTED = [GAIT, GRASP, STARS]


def found(store: Store, engine: Engine, query: str, **options: int) -> list[str]:
    hits = engine.search(query, **options).hits
    return [paper.id[-1] for paper in store.papers([hit.key for hit in hits])]


@pytest.fixture
def engine(papers_store: Store, open_engine: Opener, tiny_encoder: Path) -> Engine:
    papers_store.add(LISTED)
    engine = open_engine(tiny_encoder)
    engine.follow()
    return engine


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("robots cat:cs.LG", "1"),
        ("robots cat:cs -grasp", "1"),
        ("robots author:chen", "1"),
        ("robots has:code", "2"),
        ("robots listed:daily_papers", "1"),
        ("robots year:2025", "2"),
        ("robots before:2025", "1"),
        ('"learn to grasp"', "2"),
        ("title:walk", "1"),
        ("robots cat:math", ""),
    ],
)
def test_restrictions_hold_for_words_and_meaning_alike(
    papers_store: Store, engine: Engine, query: str, expected: str
) -> None:
    assert found(papers_store, engine, query) == list(expected)


def test_filters_alone_list_all_that_fulfil_them_newest_first(papers_store: Store, engine: Engine) -> None:
    assert found(papers_store, engine, "cat:cs.RO") == ["2", "1"]
    assert found(papers_store, engine, "author:poincare") == ["3", "1"]
    answer = engine.search("cat:cs.RO", limit=1, offset=1)
    assert (answer.total, len(answer.hits), answer.hits[0].reason) == (2, 1, "filters")


def test_another_order_is_kept_to_what_is_relevant(
    papers_store: Store, open_engine: Opener, real_encoder: Path
) -> None:
    papers_store.add(LISTED)
    engine = open_engine(real_encoder)
    engine.follow()
    assert found(papers_store, engine, "robots learn to walk in a simulator")[:2] == ["1", "2"]
    assert found(papers_store, engine, "robots learn sort:date") == ["2", "1"]


def test_facets_count_what_was_found_and_know_what_was_chosen(engine: Engine) -> None:
    answer = engine.search("cat:cs.RO", extras=True)
    facets = {facet.name: {value.value: value for value in facet.values} for facet in answer.facets}
    assert {year: value.count for year, value in facets["year"].items()} == {"2025": 1, "2024": 1}
    assert facets["category"]["cs.RO"].chosen
    assert not facets["category"]["cs.LG"].chosen
    assert engine.search("cat:cs.RO").facets == []


def test_a_pasted_entry_finds_its_paper(papers_store: Store, engine: Engine) -> None:
    entry = "@article{x, title={Something else}, eprint={2401.00002}, archivePrefix={arXiv}}"
    assert found(papers_store, engine, entry) == ["2"]
    entry = "@article{y, title = {Light of Distant Stars}, year = 2025}"
    assert found(papers_store, engine, entry)[0] == "3"


def test_the_sentence_nearest_to_the_query_is_told(
    papers_store: Store, open_engine: Opener, real_encoder: Path
) -> None:
    papers_store.add(LISTED)
    engine = open_engine(real_encoder)
    engine.follow()
    hit = engine.search("picking up objects from a desk with a robotic gripper").hits[0]
    assert papers_store.papers([hit.key])[0].id.endswith("2")
    assert hit.sentence == 1


def test_the_nearest_sentence_of_papers_further_down_is_told_too(
    papers_store: Store, open_engine: Opener, real_encoder: Path
) -> None:
    papers_store.add(LISTED)
    engine = open_engine(real_encoder, tuning=Tuning(rescored=1))
    engine.follow()
    hits = engine.search("robots learn to walk by trial and error").hits
    assert len(hits) > 1
    assert all(hit.sentence is not None for hit in hits)


def test_nearly_the_same_paper_stands_behind_the_first(
    papers_store: Store, open_engine: Opener, tiny_encoder: Path
) -> None:
    text = "graph network neural language model video image robot walk learn deep query search paper"
    papers_store.add([record(1, "Graph models", text), record(2, "Graph models again", text)])
    papers_store.add(made_up(20, first=10))
    engine = open_engine(tiny_encoder)
    engine.follow()
    answer = engine.search("graph models network", limit=50)
    first = next(hit for hit in answer.hits if hit.key in (1, 2))
    assert first.folded == (3 - first.key,)
    assert first.folded[0] not in [hit.key for hit in answer.hits]
    apart = open_engine(tiny_encoder, tuning=Tuning(fold=False)).search("graph models network", limit=50)
    assert apart.total == answer.total + sum(len(hit.folded) for hit in answer.hits)


def test_similar_papers_do_not_repeat_each_other(
    papers_store: Store, open_engine: Opener, tiny_encoder: Path
) -> None:
    text = "graph network neural language model video image robot walk learn deep query search paper"
    papers_store.add([record(i, f"Graph models {i}", text) for i in range(1, 5)])
    papers_store.add(made_up(40, first=10))
    engine = open_engine(tiny_encoder)
    engine.follow()
    keys = [papers_store.resolve(f"2401.{i:05}") for i in range(1, 5)]
    similar = [hit.key for hit in engine.similar_to(keys[:1], 5)]
    assert len(similar) == len(set(similar)) == 5
    assert keys[0] not in similar
    # The three that say the same are as near as can be, and yet do not take all the places.
    assert len(set(similar) & set(keys)) < 3
    both = [hit.key for hit in engine.similar_to(keys[:2], 5)]
    assert not set(both) & set(keys[:2])


def test_a_slow_encoder_is_not_waited_for(papers_store: Store, open_engine: Opener, tmp_path: Path) -> None:
    papers_store.add(LISTED)
    engine = open_engine(slow_encoder(tmp_path / "slow"))
    assert engine.follow().vectors == 3
    assert engine.search("robots").notes == []
    answer = engine.search("robots " + "graph network video " * 60)
    assert "Searched by words alone: the encoder did not answer in time." in answer.notes
    assert {key for hit in answer.hits for key in (hit.key, *hit.folded)} == {1, 2}


def test_a_former_encoder_answers_until_the_new_one_is_done(
    papers_store: Store, open_engine: Opener, tiny_encoder: Path, tmp_path: Path
) -> None:
    papers_store.add(made_up(300))
    old = tmp_path / "old"
    shutil.copytree(tiny_encoder, old)
    open_engine(old).follow()
    shutil.rmtree(old)
    install(tiny.files(seed=2), tmp_path / "new")
    engine = open_engine(tmp_path / "new")
    assert engine.state().unencoded == 300
    by_meaning = engine.search("graph network").hits
    assert any(hit.meaning for hit in by_meaning)
    assert not engine.search("graph network").notes
    assert engine.follow().vectors == 300
    assert {path.name[:8] for path in (tmp_path / "index").glob("*-*")} == {"vectors-", "encoder-"}
    assert len(list((tmp_path / "index").glob("*-*"))) == 2
    after = engine.search("graph network").hits
    assert [hit.meaning for hit in after] != [hit.meaning for hit in by_meaning]
    fresh = open_engine(tmp_path / "new").search("graph network").hits
    assert fresh == after


def test_an_encoder_that_was_lost_still_answers_from_the_index(
    papers_store: Store, open_engine: Opener, tiny_encoder: Path, tmp_path: Path
) -> None:
    papers_store.add(made_up(50))
    open_engine(tiny_encoder).follow()
    engine = open_engine(tmp_path / "nowhere")
    assert any(hit.meaning for hit in engine.search("graph network").hits)
    assert "model.onnx is missing" in engine.state().message


def test_a_phrase_that_no_paper_has_is_searched_by_its_words(papers_store: Store, engine: Engine) -> None:
    answer = engine.search('"walk to learn robots"')
    assert "No paper has that phrase; its words were searched for." in answer.notes
    assert papers_store.papers([answer.hits[0].key])[0].id.endswith("1")
