"""Days, instants and periods: every usual form is read, every impossible one refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadsheet.model.dates import DateError, day, timestamp
from broadsheet.model.periods import day_period, month_period, period_around, week_period


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-29", "2026-05-29T00:00:00Z"),
        ("2026-05", "2026-05-01T00:00:00Z"),
        ("1999", "1999-01-01T00:00:00Z"),
        ("2024-05-24T17:34:15.000Z", "2024-05-24T17:34:15Z"),
        ("2024-05-24T23:34:15-04:00", "2024-05-25T03:34:15Z"),
        ("24 May 2024", "2024-05-24T00:00:00Z"),
        ("Fri, 24 May 2024 17:34:15 GMT", "2024-05-24T17:34:15Z"),
        ("May 2024", "2024-05-01T00:00:00Z"),
    ],
)
def test_usual_forms_of_an_instant(text: str, expected: str) -> None:
    assert timestamp(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2025-13-40",
        "2025-02-30",
        "0000-01-01",
        "0001-01-01",
        "9999-12-31",
        "12345-01-01",
        "1500",
        "1",
        "x" * 500,
    ],
)
def test_impossible_dates_are_refused_by_name(text: str) -> None:
    for reads in (timestamp, day):
        with pytest.raises(DateError, match=r"date|day"):
            reads(text)


@given(st.one_of(st.text(max_size=40), st.text(alphabet="0123456789-/:TZ+ .eEinf", max_size=30)))
def test_no_text_gives_anything_but_a_date_or_a_date_error(text: str) -> None:
    try:
        assert len(timestamp(text)) == 20
        assert len(day(text)) == 10
    except DateError as error:
        assert str(error)


def test_a_day_is_the_day_in_utc() -> None:
    assert day("2024-05-24T23:34:15-04:00") == "2024-05-25"
    assert day(" 2024-05-24 ") == "2024-05-24"


def test_periods_have_their_bounds_and_titles() -> None:
    assert day_period("2026-05-29").title == "Friday, 29 May 2026"
    week = week_period("2026-W22")
    assert (week.first, week.last, week.title) == ("2026-05-25", "2026-05-31", "25 May to 31 May 2026")
    month = month_period("2024-02")
    assert (month.first, month.last, month.title) == ("2024-02-01", "2024-02-29", "February 2024")
    # The first days of a year may lie in the last week of the year before.
    assert period_around("week", "2027-01-01").name == "2026-W53"
    assert period_around("month", "2026-05-29").name == "2026-05"
    assert period_around("day", "2026-05-29").name == "2026-05-29"


@pytest.mark.parametrize(
    "text", ["2025-W54", "2025-W00", "2025-53", "2025-W5", "0000-W01", "9999-W52", "", "2025-W01x"]
)
def test_weeks_that_are_none(text: str) -> None:
    with pytest.raises(DateError):
        week_period(text)


@pytest.mark.parametrize("text", ["2025-13", "2025-00", "9999-12", "0000-01", "2025", "x"])
def test_months_that_are_none(text: str) -> None:
    with pytest.raises(DateError):
        month_period(text)


@pytest.mark.parametrize("text", ["2025-13-40", "2025-1-1", "today", "2025-02-29", "0000-01-01"])
def test_days_that_are_none(text: str) -> None:
    with pytest.raises(DateError):
        day_period(text)


def test_an_unknown_kind_of_period_is_an_error() -> None:
    with pytest.raises(ValueError, match="decade"):
        period_around("decade", "2026-05-29")
