"""What is suggested while a person types, and what a query may have been meant to say."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from bench.suggestions import mistyped, same
from broadsheet.model.papers import Paper, Record
from broadsheet.search.analysis import STOP_WORDS
from broadsheet.search.spelling import did_you_mean
from broadsheet.search.suggestions import suggestions
from broadsheet.search.words import Words
from broadsheet.store import Store
from tests.search.conftest import record

TODAY, LAST_YEAR, LONG_AGO = ((date.today() - timedelta(days)).isoformat() for days in (1, 400, 2_000))

PAPERS = [
    record(
        1, "Herons wait for fish at dawn", "They stand.", ("Ada Lovelace", "Emmy Noether"), published=TODAY
    ),
    record(2, "Herons wait for frogs", "They stand.", ("Ada Lovelace",), published=LAST_YEAR),
    record(
        3, "Why herons wait for rain", "They stand.", ("Émilie du Châtelet",), published=TODAY, upvotes=900
    ),
    record(4, "Herons Wait For Fish At Dawn!", "A second telling of it, by others.", published=LONG_AGO),
    record(5, "Waiting times of herons", "Fish.", ("Noether Emmanuel",), published=TODAY, upvotes=3),
    record(
        6,
        "Reed beds",
        "Plants.",
        ("Bo Chen",),
        published=TODAY,
        ai_keywords=["Reed Warblers", "marsh birds", "marsh birds of Europe"],
    ),
    record(7, "Marshes", "Water.", ("Bo Chen",), published=TODAY, ai_keywords=["marsh birds", "marsh bird"]),
    record(8, "Old marshes", "Mud.", published=LONG_AGO, ai_keywords=["marsh gas"]),
    record(9, r"A bound for Poincar\'e maps", "Sections of orbits.", published=TODAY),
    record(10, "LLaVA-NeXT looks twice", "Pictures.", published=TODAY),
]


@pytest.fixture
def index(tmp_path: Path, papers_store: Store) -> Iterator[Callable[[list[Record]], Words]]:
    """Makes the words index of papers that are stored before."""
    words = Words(tmp_path / "words")

    def fill(records: list[Record]) -> Words:
        report = papers_store.add(records)
        assert not report.rejected
        keys = [change.key for change in papers_store.changes(words.cursor, 1_000_000)]
        words.put(papers_store.papers(keys))
        words.commit(papers_store.last_change())
        return words

    yield fill
    words.end_writing()


@pytest.fixture
def suggest(
    index: Callable[[list[Record]], Words], papers_store: Store
) -> Callable[..., list[tuple[str, str]]]:
    """The suggestions among `PAPERS`, as (kind, text)."""
    words = index(PAPERS)

    def ask(text: str, limit: int = 8) -> list[tuple[str, str]]:
        return [(one.kind, one.text) for one in suggestions(words, papers_store, text, limit)]

    return ask


Suggest = Callable[..., list[tuple[str, str]]]


def test_a_title_is_suggested_by_its_first_words_and_part_of_the_next(suggest: Suggest) -> None:
    assert suggest("herons wait for f") == [
        ("title", "Herons wait for fish at dawn"),
        ("title", "Herons wait for frogs"),
        ("title", "Herons Wait For Fish At Dawn!"),
    ]
    assert suggest("HERONS  wait for fis")[0] == ("title", "Herons wait for fish at dawn")
    assert suggest("poincaré m") == suggest("poincare m") == [("title", r"A bound for Poincar\'e maps")]
    assert suggest("llava-n") == [("title", "LLaVA-NeXT looks twice")]


def test_titles_that_begin_so_stand_first_then_new_and_voted_ones(suggest: Suggest) -> None:
    titles = [text for kind, text in suggest("herons wa") if kind == "title"]
    assert titles == [
        "Herons wait for fish at dawn",
        "Herons wait for frogs",
        "Herons Wait For Fish At Dawn!",
        "Why herons wait for rain",
        "Waiting times of herons",
    ]


def test_words_before_the_last_are_taken_as_they_stand(suggest: Suggest) -> None:
    assert suggest("heron wait f")[0] == ("title", "Herons wait for fish at dawn")
    assert suggest("her wait for f") == []


def test_an_author_is_suggested_by_any_part_of_the_name(suggest: Suggest) -> None:
    assert suggest("lovel") == suggest("ada l") == suggest("lovelace a") == [("author", "Ada Lovelace")]
    assert suggest("chatel") == [("author", "Émilie du Châtelet")]
    # Those whose names begin so come first.
    assert suggest("noeth") == [("author", "Noether Emmanuel"), ("author", "Emmy Noether")]
    assert suggest("ada ada l") == []


def test_topics_of_recent_papers_are_suggested_most_frequent_first_and_each_once(suggest: Suggest) -> None:
    topics = [text for kind, text in suggest("marsh") if kind == "topic"]
    assert topics == ["marsh birds", "marsh birds of europe"]
    assert suggest("marsh bi", 4)[0] == ("topic", "marsh birds")


def test_what_is_chosen_finds_it(index: Callable[[list[Record]], Words], papers_store: Store) -> None:
    words = index(PAPERS)

    def queries(text: str) -> list[str]:
        return [one.query for one in suggestions(words, papers_store, text, 8)]

    assert queries("ada lo") == ['author:"Ada Lovelace"']
    assert queries("poincare m") == [r"A bound for Poincar\'e maps"]
    assert queries("reed war") == ["reed warblers"]
    assert queries("fish author:ada") == ['fish author:"Ada Lovelace"']
    assert queries('author:"emmy noe') == ['author:"Emmy Noether"']


def test_no_more_than_asked_for_and_of_every_kind_some(suggest: Suggest) -> None:
    assert suggest("herons", 2) == suggest("herons")[:2]
    assert suggest("herons", 0) == suggest("herons", -1) == []
    kinds = {kind for kind, _ in suggest("mar", 4)}
    assert kinds == {"topic", "title"}


@pytest.mark.parametrize(
    "text",
    ["", " ", "a", "\x00", "cat:cs.CL", '"herons wa', "herons -", "x" * 5_000, "herons " * 300, "(((",
     "\ud800", "注意力", "🦆🦆", "author:", 'author:"', "مرحبا", ".*", "' OR 1=1 --"],
)  # fmt: skip
def test_nothing_that_is_typed_fails(suggest: Suggest, text: str) -> None:
    assert isinstance(suggest(text), list)


def test_an_index_that_cannot_be_read_suggests_nothing(papers_store: Store, tmp_path: Path) -> None:
    words = Words(tmp_path / "words")
    papers_store.close()
    (tmp_path / "words" / "state.json").write_text("{")
    assert suggestions(words, papers_store, "herons wa") == []


def test_a_paper_that_was_added_is_suggested_at_once(
    index: Callable[[list[Record]], Words], papers_store: Store
) -> None:
    words = index(PAPERS)
    assert suggestions(words, papers_store, "zebras cr") == []
    index([record(11, "Zebras cross the road", "Cars stop.", published=TODAY)])
    assert [one.text for one in suggestions(words, papers_store, "zebras cr")] == ["Zebras cross the road"]


# -- did you mean

SENTENCES = [
    (
        "Counting birds of the marsh",
        "A recorder hears the language of birds and a transformer tells them apart.",
    ),
    ("Language of marsh birds", "Segmentation of calls is followed by attention to their meaning."),
    ("Transformer models of language", "Retrieval of calls and their segmentation by a neural network."),
    ("Retrieval by attention", "The neural network has birds as its language and reeds as its background."),
]


@pytest.fixture
def mean(index: Callable[[list[Record]], Words]) -> Callable[[str], str]:
    """What is meant, among papers that repeat the words above and one that names a thing."""
    records = [
        record(100 + n, f"{title} {n}", f"{abstract} It was measured {n} times.", ("Grete Hermann",))
        for n in range(60)
        for title, abstract in [SENTENCES[n % 4]]
    ]
    words = index([*records, record(99, "Birdz and LangSplat", "Two things that are so named.")])
    return lambda typed: did_you_mean(words, typed)


Mean = Callable[[str], str]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("atention", "attention"),
        ("langauge of birds", "language of birds"),
        ("trasnformer", "transformer"),
        ("segmentatoin", "segmentation"),
        ("retreivall", "retrieval"),
        ("the lenguage of burds", "the language of birds"),
        ("Lnaguage", "Language"),
        # The first letter is trusted, unless nothing else is near.
        ("ttention", "attention"),
        ("nlanguage", "language"),
        ("alnguage", "language"),
    ],
)
def test_a_mistyped_word_is_put_right(mean: Mean, typed: str, meant: str) -> None:
    assert mean(typed) == meant


def test_words_run_together_are_parted_and_words_cut_apart_are_joined(mean: Mean) -> None:
    assert mean("marshbirds") == "marsh birds"
    assert mean("trans former models") == "transformer models"
    assert mean("Lang uage") == "Language"
    # These stand side by side.
    assert mean("marsh birds") == ""


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "language of birds",
        "languages",
        # Names, with capitals, digits or a colon, or known from a paper or as an author.
        "LAnguage BIrds",
        "langauge2",
        "Burds: attention to birds",
        "birdz",
        "langsplat",
        "hermann",
        # Short words, and those that are near to nothing.
        "bird",
        "ofx",
        "zyzzyva",
        # What operators say, and what is no word.
        "author:lenguage",
        "-atention",
        "cat:atention birds",
        "https://example.org/atention",
        "atention_heads",
        "x" * 5_000,
        "atention " * 30,
        "\x00",
        '"',
        "注意力",
        "\ud800",
    ],
)
def test_what_may_be_meant_as_it_is_stays(mean: Mean, typed: str) -> None:
    assert mean(typed) == ""


def test_the_rest_of_the_query_stays_as_typed(mean: Mean) -> None:
    typed = '  -frogs "langauge of  birds" title:atention author:"G. Hermann" after:2026-01  sort:date'
    meant = '  -frogs "language of  birds" title:attention author:"G. Hermann" after:2026-01  sort:date'
    assert mean(typed) == meant


def test_an_index_that_cannot_be_read_means_nothing(tmp_path: Path) -> None:
    words = Words(tmp_path / "words")
    assert did_you_mean(words, "atention") == ""


@pytest.fixture(scope="module")
def daily_papers(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Words, list[str]]:
    """The words of the Daily Papers, and their titles."""
    titles: dict[str, str] = {}
    papers = []
    with gzip.open(shared / "data" / "daily_papers.jsonl.gz", "rt") as lines:
        for entry in map(json.loads, lines):
            if titles.setdefault(entry["arxiv_id"], entry["title"]) is entry["title"]:
                papers.append(Paper(len(papers) + 1, entry["arxiv_id"], entry["title"], entry["abstract"]))
    words = Words(tmp_path_factory.mktemp("daily") / "words")
    words.put(papers)
    words.commit(1)
    words.end_writing()
    return words, list(titles.values())


def test_no_title_of_the_daily_papers_is_corrected(daily_papers: tuple[Words, list[str]]) -> None:
    words, titles = daily_papers
    asked = random.Random(1).sample(titles, 500)
    asked += [title.lower() for title in asked]
    assert [(title, meant) for title in asked if (meant := did_you_mean(words, title))] == []


def test_most_mistyped_words_of_titles_are_put_right_and_few_made_others(
    daily_papers: tuple[Words, list[str]],
) -> None:
    words, titles = daily_papers
    chance = random.Random(1)
    right = wrong = 0
    for title in chance.sample(titles, 500):
        word = chance.choice(
            [w for w in re.findall("[a-z]{4,}", title.lower()) if w not in STOP_WORDS] or ["model"]
        )
        meant = did_you_mean(words, mistyped(word, chance))
        right += same(meant, word)
        wrong += bool(meant) and not same(meant, word)
    assert right >= 300
    assert wrong <= 25
