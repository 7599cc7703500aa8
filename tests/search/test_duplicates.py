"""Which papers say nearly the same as one before them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from broadsheet.search.duplicates import near_duplicates


def at_angle(cosine: float) -> np.ndarray:
    return np.array([cosine, np.sqrt(1 - cosine**2), 0], np.float32)


FIRST = at_angle(1.0)


def folded(cosine: float, one: str, other: str) -> dict[int, int]:
    return near_duplicates(
        np.array([FIRST, at_angle(cosine)]), lambda places: [(one, other)[p] for p in places]
    )


@pytest.mark.parametrize(
    ("cosine", "one", "other", "same"),
    [
        (0.99, "Walking robots", "A new title", True),
        (0.92, "Robots that learn to walk", "Robots that learn to walk fast", True),
        (0.92, "Robots that learn to walk", "Machines on legs", False),
        (0.80, "Robots that learn to walk", "Robots that learn to walk", False),
    ],
)
def test_text_and_title_decide(cosine: float, one: str, other: str, same: bool) -> None:
    assert folded(cosine, one, other) == ({1: 0} if same else {})


def test_all_versions_stand_behind_the_first_and_none_behind_another() -> None:
    vectors = np.array([FIRST, at_angle(0.99), np.array([0, 0, 1], np.float32), at_angle(0.985)])
    assert near_duplicates(vectors, lambda places: [f"Title {place}" for place in places]) == {1: 0, 3: 0}


def test_titles_are_asked_for_only_where_a_pair_is_near() -> None:
    def titles(places: Sequence[int]) -> Sequence[str]:
        raise AssertionError("no pair is near")

    assert near_duplicates(np.eye(3, dtype=np.float32), titles) == {}
    assert near_duplicates(np.zeros((0, 3), np.float32), titles) == {}
