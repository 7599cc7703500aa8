"""What stands on the front page of a period, and why."""

from __future__ import annotations

import pytest

from broadsheet.config import Settings
from broadsheet.editions import front_page, newest, trending
from broadsheet.model.dates import DateError
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Listing, Record
from broadsheet.store import Store

SETTINGS = Settings(page_size=5)


def listed(
    number: int, day: str, rank: int, upvotes: int | None = None, name: str = "daily_papers"
) -> Record:
    return Record(
        title=f"Paper number {number}",
        source=name,
        identifiers=[Identifier("arxiv", f"2605.{number:05}")],
        listings=[Listing(name, day, rank, name, upvotes)],
    )


@pytest.fixture
def week(store: Store) -> Store:
    """A Friday and a Monday of Daily Papers, with an arXiv announcement on the Tuesday and Friday."""
    store.add(
        [
            listed(1, "2026-05-22", 1, 10),
            listed(2, "2026-05-22", 2, 90),
            *(listed(10 + n, "2026-05-22", n, name="arxiv") for n in range(1, 8)),
            listed(3, "2026-05-25", 1),
            *(listed(20 + n, "2026-05-26", n, name="arxiv") for n in range(1, 8)),
        ]
    )
    return store


def ids(edition) -> list[int]:
    return [int(entry.paper.id[-2:]) for entry in edition.entries]


def test_without_a_name_it_is_the_latest_day_that_has_papers(week: Store) -> None:
    edition = front_page(week, SETTINGS)
    assert edition.period.name == "2026-05-26"
    assert (edition.previous.name, edition.following) == ("2026-05-25", None)


def test_a_chosen_list_is_not_buried_under_an_announcement(week: Store) -> None:
    edition = front_page(week, SETTINGS, name="2026-05-22")
    assert ids(edition) == [2, 1]
    assert (edition.lists, edition.other_lists) == (["daily_papers"], {"arxiv": 7})
    assert (edition.previous, edition.following.name) == (None, "2026-05-25")
    assert "90 upvotes" in edition.entries[0].reasons[0]


def test_a_day_of_announcements_alone_is_a_front_page_too_in_pages(week: Store) -> None:
    first = front_page(week, SETTINGS, name="2026-05-26")
    assert (first.total, ids(first)) == (7, [21, 22, 23, 24, 25])
    second = front_page(week, SETTINGS, name="2026-05-26", offset=5)
    assert [(entry.place, entry.paper.id) for entry in second.entries] == [
        (6, "2605.00026"),
        (7, "2605.00027"),
    ]


def test_weeks_and_months_have_neighbours_with_papers(week: Store) -> None:
    edition = front_page(week, SETTINGS, "week", "2026-W22")
    assert ids(edition) == [3]
    assert edition.previous.name == "2026-W21"
    edition = front_page(week, SETTINGS, "month", "2026-05")
    assert ids(edition) == [2, 1, 3]
    assert (edition.previous, edition.following) == (None, None)


def test_a_day_without_papers_is_empty_and_knows_its_neighbours(week: Store) -> None:
    edition = front_page(week, SETTINGS, name="2026-05-23")
    assert (edition.total, edition.entries) == (0, [])
    assert (edition.previous.name, edition.following.name) == ("2026-05-22", "2026-05-25")


def test_one_list_can_be_asked_for(week: Store) -> None:
    edition = front_page(week, SETTINGS, name="2026-05-22", list_name="arxiv")
    assert edition.total == 7
    assert edition.following.name == "2026-05-26"


def test_an_empty_store_has_an_empty_front_page(store: Store) -> None:
    assert front_page(store, SETTINGS).period is None
    assert trending(store, SETTINGS).entries == []
    assert newest(store, SETTINGS).entries == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("day", "2025-13-40"),
        ("day", "yesterday"),
        ("day", "9999-01-01"),
        ("day", "20260522"),
        ("week", "2025-W54"),
        ("week", "2025-54"),
        ("week", "0000-W01"),
        ("month", "2025-13"),
        ("month", "2025-1"),
    ],
)
def test_what_is_no_period_is_refused_with_the_right_form(store: Store, kind: str, name: str) -> None:
    with pytest.raises(DateError, match=r"write it as|must be"):
        front_page(store, SETTINGS, kind, name)


def test_trending_weighs_votes_against_age_and_shows_its_arithmetic(week: Store) -> None:
    week.add([listed(4, "2026-05-26", 9, 30, "arxiv")])
    edition = trending(week, SETTINGS)
    # 30 votes of today outweigh 90 votes of four days ago, and those 10 of the same day.
    assert ids(edition) == [4, 2, 1]
    assert edition.entries[1].reasons == ["90 upvotes = 90 points; 4 days old: 90 / (4 + 2)^1.5 = 6.1"]
    assert ids(trending(week, SETTINGS, limit=1, offset=1)) == [2]


def test_newest_goes_through_the_days_backwards(week: Store) -> None:
    assert ids(newest(week, SETTINGS)) == [3, 2, 1]
    pages = [newest(week, SETTINGS, limit=1, offset=offset) for offset in range(4)]
    assert [ids(page) for page in pages] == [[3], [2], [1], []]
    assert {page.total for page in pages} == {3}
    across_days = newest(week, SETTINGS, limit=2, offset=0)
    assert [(entry.place, entry.listing.day) for entry in across_days.entries] == [
        (1, "2026-05-25"),
        (2, "2026-05-22"),
    ]
