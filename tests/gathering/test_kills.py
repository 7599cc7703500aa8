"""Gathering that is killed again and again stores what an undisturbed run stores, at the same pace."""

from __future__ import annotations

from pathlib import Path

from bench.gather_kills import INTERVAL, WINDOW, measure


def test_after_kills_the_store_is_that_of_an_undisturbed_run_and_no_limit_was_exceeded(
    tmp_path: Path,
) -> None:
    figures = measure(10, tmp_path, number_of_pages=10)
    assert figures.kills >= 10 and figures.homes >= 1
    assert figures.different == []
    assert figures.too_soon == 0
    assert figures.least_gap_s >= INTERVAL and figures.fullest_window <= WINDOW[0]
