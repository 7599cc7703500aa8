"""What words and meaning add up to."""

from __future__ import annotations

import numpy as np
import pytest

from broadsheet.search.fusion import agreement, fused, scaled, trust
from broadsheet.search.tuning import Tuning

TUNING = Tuning()


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_scores_are_scaled_from_nothing_to_the_best() -> None:
    assert scaled(floats(2, 4, 0)).tolist() == [0.5, 1.0, 0.0]
    assert scaled(floats(0.2, 0.1), full=0.5).tolist() == pytest.approx([0.4, 0.2])
    assert scaled(floats(float("nan"), 1)).tolist() == [0.0, 1.0]
    assert scaled(floats()).tolist() == []


def test_best_papers_by_words_that_are_also_nearest_agree() -> None:
    words = floats(*range(30))
    assert agreement(words, words / 30) == pytest.approx(1.0)
    assert agreement(words, words[::-1] / 30) < 0.5
    assert agreement(words, np.full(30, np.nan, np.float32)) == 1.0


def test_words_are_trusted_where_the_best_paper_holds_the_query() -> None:
    words, meaning = floats(9, *[1] * 29), floats(*np.linspace(0, 0.9, 30))
    assert trust(words, meaning, perfect=10, tuning=TUNING) == 1.0


def test_words_are_trusted_where_meaning_says_the_same() -> None:
    words = floats(*range(30))
    assert trust(words, words / 30, perfect=1_000, tuning=TUNING) == 1.0


def test_words_that_hold_little_and_lie_far_off_count_little() -> None:
    words = floats(*range(30))
    assert trust(words, words[::-1] / 30, perfect=1_000, tuning=TUNING) < 0.1


def test_without_a_word_or_a_measure_nothing_is_taken_off() -> None:
    assert trust(floats(0, 0), floats(0.5, 0.4), perfect=10, tuning=TUNING) == 1.0
    assert trust(floats(1, 2), floats(0.5, 0.4), perfect=0, tuning=TUNING) == 1.0


def test_untrusted_words_do_not_outrank_the_nearest_paper() -> None:
    keys = np.array([1, 2], np.int64)
    words, meaning = floats(9, 0), floats(0.3, 0.6)
    assert fused(keys, words, meaning, 0.5).keys.tolist() == [1, 2]
    assert fused(keys, words, meaning, 0.5, trusted=0.1).keys.tolist() == [2, 1]


def test_a_score_is_the_sum_of_its_parts_and_at_most_one() -> None:
    found = fused(np.arange(4), floats(1, 3, 0, 2), floats(0.9, 0.5, 0.7, np.nan), 0.6)
    assert np.allclose(found.scores, found.words + found.meaning)
    assert found.scores.max() <= 1
    assert (np.diff(found.scores) <= 0).all()


def test_what_shares_no_word_and_is_far_off_is_no_result() -> None:
    assert fused(np.array([7]), floats(0), floats(0.1), 0.5).keys.tolist() == []
