"""What texts are cut into, and that the ways to write one thing come to the same."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broadsheet.search.analysis import (
    FOLDED,
    STEMMED,
    found_in,
    heads_of,
    joined,
    parts_of,
    plain,
    query_terms,
    spans,
    words_of,
)


def terms(text: str) -> list[str]:
    """What the text field of a paper holds for ``text``."""
    made = plain(text)
    return [*STEMMED.analyze(made), *STEMMED.analyze(" ".join(joined(made)))]


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("Poincar\\'e", "poincare"),
        ("Poincaré", "poincare"),
        ("Poincare\u0301", "poincare"),
        ('K\\"{a}hler', "kahler"),
        ('K{\\"a}hler', "kahler"),
        ("{\\'E}cole", "ecole"),
        ('na\\"{\\i}ve', "naive"),
        ("Erd\\H{o}s", "erdos"),
        ("\\L ojasiewicz", "lojasiewicz"),
        ("{\\o}ystein", "oystein"),
        ("Straße", "strasse"),
        ("$\\epsilon$", "epsilon"),
        ("\\varepsilon", "epsilon"),
        ("ε", "epsilon"),
        ("ϵ", "epsilon"),
        ("𝜖", "epsilon"),
        ("Λ", "lambda"),
        ("αβ", "alphabeta"),
        ("\\textit{vitro}", "vitro"),
        ("\\mathcal{O}", "o"),
        ("$\\mathbb{R}$", "r"),
        ("$k$NN", "knn"),
        ("CO$_2$", "co2"),
        ("CO₂", "co2"),
        ("$\\ell_1$", "l1"),
        ("ℓ₁", "l1"),
        ("ＧＰＴ４", "gpt4"),
        ("ﬁne", "fine"),
        ("C++", "cplusplus"),
        ("C#", "csharp"),
        (".NET", "dotnet"),
        ("Einstein's", "einstein"),
        ("soft\u00adware", "software"),
        ("Ёлка", "елка"),
        ("Αθήνα", "αθηνα"),
        ("שָׁלוֹם", "שלום"),
        ("مُحَمَّد", "محمد"),
    ],
)
def test_one_word_is_one_word_however_it_is_written(written: str, word: str) -> None:
    assert FOLDED.analyze(plain(written)) == [word]


@pytest.mark.parametrize(
    "text",
    [
        "Attention is all you need",
        "costs $5 and then $7",
        "50\\% of x_1, {y}",
        "e.g. the end.",
        "C and F",
        "a+b",
    ],
)
def test_plain_text_keeps_its_words(text: str) -> None:
    assert FOLDED.analyze(plain(text)) == FOLDED.analyze(text)


def test_formulas_lose_their_markup_and_keep_their_words() -> None:
    assert FOLDED.analyze(plain("$\\mathcal{O}(n \\log n)$ time")) == ["o", "n", "log", "n", "time"]
    assert FOLDED.analyze(plain("the \\emph{very} best {\\bf thing}")) == ["the", "very", "best", "thing"]
    assert FOLDED.analyze(plain("$a \\leq b$")) == ["a", "b"]


@pytest.mark.parametrize(
    "forms",
    [
        ("LLaVA-NeXT", "LLaVANeXT", "llava-next"),
        ("GPT4", "GPT-4", "GPT 4", "Gpt‐4"),
        ("U-Net", "UNet", "unet", "u_net"),
        ("3D", "3-D", "3 D"),
        ("Llama3.1", "Llama-3.1", "Llama 3.1"),
        ("pre-training", "pretraining"),
        ("TCP/IP", "TCPIP"),
        ("TGF-β1", "TGFβ1", "TGF-beta1"),
        ("Qwen2.5-VL", "Qwen2.5VL"),
    ],
)
def test_ways_to_write_a_name_have_a_term_in_common(forms: tuple[str, ...]) -> None:
    common = set.intersection(*(set(terms(f"see {form}, a thing")) for form in forms))
    assert common - set(terms("see, a thing"))


def test_parts_of_names_are_found_too() -> None:
    assert {"graph", "rag", "graphrag"} <= set(terms("GraphRAG"))
    assert "gpt" in terms("(GPT4)")
    assert set(terms("LLaVA")) == {"llava"}


def test_what_only_stands_side_by_side_is_not_joined() -> None:
    assert joined("state-of-the-art") == []
    assert joined("pages 10-20, from 3 to 4 and/or not. Next") == []
    assert joined("x" * 100 + "-" + "y" * 100) == []


def test_signs_without_spaces_are_words_and_pairs() -> None:
    assert STEMMED.analyze(plain("机器人")) == ["机", "器", "人"]
    assert joined(plain("机器人")) == ["机器", "器人"]
    assert joined(plain("机器 人")) == ["机器"]
    assert joined(plain("ガンダム")) == ["ガン", "ンダ", "ダム"]
    assert STEMMED.analyze(plain("한국")) == ["한", "국"]


@pytest.mark.parametrize(
    "text", ["", "\x00", "\ud800", "\udfff x", "😀🤖", "\\", "$", "$$$", "{}{{", "\\'", "‮abc"]
)
def test_no_text_fails(text: str) -> None:
    made = plain(text)
    STEMMED.analyze(made.encode("utf-8", "replace").decode())
    assert isinstance(joined(made), list)
    assert isinstance(query_terms(text), frozenset)
    assert isinstance(spans(text), list)


def test_words_stand_where_they_stand_in_the_plain_text() -> None:
    text = "Müllers U-Nets – 3D"
    for word in words_of(text):
        assert text[word.start : word.end] == word.text
    assert [(word.folded, word.term) for word in words_of(text)] == [
        ("mullers", "muller"),
        ("u", "u"),
        ("nets", "net"),
        ("3d", "3d"),
    ]


def test_a_word_is_parted_by_its_looks() -> None:
    assert parts_of("GPT4") == ["GPT", "4"]
    assert parts_of("GraphRAG") == ["Graph", "RAG"]
    assert parts_of("learning") == ["learning"]


def marked(query: str, text: str) -> list[str]:
    """The words of ``text`` that ``query`` means."""
    wanted = query_terms(query)
    return [text[start:end] for start, end, found_by in spans(text) if found_by & wanted]


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("robots that learn", "Learning robot, that learned", ["Learning", "robot", "learned"]),
        ("unet", "A U-Net and a UNet", ["U", "Net", "UNet"]),
        ("GPT-4", "GPT4, GPT 4 and GPT-4", ["GPT4", "GPT", "4", "GPT", "4"]),
        ("epsilon greedy", "ϵ-greedy", ["ϵ", "greedy"]),
        ("poincare", "The Poincaré map", ["Poincaré"]),
        ("机器", "机器人学习", ["机", "器"]),
        ("what is the", "What it is", ["What", "is"]),
        ("data set", "two datasets", ["datasets"]),
        ("cafe", "cafe\u0301s", ["cafe\u0301s"]),
    ],
)
def test_words_that_a_query_means_are_told_in_a_text(query: str, text: str, expected: list[str]) -> None:
    assert marked(query, text) == expected


def test_spans_are_in_order_and_do_not_overlap() -> None:
    text = "A U-Net of GPT 4 for 机器人, Poincaré’s ε—and more_of it"
    places = [place for start, end, _ in spans(text) for place in (start, end)]
    assert places == sorted(places)


_WORDS = (
    *("U", "Net", "UNet", "nets", "GPT", "GPT4", "4", "4o", "35", "Llama", "3", "data", "set", "datasets"),
    *("dying", "dies", "die", "skies", "sky", "hoping", "hope", "stability", "stable", "happy", "happiness"),
    *("GraphRAG", "rag", "average", "of", "the", "D", "3D", "a", "x_1", "using", "uses", "early", "running"),
)
_TEXTS = st.lists(st.sampled_from(_WORDS) | st.text(alphabet="aeiysdgnl4", max_size=7), max_size=12).flatmap(
    lambda words: st.lists(
        st.sampled_from((" ", " ", "-", "_", "/", "  ", ", ", ". ", "\n", " (", "--", "")),
        min_size=len(words),
        max_size=len(words),
    ).map(lambda gaps: "".join(word + gap for word, gap in zip(words, gaps, strict=True)))
)


@given(_TEXTS, _TEXTS)
@example("dies", "dying, or to die")
@example("gpt35", "see GPT 3 5, GPT 35")
@example("llama 3", "Llama-3 4, 3")
@example("dataset", "one data-set and -data_set")
def test_looking_where_words_can_be_finds_all_that_are_there(query: str, text: str) -> None:
    terms = query_terms(query) - {""}
    everywhere = [(start, end) for start, end, found_by in spans(text) if found_by & terms]
    assert found_in(text, terms, heads_of(terms)) == everywhere


def test_too_many_words_are_not_looked_for_one_by_one() -> None:
    assert heads_of(f"word{i:05}" for i in range(1_000)) is None
    assert heads_of(["learn", "learning", "learnt"]) == ("learn",)
