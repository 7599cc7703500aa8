"""Days and years as they are typed, as spans of days."""

from __future__ import annotations

import re
from datetime import date, timedelta

from ...model.dates import FIRST_YEAR

_DAY = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?")
_AGO = re.compile(r"(\d{1,4}) ?(d|w|m|y)(?:ays?|eeks?|onths?|ears?)?(?: ago)?", re.IGNORECASE)
_YEARS = re.compile(r"(\d{4})(?: ?(?:-|–|—|\.\.) ?(\d{4}))?")


def span_of(text: str, today: date) -> tuple[date, date] | None:
    """The first day of the year, month or day that ``text`` names, and the day after its last."""
    ago = _AGO.fullmatch(text)
    if ago or text.lower() in ("today", "yesterday"):
        first = _days_ago(int(ago[1]), ago[2].lower(), today) if ago else today
        if text.lower() == "yesterday":
            first -= timedelta(1)
        return first, first + timedelta(1)
    found = _DAY.fullmatch(text)
    if not found:
        return None
    year, month, day = (int(part) if part else 0 for part in found.groups())
    # What `written` makes of "until" next year must be understood again.
    if not FIRST_YEAR <= year <= today.year + 3:
        return None
    try:
        first = date(year, month if found[2] else 1, day if found[3] else 1)
    except ValueError:
        return None
    if found[3]:
        return first, first + timedelta(1)
    return first, _next_month(first) if found[2] else date(year + 1, 1, 1)


def _next_month(first: date) -> date:
    return (first.replace(day=1) + timedelta(32)).replace(day=1)


def _days_ago(number: int, unit: str, today: date) -> date:
    earliest = date(FIRST_YEAR, 1, 1)
    if unit in "dw":
        return max(today - timedelta(number * (7 if unit == "w" else 1)), earliest)
    months = today.year * 12 + today.month - 1 - number * (12 if unit == "y" else 1)
    if months < FIRST_YEAR * 12:
        return earliest
    first = date(months // 12, months % 12 + 1, 1)
    return min(first.replace(day=1) + timedelta(today.day - 1), _next_month(first) - timedelta(1))


def years_of(text: str, today: date) -> tuple[date, date] | None:
    found = _YEARS.fullmatch(text)
    if not found:
        return None
    first, last = sorted((int(found[1]), int(found[2] or found[1])))
    if not FIRST_YEAR <= first <= last <= today.year + 2:
        return None
    return date(first, 1, 1), date(last + 1, 1, 1)
