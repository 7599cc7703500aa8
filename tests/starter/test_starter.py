"""The starter edition: whole, its facts true, its words its own."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import orjson
import pytest

from broadsheet.model.papers import Record
from broadsheet.model.text import words
from broadsheet.starter import starter_records
from broadsheet.store import Store


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return list(starter_records())


@pytest.fixture(scope="module")
def originals(shared: Path) -> dict[str, dict]:
    """The same papers as the Daily Papers data tells them, by arXiv id."""
    wanted = {record.identifiers[0].value for record in starter_records()}
    with gzip.open(shared / "data/daily_papers.jsonl.gz") as lines:
        return {paper["arxiv_id"]: paper for paper in map(orjson.loads, lines) if paper["arxiv_id"] in wanted}


def test_every_paper_has_a_place_a_summary_of_one_sentence_and_keywords(records: list[Record]) -> None:
    assert len(records) == len({record.identifiers[0].value for record in records}) == 150
    for record in records:
        assert record.source == "starter" and record.authors and record.published
        assert record.abstract is None and record.submitter is None
        assert 15 <= len(record.ai_summary.split()) <= 35, record.ai_summary
        assert record.ai_summary.endswith(".") and record.extra["ai_summary_model"]
        assert 3 <= len(record.ai_keywords) <= 5
        assert [listing.list for listing in record.listings] == ["starter"]


def test_places_of_every_day_count_from_one_in_the_order_of_upvotes(records: list[Record]) -> None:
    days: dict[str, list[Record]] = {}
    for record in records:
        days.setdefault(record.listings[0].day, []).append(record)
    assert list(days) == ["2026-05-21", "2026-05-22", "2026-05-25", "2026-05-27", "2026-05-28", "2026-05-29"]
    for papers in days.values():
        assert [record.listings[0].rank for record in papers] == list(range(1, len(papers) + 1))
        upvotes = [record.listings[0].upvotes for record in papers]
        assert upvotes == sorted(upvotes, reverse=True)


def test_a_store_takes_all_of_it_and_nothing_new_the_second_time(store: Store) -> None:
    first, second = store.add(starter_records()), store.add(starter_records())
    assert (first.read, first.new, first.rejected) == (150, 150, [])
    assert (second.new, second.updated, second.unchanged) == (0, 0, 150)
    assert store.latest_day(["starter"]) == "2026-05-29"
    assert store.lists_between("2026-05-25", "2026-05-29") == {"starter": 100}


def test_the_facts_are_those_of_the_data(records: list[Record], originals: dict[str, dict]) -> None:
    for record in records:
        paper = originals[record.identifiers[0].value]
        listing = record.listings[0]
        assert record.title == paper["title"]
        assert [author.name for author in record.authors] == paper["authors"]
        assert (listing.day, listing.upvotes, listing.num_comments) == (
            paper["day"],
            paper["upvotes"],
            paper["num_comments"],
        )
        assert record.published == paper["published"][:10]


def test_no_summary_shares_six_words_in_a_row_with_the_abstract_or_another_summary(
    records: list[Record], originals: dict[str, dict]
) -> None:
    for record in records:
        paper = originals[record.identifiers[0].value]
        own = _runs(record.ai_summary)
        assert not own & _runs(paper["abstract"]), record.title
        assert not own & _runs(paper.get("ai_summary") or ""), record.title


def test_no_two_papers_share_a_summary(records: list[Record]) -> None:
    runs = Counter(run for record in records for run in _runs(record.ai_summary, 10))
    assert max(runs.values()) == 1


def _runs(text: str, length: int = 6) -> set[tuple[str, ...]]:
    """All runs of ``length`` words of ``text``."""
    found = words(text)
    return {tuple(found[i : i + length]) for i in range(len(found) - length + 1)}
