"""Where sentences begin and end, and their codes of two bits a dimension."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.search.sentences import MOST, best_cosines, code_bytes, coded, cosines, sentence_spans


def sentences(title: str, abstract: str) -> list[str]:
    text = f"{title}\n{abstract}"
    return [text[first:last] for first, last in sentence_spans(title, abstract)]


def test_the_title_is_the_first_sentence() -> None:
    abstract = "We measure how quickly robots learn to walk. They learn within two days of trying outdoors."
    assert sentences("Robots, walking. Again", abstract) == [
        "Robots, walking. Again",
        "We measure how quickly robots learn to walk.",
        "They learn within two days of trying outdoors.",
    ]


def test_abbreviations_numbers_and_initials_do_not_end_a_sentence() -> None:
    abstract = (
        "The networks (e.g. those of J. Smith et al. in Fig. 3) are 3.5 times smaller than all others. "
        "They still answer as well as the large ones do."
    )
    assert len(sentences("", abstract)) == 2


def test_short_sentences_are_joined_with_what_follows() -> None:
    assert sentences("", "It works. The reason is that light travels faster than sound does.") == [
        "It works. The reason is that light travels faster than sound does."
    ]


def test_sentences_without_spaces_between_are_told_apart() -> None:
    one = "研究" * 25 + "。"
    assert sentences("", one * 3) == [one] * 3


def test_there_are_at_most_so_many() -> None:
    assert len(sentence_spans("A title", "A sentence that is long enough to stand by itself. " * 50)) == MOST


@given(st.text(max_size=60), st.text(alphabet='ab .!?\n。)"', max_size=400))
def test_spans_follow_each_other_inside_the_text(title: str, abstract: str) -> None:
    spans = sentence_spans(title, abstract)
    at = 0
    for first, last in spans:
        assert at <= first < last <= len(title) + 1 + len(abstract)
        at = last
    assert len(spans) <= MOST


def unit(count: int, dims: int = 384) -> np.ndarray:
    vectors = np.random.default_rng(4).normal(size=(count, dims)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_codes_keep_nearly_the_cosine() -> None:
    vectors = unit(200)
    query = vectors[0] + 0.5 * vectors[1]
    query /= np.linalg.norm(query)
    codes = coded(vectors)
    assert codes.shape == (200, code_bytes(384)) == (200, 96)
    found = cosines(query, codes)
    assert found[0] == pytest.approx(float(vectors[0] @ query), abs=0.08)
    assert np.abs(found - vectors @ query).max() < 0.1


def test_dimensions_that_are_no_multiple_of_four_work() -> None:
    vectors = unit(5, 10)
    assert coded(vectors).shape == (5, 3)
    assert int(np.argmax(cosines(vectors[3], coded(vectors)))) == 3


def test_the_best_sentence_of_each_paper_is_found() -> None:
    vectors = unit(7)
    none = np.zeros((0, 96), np.uint8), np.zeros(1, np.int64)
    best, place = best_cosines(vectors[4], coded(vectors), np.array([3, 0, 3, 1]))
    assert place.tolist()[1:3] == [-1, 1]
    assert np.isnan(best[1])
    assert best[2] == pytest.approx(1, abs=0.1)
    assert best_cosines(vectors[0], *none)[1].tolist() == [-1]
    assert len(best_cosines(vectors[0], none[0], none[1][:0])[0]) == 0
