"""Trending as arithmetic."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from broadsheet.ranking.trending import trend

counts = st.integers(0, 100_000)
ages = st.integers(0, 400)


def test_the_score_is_the_printed_formula() -> None:
    found = trend(upvotes=124, num_comments=5, age_days=2)
    assert found.points == 134
    assert found.score == 134 / 4**1.5
    assert found.explanation() == (
        "124 upvotes + 2 x 5 comments = 134 points; 2 days old: 134 / (2 + 2)^1.5 = 16.8"
    )


@given(counts, counts, ages)
def test_one_more_vote_never_lowers_and_one_more_day_never_raises(
    votes: int, comments: int, age: int
) -> None:
    here = trend(votes, comments, age).score
    assert trend(votes + 1, comments, age).score > here
    assert trend(votes, comments + 1, age).score > here
    assert trend(votes, comments, age + 1).score <= here


def test_a_paper_that_claims_to_come_from_tomorrow_gains_nothing() -> None:
    assert trend(10, 0, -3).score == trend(10, 0, 0).score
