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
    words = floats(*range(100))
    assert agreement(words, words / 100) == pytest.approx(1.0)
    assert agreement(words, words[::-1] / 100) < 0.5
    assert agreement(words, np.full(100, np.nan, np.float32)) == 1.0


def trusted(
    words: np.ndarray, meaning: np.ndarray, perfect: float, rare: tuple[int, ...] = (), papers: int = 10_000
) -> list[float]:
    return trust(words, meaning, np.isin(np.arange(len(words)), rare), perfect, papers, TUNING).tolist()


# A hundred candidates whose words say the more, the nearer or the farther they are.
WORDS = np.linspace(5, 10, 100).astype(np.float32)
NEAR, FAR = WORDS / 10, WORDS[::-1] / 10 - 0.5


def test_words_are_trusted_where_the_best_paper_holds_the_query() -> None:
    assert min(trusted(WORDS, NEAR, perfect=12)) > 0.9


def test_words_that_hold_little_and_lie_far_off_count_little() -> None:
    assert np.median(trusted(WORDS, FAR, perfect=60)) < 0.1


def test_a_paper_that_holds_nearly_all_words_is_meant_however_far_it_lies() -> None:
    assert min(trusted(WORDS, FAR, perfect=15)) > 0.9


def test_the_more_a_paper_holds_and_the_nearer_it_is_the_more_words_are_trusted() -> None:
    little, more = (np.median(trusted(WORDS, NEAR, perfect)) for perfect in (60, 30))
    assert little < more
    assert np.median(trusted(WORDS, FAR, perfect=30)) < more


def test_among_more_papers_the_best_one_must_hold_more() -> None:
    few, many = (np.median(trusted(WORDS, NEAR, 30, papers=papers)) for papers in (1_000, 1_000_000))
    assert many < few


def test_what_stands_out_by_words_counts_by_as_much_although_words_are_not_trusted() -> None:
    words = WORDS.copy()
    words[50] = 40
    found = trusted(words, FAR, perfect=400)
    assert found[50] > 0.7
    assert np.median(found) < 0.1


def test_a_paper_with_a_rare_word_is_trusted_although_the_others_are_not() -> None:
    found = trusted(WORDS, FAR, perfect=60, rare=(3,))
    assert found[3] == 1
    assert found[4] < 0.1


def test_without_a_word_or_a_measure_nothing_is_taken_off() -> None:
    assert trusted(floats(0, 0), floats(0.5, 0.4), perfect=10) == [1, 1]
    assert trusted(floats(1, 2), floats(0.5, 0.4), perfect=0) == [1, 1]
    assert trusted(floats(), floats(), perfect=0) == []


def test_untrusted_words_do_not_outrank_the_nearest_paper() -> None:
    keys = np.array([1, 2], np.int64)
    words, meaning = floats(9, 0), floats(0.3, 0.6)
    assert fused(keys, words, meaning, 0.5).keys.tolist() == [1, 2]
    assert fused(keys, words, meaning, 0.5, trusted=0.1).keys.tolist() == [2, 1]
    assert fused(keys, words, meaning, 0.5, trusted=floats(0.1, 1)).keys.tolist() == [2, 1]


def test_a_score_is_the_sum_of_its_parts_and_at_most_one() -> None:
    found = fused(np.arange(4), floats(1, 3, 0, 2), floats(0.9, 0.5, 0.7, np.nan), 0.6)
    assert np.allclose(found.scores, found.words + found.meaning)
    assert found.scores.max() <= 1
    assert (np.diff(found.scores) <= 0).all()


def test_what_shares_no_word_and_is_far_off_is_no_result() -> None:
    assert fused(np.array([7]), floats(0), floats(0.1), 0.5).keys.tolist() == []
