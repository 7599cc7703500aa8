"""The programs of bench/: other searches do the arithmetic they are said to do, homes grow as they say."""

from __future__ import annotations

import gzip
import re
from itertools import islice, pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from bench.charts import Panel, write_charts
from bench.growing import build, copy_id, copy_number, exchanged, keys_of, noisy
from bench.other_searches import LinearScan, SqliteSearch, TantivySearch, VectorSearch, WeightedSum, min_max
from broadsheet.model.identifiers import arxiv_identifier
from broadsheet.model.papers import Author, Paper
from broadsheet.search import Engine
from broadsheet.sources.files import read_file
from broadsheet.store import Store

PAPERS = [
    Paper(
        1,
        "a",
        "Robots that walk",
        "A robot learns. The robot falls; the robot, a robot.",
        [Author("Ann Lee")],
    ),
    Paper(2, "b", "Light of stars", "What robots see.", [Author("Robota Ray")]),
    Paper(3, "c", "Prices", "Bonds and their prices.", []),
    Paper(4, "d", "Prices", "Bonds and their prices.", []),
]


def test_the_linear_scan_counts_as_arxiv_sanity_lite_does() -> None:
    scan = LinearScan(PAPERS)
    # "robot": 20 for the title and 3, not 4, for the abstract; against 10 for the name and 1.
    assert scan.search("Robot", 10) == [1, 2]
    # Parts of words count, words count as often as they are typed: three names beat a title.
    assert scan.search("ray walk", 10) == [1, 2]
    assert scan.search("ray ray ray walk", 10) == [2, 1]
    # Of equal papers the higher id first; what has no word is not found.
    assert scan.search("bonds", 10) == [4, 3]
    assert scan.search("bonds", 1) == [4]
    assert scan.search("zebra", 10) == []


@pytest.mark.parametrize("kind", [SqliteSearch, TantivySearch])
def test_words_are_stemmed_and_one_of_them_is_enough(kind: type, tmp_path: Path) -> None:
    search = kind(PAPERS, tmp_path)
    assert search.search("walking zebra", 10) == [1]
    assert set(search.search("a robot's price", 10)) == {1, 2, 3, 4}
    assert search.search('title:"(NOT -?!', 10) == search.search("title", 10) == []
    assert search.bytes > 0
    # A word that is repeated counts more, as when the query is given to the library as it is.
    assert search.search("light walking light light", 1) == [2]
    assert search.search("walking light walking walking", 1) == [1]


def test_the_weighted_sum_gives_nothing_for_what_a_side_did_not_find(tmp_path: Path) -> None:
    assert min_max(np.array([4.0, 2.0, 3.0], np.float32)).tolist() == [1, 0, 0.5]
    assert min_max(np.array([4.0], np.float32)).tolist() == [1]
    words = TantivySearch(PAPERS, tmp_path)
    matrix = np.array([[0.6, 0.8], [1, 0], [0.8, 0.6], [0, 1]], np.float32)
    vectors = VectorSearch("vectors", np.arange(1, 5), matrix, lambda text: np.array([1, 0], np.float32))
    assert vectors.search("", 3) == [2, 3, 1]
    # Only paper 1 has the word (0.5); cosines 0.6, 1, 0.8 and 0 are halved.
    assert WeightedSum(words, vectors).search("walk", 4) == [1, 2, 3, 4]


def test_a_copy_has_other_words_a_near_vector_and_an_id_of_its_own() -> None:
    random = np.random.default_rng(1)
    text = " ".join(f"w{number}" for number in range(100))
    changed = exchanged(text, ["other"], random).split()
    assert (len(changed), changed.count("other")) == (100, 25)
    assert exchanged("", ["other"], random) == "" and exchanged("one", ["other"], random) == "other"
    vector = np.ones(384, np.float32) / np.sqrt(np.float32(384))
    near = noisy(vector, random)
    assert np.linalg.norm(near) == pytest.approx(1)
    assert float(near @ vector) == pytest.approx(1 / np.sqrt(1 + 0.36), abs=0.05)
    for number in (0, 89_999, 90_000, 12 * 90_000, 20_000_999):
        identifier = arxiv_identifier(copy_id(number))
        assert identifier is not None
        assert copy_number(Paper(1, identifier.value, "x", identifiers=[identifier])) == number
    real = arxiv_identifier("2401.00001")
    assert real is not None
    assert copy_number(Paper(1, "x", "x", identifiers=[real])) is None


def test_a_home_grows_from_real_papers_to_copies_without_encoding(
    shared: Path, real_encoder: Path, tmp_path: Path
) -> None:
    with gzip.open(shared / "data" / "daily_papers.jsonl.gz", "rt") as lines:
        (tmp_path / "some.jsonl").write_text("".join(islice(lines, 40)))
    source = tmp_path / "source"
    source.mkdir()
    store = Store.open(f"sqlite:///{source / 'broadsheet.db'}")
    store.add(read_file(str(tmp_path / "some.jsonl")))
    engine = Engine.open(source, store)
    engine.follow(store)
    encoded = engine.state().vectors
    engine.close()
    store.close()
    built = build(tmp_path / "homes", 150, source, 60)
    assert (built.papers, built.real, built.unlike) == (150, 60, 60 - encoded)
    # A second time everything is there already.
    assert build(tmp_path / "homes", 150, source, 60) == built
    store = Store.open(f"sqlite:///{built.home / 'broadsheet.db'}")
    engine = Engine.open(built.home, store)
    state = engine.state()
    assert (state.words, state.vectors, state.behind, state.unencoded) == (150, 150, 0, 0)
    papers = store.papers(keys_of(store))
    original = papers[3]
    (copy,) = [paper for paper in papers if copy_number(paper) == 3]
    assert copy.title != original.title and copy.authors == original.authors
    assert original.key in [hit.key for hit in engine.similar(copy.key, 5)]
    exact = np.fromfile(built.home / "exact.f16", np.float16).reshape(150, -1)
    assert np.linalg.norm(exact.astype(np.float32), axis=1) == pytest.approx(1, abs=0.01)
    engine.close()
    store.close()


def test_a_chart_is_whole_svg_with_every_point_inside(tmp_path: Path) -> None:
    lines = {"a < b": [(10_000, 0.3), (1_000_000, 20)], "c": [(10_000, 5), (1_000_000, 20.1)]}
    write_charts(tmp_path / "chart.svg", "Two & more", [Panel("One", lines), Panel("Two", lines)])
    root = ElementTree.parse(tmp_path / "chart.svg").getroot()
    width, height = (float(number) for number in root.attrib["viewBox"].split()[2:])
    space = "{http://www.w3.org/2000/svg}"
    dots = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in root.iter(f"{space}circle")]
    assert len(dots) == 8
    assert all(0 < x < width and 0 < y < height for x, y in dots)
    # Labels of lines that end together do not lie on each other.
    texts = [text for text in root.iter(f"{space}text") if re.search("[ac] ", text.text or "")]
    places = sorted(float(text.attrib["y"]) for text in texts)
    assert all(later - former >= 14 for former, later in pairwise(places))
