"""The words side: what is found, what is demanded, what is counted, and that nothing typed makes it fail."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import date
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from broadsheet.model.papers import Author, Link, Listing, Paper
from broadsheet.search import columns, restrictions
from broadsheet.search import words as words_of_papers
from broadsheet.search.facets import Facet, FacetValue
from broadsheet.search.files import DamagedIndexError
from broadsheet.search.query import Query, parse
from broadsheet.search.words import FORMAT, Words

TODAY = date(2026, 6, 1)


def asked(typed: str) -> Query:
    return parse(typed, TODAY)


def paper(key: int, title: str, abstract: str = "", authors: tuple[str, ...] = (), **more: object) -> Paper:
    names = [Author(name) for name in authors]
    return Paper(key=key, id=f"2401.{key:05}", title=title, abstract=abstract, authors=names, **more)  # type: ignore[arg-type]


PAPERS = [
    paper(
        1,
        "Robots learn to walk",
        "A legged machine acquires a gait by trial and error.",
        ("Ada Poincaré", "Bo Chen"),
        published="2025-03-01T10:00:00.000Z",
        categories=["cs.RO", "cs.LG"],
        venue="Conference on Robot Learning",
        links=[Link("code", "https://example.org/code")],
        listings=[Listing("daily_papers", "2025-03-02", 1, "test")],
        upvotes=5,
    ),
    paper(
        2,
        "U-Net for cells",
        "Segmentation with GPT-4 prompts.",
        ("Jean-Luc van der Berg",),
        first_listed="2026-01-31",
        categories=["cs.CV"],
        venue="Nature Methods",
        upvotes=50,
    ),
    paper(
        3,
        "Light of distant stars",
        "Spectra of galaxies observed over ten years; the walk of robots is not studied.",
        ("Chen Li Wang",),
        published="2026",
        categories=["astro-ph.GA"],
        links=[Link("code", "https://example.org/b"), Link("dataset", "https://example.org/c")],
        listings=[Listing("daily_papers", "2026-01-02", 1, "test"), Listing("arxiv", "2026-01-02", 1, "t")],
    ),
    paper(4, "Undated thing", "", categories=["hep-th"], ai_keywords=["Walking Robots"]),
]


def filled(folder: Path, papers: list[Paper]) -> Words:
    words = Words(folder)
    words.put(papers)
    words.commit(1)
    words.end_writing()
    return words


@pytest.fixture
def words(tmp_path: Path) -> Words:
    return filled(tmp_path / "words", PAPERS)


def found(words: Words, typed: str) -> list[int]:
    return words.search(asked(typed), 10).keys.tolist()


def fulfilling(words: Words, typed: str) -> list[int]:
    """All papers that fulfil the restrictions, told the same by every way to ask for them."""
    query = asked(typed)
    keys = words.allowed(query, 10)
    assert keys is not None
    among = words.among(query, np.array([4, 3, 2, 1, 99]))
    assert sorted(np.array([4, 3, 2, 1, 99])[among].tolist()) == keys.tolist()
    if not query.text:
        assert sorted(words.listed(query, 10).tolist()) == keys.tolist()
        assert words.total(query) == len(keys)
    return keys.tolist()


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("cat:cs.RO", [1]),
        ("cat:CS.ro", [1]),
        ("cat:cs", [1, 2]),
        ("cat:cs.CV,astro-ph.GA", [2, 3]),
        ("cat:cs cat:cs.LG", [1]),
        ("cat:hep-th", [4]),
        ("-cat:cs", [3, 4]),
        ("listed:daily_papers", [1, 3]),
        ("listed:daily_papers -listed:arxiv", [1]),
        ("venue:nature", [2]),
        ('venue:"robot learning"', [1]),
        ("-venue:nature", [1, 3, 4]),
        ("has:code", [1, 3]),
        ("has:code has:dataset", [3]),
        ("has:abstract", [1, 2, 3]),
        ("-has:code", [2, 4]),
        ("year:2026", [2, 3]),
        ("year:2025-2026", [1, 2, 3]),
        ("after:2026-01-31", [2]),
        ("before:2026-01-31", [1, 3]),
        ("before:2025-03-01", []),
        ("author:poincare", [1]),
        ("author:POINCARÉ", [1]),
        ('author:"Bo Chen"', [1]),
        ('author:"Chen, Bo"', [1]),
        ('author:"Ada Chen"', []),
        ('author:"jean luc van der berg"', [2]),
        ("author:jeanluc", [2]),
        ('author:"Chen Wang"', [3]),
        ("author:chen -author:wang", [1]),
        ("title:robot", [1]),
        ('title:"robots learn"', [1]),
        ('title:"learn robots"', []),
        ("title:unet", [2]),
        ('"trial and error"', [1]),
        ('"error and trial"', []),
        ('"walk of robots"', [3]),
        ("-robots", [2]),
        ('-"robots learn"', [2, 3, 4]),
        ("-title:robots cat:cs", [2]),
        ("abstract:gait", [1]),
        ("cat:cs year:2026 has:code", []),
    ],
)
def test_a_paper_must_fulfil_all_that_the_query_demands(words: Words, typed: str, keys: list[int]) -> None:
    assert fulfilling(words, typed) == keys


def test_what_is_demanded_is_demanded_of_what_the_words_find(words: Words) -> None:
    assert set(found(words, "walking robots")) == {1, 3, 4}
    assert found(words, "walking robots cat:cs") == [1]
    assert found(words, "walking robots -has:dataset")[0] == 1
    assert 3 not in found(words, "walking robots -has:dataset")
    assert found(words, "robots year:2026") == [3]
    assert found(words, "cells cat:astro-ph") == []
    assert found(words, '"distant stars"') == [3]


def test_a_restriction_adds_nothing_to_a_score(words: Words) -> None:
    free = words.search(asked("gait"), 5)
    assert np.allclose(words.search(asked("gait cat:cs has:code author:chen"), 5).scores, free.scores)
    assert free.scores[0] > 0


def test_a_selective_filter_still_fills_the_page(tmp_path: Path) -> None:
    many = [
        paper(
            key, "graph networks", "graph " * (key % 7), categories=["math.CO" if key % 100 == 0 else "cs.LG"]
        )
        for key in range(1, 3_001)
    ]
    words = filled(tmp_path / "words", many)
    keys = words.search(asked("graph cat:math.CO"), 20).keys
    assert len(keys) == 20
    assert (keys % 100 == 0).all()
    allowed = words.allowed(asked("cat:math.CO"), 30)
    assert allowed is not None
    assert allowed.tolist() == list(range(100, 3_001, 100))
    assert words.allowed(asked("cat:math.CO"), 29) is None


@pytest.mark.parametrize(
    ("title", "forms"),
    [
        ("LLaVA-NeXT at work", ["LLaVA-NeXT", "LLaVANeXT", "llava next", "llavanext"]),
        ("LLaVANeXT at work", ["LLaVA-NeXT", "LLaVANeXT", "llava next", "llavanext"]),
        ("LLaVA NeXT at work", ["LLaVA-NeXT", "LLaVANeXT", "llava next", "llavanext"]),
        ("About GPT4", ["GPT4", "GPT-4", "gpt 4", "gpt4"]),
        ("About GPT-4", ["GPT4", "GPT-4", "gpt 4", "gpt4"]),
        ("About GPT 4", ["GPT4", "GPT-4", "gpt 4", "gpt4"]),
        ("A UNet here", ["U-Net", "UNet", "unet", "u net"]),
        ("A U-Net here", ["U-Net", "UNet", "unet", "u net"]),
        ("In 3D now", ["3D", "3-D", "3 d", "3d"]),
        ("In 3-D now", ["3D", "3-D", "3 d", "3d"]),
        ("Written in C++", ["C++", "c++", "cplusplus"]),
        ("Written in C#", ["C#", "c#"]),
        ("Made with .NET", [".NET", "dotnet"]),
        ("An $\\epsilon$-greedy thing", ["epsilon greedy", "ε-greedy", "ϵ", "$\\epsilon$", "\\varepsilon"]),
        ("Learning ε nets", ["epsilon", "$\\epsilon$"]),
        ("Die Straße nach Kähler", ["strasse", "kahler", 'K\\"{a}hler']),
        ("机器人学习行走", ["机器人", "行走", "学习 行走"]),
        ("ロボットの歩行", ["ロボット", "歩行"]),
        ("Обучение роботов ходьбе", ["роботов", "ХОДЬБЕ"]),
        ("تعلم الروبوتات المشي", ["المشي"]),
    ],
)
def test_a_name_is_found_however_it_is_written(tmp_path: Path, title: str, forms: list[str]) -> None:
    words = filled(tmp_path / "words", [paper(1, title), paper(2, "Something else entirely about nothing")])
    for form in forms:
        assert words.search(form, 5).keys.tolist() == [1], form


@pytest.mark.parametrize(
    ("title", "phrases"),
    [
        ("The LLaVA-NeXT model", ['"llava-next model"', '"LLaVA NeXT model"', '"the llavanext model"']),
        ("The LLaVANeXT model", ['"llava-next model"', '"LLaVA NeXT model"', '"the llavanext model"']),
        ("A GPT4 report", ['"gpt-4 report"', '"a gpt4 report"', '"GPT 4 report"']),
        ("Of $\\epsilon$-greedy kind", ['"ε-greedy kind"', '"epsilon greedy"']),
        ("机器人学习行走", ['"机器人学习"']),
    ],
)
def test_a_phrase_holds_however_its_names_are_written(tmp_path: Path, title: str, phrases: list[str]) -> None:
    words = filled(tmp_path / "words", [paper(1, title), paper(2, "model next report kind 机人")])
    for phrase in phrases:
        assert fulfilled(words, phrase) == [1], phrase


def fulfilled(words: Words, typed: str) -> list[int]:
    keys = words.allowed(asked(typed), 10)
    assert keys is not None
    return keys.tolist()


def test_a_phrase_of_frequent_words_is_looked_for_in_titles_and_new_papers_if_these_are_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    papers = [
        paper(key, "Deep nets" if key == 2 else "Study", "Of deep nets.", published=f"{2000 + key}")
        for key in range(1, 17)
    ]
    words = filled(tmp_path / "words", [*papers, paper(17, "Nets", "Deep.")])
    everything, quick = list(range(1, 17)), [2, 12, 13, 14, 15, 16]
    phrase = asked('"deep nets"')

    def with_phrase() -> tuple[list[int], list[int]]:
        words = Words(tmp_path / "words")
        allowed = words.allowed(phrase, 100)
        assert allowed is not None
        return allowed.tolist(), sorted(words.search(phrase, 100).keys.tolist())

    assert with_phrase() == (everything, everything)
    monkeypatch.setattr(restrictions, "_FREQUENT", 5)
    assert with_phrase() == (everything, everything)
    monkeypatch.setattr(words_of_papers, "_ENOUGH", 3)
    assert with_phrase() == (quick, quick)
    words = Words(tmp_path / "words")
    assert found(words, 'study -"deep nets"') == []
    # Where few papers are asked about, all of their text is read.
    few = words.among(phrase, np.array([1, 2, 17, 16]))
    assert few.tolist() == [True, True, False, True]


def test_a_phrase_does_not_reach_from_title_to_abstract_or_from_one_author_to_the_next(words: Words) -> None:
    assert fulfilled(words, '"walk a legged"') == []
    assert fulfilled(words, 'author:"Poincaré Bo"') == []


def test_a_word_in_the_title_counts_more(tmp_path: Path) -> None:
    words = filled(
        tmp_path / "words", [paper(1, "Something else", "gait gait"), paper(2, "Gait and else", "something")]
    )
    assert words.search("gait", 5).keys.tolist() == [2, 1]


def test_a_surname_that_is_a_common_word_does_not_outrank_the_word(tmp_path: Path) -> None:
    papers = [paper(key, "Long context", "long texts and their context") for key in range(1, 40)]
    papers.append(paper(40, "Context", "of trees", ("Wei Long",)))
    words = filled(tmp_path / "words", papers)
    assert words.search("long context", 50).keys.tolist()[-1] == 40
    assert words.search("wei long", 1).keys.tolist() == [40]


def test_a_mistyped_word_is_read_as_the_word_near_to_it(tmp_path: Path) -> None:
    papers = [paper(1, "Transformer attention"), paper(2, "Transfer of heat"), paper(3, "Locomotion of legs")]
    words = filled(tmp_path / "words", papers)
    for typed in ("transfomer", "tranformer", "transfromer", "trasnformer", "trannsformer"):
        matches = words.search(asked(typed), 5)
        assert matches.keys.tolist() == [1], typed
        assert matches.unknown == {typed: ("transformer",)}
    for typed in ("lokomotion", "lcomotion", "locomtin", "locomotional"):
        assert words.search(typed, 5).keys.tolist() == [3], typed
    assert words.search("qwertzuiop of legs", 5).unknown == {"qwertzuiop": ()}
    assert words.search("legz", 5).unknown == {"legz": ("legs",)}
    # The first letter is seldom wrong; short words and numbers are near to too much.
    assert words.search("mransformer heet tnd 1234", 5).unknown["mransformer"] == ()
    assert words.search("lgs", 5).unknown == {"lgs": ()}


def test_a_known_word_is_taken_as_typed(tmp_path: Path) -> None:
    papers = [paper(key, "Transformer") for key in range(1, 9)]
    words = filled(tmp_path / "words", [*papers, paper(9, "A transporter", authors=("Al Tranformer",))])
    assert words.search("transporter", 20).keys.tolist() == [9]
    # A name that no title has is no mistake.
    matches = words.search("tranformer", 20)
    assert (matches.keys.tolist(), matches.unknown) == ([9], {})


def test_a_mistake_weighs_less_than_what_was_typed_right(tmp_path: Path) -> None:
    papers = [paper(1, "Transformer"), paper(2, "Attention"), paper(3, "Other things")]
    words = filled(tmp_path / "words", papers)
    assert words.search("transfomer attention", 5).keys.tolist() == [2, 1]


def test_papers_with_a_word_that_hardly_any_others_have_are_told(tmp_path: Path) -> None:
    index = Words(tmp_path)
    common = [paper(key, "Cooling of magnets", "How magnets are cooled.") for key in range(1, 1_000)]
    index.put([*common, paper(1_000, "Zeugmatography", "With magnets.")])
    index.commit(1_000)
    assert index.search("zeugmatography with magnets", 10).rare.tolist() == [1_000]
    assert index.search("cooling of magnets", 10).rare.tolist() == []


def test_papers_are_listed_newest_or_most_voted_first(words: Words) -> None:
    query = asked("has:abstract")
    assert words.listed(query, 10).tolist() == [2, 3, 1]
    assert words.listed(query, 10, 0, "votes").tolist() == [2, 1, 3]
    assert words.listed(query, 1, 1, "votes").tolist() == [1]
    assert words.listed(query, 10, 3).tolist() == []
    assert words.listed(query, 0).tolist() == []
    # A paper without a day comes last.
    assert words.listed(asked(""), 10).tolist()[-1] == 4
    assert words.total(asked("")) == 4


def test_listed_papers_have_all_the_words(words: Words) -> None:
    query = asked("the robots walk sort:date")
    assert words.listed(query, 10).tolist() == [3, 1, 4]
    assert words.total(query) == 3
    assert words.total(asked("robots gait sort:date")) == 1


def values(facets: list[Facet]) -> dict[str, list[tuple[str, int, bool]]]:
    return {facet.name: [(one.value, one.count, one.chosen) for one in facet.values] for facet in facets}


def test_facets_count_what_the_query_leaves(words: Words) -> None:
    everything = values(words.facets(asked("")))
    assert everything["year"] == [("2026", 2, False), ("2025", 1, False)]
    assert everything["list"] == [("daily_papers", 2, False), ("arxiv", 1, False)]
    assert everything["has"] == [("code", 2, False), ("dataset", 1, False)]
    assert sorted(everything["venue"]) == [
        ("Conference on Robot Learning", 1, False),
        ("Nature Methods", 1, False),
    ]
    assert ("cs.RO", 1, False) in everything["category"]
    narrowed = values(words.facets(asked("has:code year:2026")))
    assert narrowed == {
        "year": [("2026", 1, True)],
        "category": [("astro-ph.GA", 1, False)],
        "list": [("arxiv", 1, False), ("daily_papers", 1, False)],
        "has": [("code", 1, True), ("dataset", 1, False)],
    }


def test_facets_count_the_papers_that_were_found(words: Words) -> None:
    counted = values(words.facets(asked("robots"), np.array([1, 3])))
    assert counted["list"] == [("daily_papers", 2, False), ("arxiv", 1, False)]
    assert counted["year"] == [("2026", 1, False), ("2025", 1, False)]
    assert words.facets(asked("robots"), np.zeros(0, np.int64)) == []


def without_columns(folder: Path) -> Words:
    """The index in ``folder`` as one that was made before there were columns."""
    state = json.loads((folder / "state.json").read_text())
    del state["columns"]
    (folder / "state.json").write_text(json.dumps(state))
    return Words(folder)


def test_columns_count_and_order_as_the_index_does(words: Words, tmp_path: Path) -> None:
    keys = np.array([4, 2, 99, 3, 1])
    query = asked("cat:cs year:2025 venue:nature walk")
    facets, orders = words.facets(query, keys), [words.order(keys, by).tolist() for by in ("date", "votes")]
    former = without_columns(tmp_path / "words")
    for ours, theirs in zip(facets, former.facets(query, keys), strict=True):
        assert (ours.name, set(ours.values)) == (theirs.name, set(theirs.values))
    assert orders == [former.order(keys, by).tolist() for by in ("date", "votes")]
    for typed in (
        "cat:cs -cat:cs.cv",
        "venue:learning",
        "has:code after:2025-06",
        "walk -has:code year:2026",
    ):
        assert words.among(asked(typed), keys).tolist() == former.among(asked(typed), keys).tolist()


def test_columns_hold_what_was_committed_last(words: Words, tmp_path: Path) -> None:
    changed = replace(PAPERS[0], categories=["cs.CL"], upvotes=99)
    words.put([changed, paper(5, "New", categories=["cs.CL"])], [2])
    # Nobody sees it, and what a killed process wrote of it is overwritten.
    rows = tmp_path / "words" / "columns-0.rows"
    rows.write_bytes(rows.read_bytes() + b"torn")
    assert values(Words(tmp_path / "words").facets(asked("x"), np.array([1, 5])))["category"] == [
        ("cs.LG", 1, False),
        ("cs.RO", 1, False),
    ]
    reader = Words(tmp_path / "words")
    words.commit(2)
    reader.refresh()
    for index in (words, reader, Words(tmp_path / "words")):
        assert values(index.facets(asked("x"), np.array([1, 5])))["category"] == [("cs.CL", 2, False)]
        assert index.order(np.array([3, 5, 1]), "votes").tolist() == [2, 0, 1]


def test_columns_are_written_anew_when_most_of_them_are_of_no_use(
    words: Words, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "_WASTED", 3)
    reader = Words(tmp_path / "words")
    for votes in range(20):
        words.put([replace(one, upvotes=votes) for one in PAPERS[:2]], [3, 4, 100 + votes])
        words.commit(votes + 2)
    words.end_writing()
    assert sum(path.stat().st_size for path in (tmp_path / "words").glob("*.rows")) <= 9 * 24
    reader.refresh()
    for index in (words, reader, Words(tmp_path / "words")):
        assert values(index.facets(asked("x"), np.array([1, 2])))["category"] == [
            ("cs.CV", 1, False),
            ("cs.LG", 1, False),
            ("cs.RO", 1, False),
        ]


def test_a_lost_column_is_damage(words: Words, tmp_path: Path) -> None:
    (tmp_path / "words" / "columns-0.values").unlink()
    with pytest.raises(DamagedIndexError):
        Words(tmp_path / "words")


def test_a_chosen_value_stands_among_the_facets_whatever_it_counts(words: Words) -> None:
    facets = words.facets(asked("cat:cs"), np.array([1, 2]))
    category = next(facet for facet in facets if facet.name == "category")
    assert FacetValue("cs", 2, True) in category.values
    assert FacetValue("cs.CV", 1, False) in category.values
    # Chosen as typed in another case is the same value.
    facets = words.facets(asked("cat:CS.cv"))
    assert [one for facet in facets for one in facet.values if one.chosen] == [FacetValue("cs.CV", 1, True)]


def test_fields_for_suggestions_hold_words_as_written(words: Words) -> None:
    searcher = words.searcher
    assert searcher.doc_freq("typed", "robots") == 2
    assert searcher.doc_freq("typed", "learn") == 1
    assert searcher.doc_freq("authors", "poincare") == 1
    assert searcher.doc_freq("topic", "walking robots") == 1
    assert words.index.schema is not None


def test_a_changed_paper_is_found_and_counted_as_it_is_now(words: Words) -> None:
    words.put([paper(1, "Unicorns", categories=["math.CO"], published="2020-01-01")], removed=[2])
    words.commit(2)
    words.end_writing()
    assert fulfilling(words, "cat:cs") == []
    assert fulfilling(words, "cat:math") == [1]
    assert words.allowed(asked(""), 10) is not None
    assert words.count == words.total(asked("")) == 3
    assert values(words.facets(asked("")))["year"] == [("2026", 1, False), ("2020", 1, False)]


HARD = [
    "", " ", "\x00", "a\x00b", "\ud800", "robots \udfff", "😀", "🤖 robots", "שלום עולם", "\u202eabc\u202c",
    "مرحبا", "a" * 100_000, "-" * 5_000, "U-" * 4_000, "机" * 8_000, "$" * 3_000 + "\\" * 3_000, "( [ {", '"',
    "'; DROP TABLE papers; --", "/.*/", "w1-w2/w3_w4" * 500, " ".join(f"word{i}" for i in range(10_000)),
    "e\u0301" * 3_000, "1 2 3 4 5", "a+b++c#", "x" * 79, "x" * 81, "the of and", "GPT4 " * 300,
]  # fmt: skip


@pytest.mark.parametrize("text", HARD, ids=range(len(HARD)))
def test_no_text_fails(words: Words, text: str) -> None:
    assert len(words.search(text, 10).keys) <= 4
    for query in (
        Query(typed=text, text=text),
        Query(text=text, required=asked(f'title:"{text[:500]}" author:"{text[:500]}"').required),
        asked(f"-{text} cat:{text[:50]} venue:{text[:50]}"),
        asked(f'"{text}"'),
    ):
        keys = words.search(query, 10).keys
        allowed = words.allowed(query, 10)
        assert allowed is not None
        assert set(keys.tolist()) <= set(allowed.tolist())
        assert words.total(query) == len(words.listed(query, 10))
        assert isinstance(words.facets(query), list)


def test_many_filters_are_answered(words: Words) -> None:
    query = asked(" ".join(f"cat:cs.A{i} -listed:l{i}" for i in range(500)))
    assert words.search(query, 10).keys.tolist() == []
    assert words.listed(query, 10).tolist() == []


def test_an_index_of_another_format_is_begun_anew(words: Words, tmp_path: Path) -> None:
    state = tmp_path / "words" / "state.json"
    state.write_text(state.read_text().replace(f'"format": {FORMAT}', f'"format": {FORMAT - 1}'))
    assert not Words.exists(tmp_path / "words")
    assert Words(tmp_path / "words").count == 0


def test_real_papers_take_little_room(shared: Path, tmp_path: Path) -> None:
    with gzip.open(shared / "data" / "arxiv_papers.jsonl.gz", "rt") as file:
        told = [json.loads(line) for line in islice(file, 3_000)]
    words = filled(
        tmp_path / "words",
        [
            paper(key, one["title"], one["abstract"], tuple(one["authors"]), categories=one["categories"])
            for key, one in enumerate(told, 1)
        ],
    )
    # Terms that all papers share weigh more in so few of them than in a million.
    assert words.bytes() / words.count < 1_100
