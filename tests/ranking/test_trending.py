"""Trending as arithmetic."""

from __future__ import annotations

import re
from math import isclose, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.ranking import trending
from broadsheet.ranking.trending import constants, trend

counts = st.integers(0, 100_000)
few = st.integers(0, 20)
ages = st.integers(0, 400)


def test_the_score_is_the_printed_formula() -> None:
    found = trend(upvotes=124, num_comments=6, age_days=2)
    assert found.points == 134
    assert found.score == 134 / 4**1.5
    assert found.explanation() == (
        "124 upvotes + 2 x 5 comments after the first = 134 points; 2 days old: 134 / (2 + 2)^1.5 = 16.8"
    )
    assert trend(1, 1, 1, 100, 2).explanation() == (
        "1 upvote + 2 x root of 100 stars gained + 3 x 2 further lists = 27 points; "
        "1 day old: 27 / (1 + 2)^1.5 = 5.2"
    )


@given(counts, counts, ages, counts, few)
def test_the_terms_add_up_to_the_points_and_the_sentence_gives_the_score(
    votes: int, comments: int, age: int, stars: int, lists: int
) -> None:
    found = trend(votes, comments, age, stars, lists)
    assert isclose(sum(term.points for term in found.terms), found.points)
    read = re.search(r"\((\d+) \+ 2\)\^1\.5 = ([\d.]+)$", found.explanation())
    assert read is not None
    assert isclose(found.points / (int(read[1]) + 2) ** 1.5, float(read[2]), abs_tol=0.051)


@given(counts, st.integers(1, 100_000), ages, counts, few)
def test_more_of_anything_never_lowers_and_one_more_day_never_raises(
    votes: int, comments: int, age: int, stars: int, lists: int
) -> None:
    here = trend(votes, comments, age, stars, lists).score
    assert trend(votes + 1, comments, age, stars, lists).score > here
    assert trend(votes, comments + 1, age, stars, lists).score > here
    assert trend(votes, comments, age, stars + 1, lists).score > here
    assert trend(votes, comments, age, stars, lists + 1).score > here
    assert trend(votes, comments, age + 1, stars, lists).score <= here


def test_the_submitters_own_comment_counts_for_nothing() -> None:
    assert trend(10, 1, 0).score == trend(10, 0, 0).score


def test_a_famous_repository_does_not_carry_a_paper_that_nobody_votes_for() -> None:
    assert trend(0, 0, 0, stars_gained=400).score == trend(2 * int(sqrt(400)), 0, 0).score
    assert trend(0, 0, 0, stars_gained=400).score < trend(60, 0, 0).score


def test_a_paper_that_claims_to_come_from_tomorrow_or_to_lose_stars_gains_nothing() -> None:
    assert trend(10, 0, -3).score == trend(10, 0, 0).score
    assert trend(10, 0, 0, stars_gained=-50).score == trend(10, 0, 0).score


@pytest.mark.parametrize("name", [name for name in vars(trending) if name.isupper()])
def test_every_constant_is_told_with_its_reason(name: str) -> None:
    told = {one.value for one in constants()} | {
        float(n) for c in constants() for n in re.findall(r"\d+", c.name)
    }
    assert float(getattr(trending, name)) in told
    assert all(one.reason for one in constants())
