"""The periods that an edition covers: a day, an ISO week, a month."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

from .dates import DateError
from .dates import day as checked_day


@dataclass(frozen=True, slots=True)
class Period:
    """A day, week or month: ``name`` as in addresses, ``first`` and ``last`` day inclusive."""

    kind: str  # "day", "week" or "month"
    name: str  # "2026-05-29", "2026-W22" or "2026-05"
    first: str
    last: str

    @property
    def title(self) -> str:
        """The period as a person writes it, e.g. ``Friday, 29 May 2026``."""
        start = date.fromisoformat(self.first)
        if self.kind == "day":
            return f"{start:%A}, {start.day} {start:%B %Y}"
        if self.kind == "month":
            return f"{start:%B %Y}"
        end = date.fromisoformat(self.last)
        return f"{start.day} {start:%B} to {end.day} {end:%B %Y}"


def day_period(text: str) -> Period:
    """The day ``YYYY-MM-DD``. Raises `DateError`."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise DateError(f"{text[:40]!r} is no day; write it as YYYY-MM-DD, for example 2026-05-29")
    name = checked_day(text)
    return Period("day", name, name, name)


def week_period(text: str) -> Period:
    """The ISO week ``YYYY-Www``. Raises `DateError`."""
    match = re.fullmatch(r"(\d{4})-W(\d{2})", text)
    try:
        if not match:
            raise ValueError
        first = date.fromisocalendar(int(match[1]), int(match[2]), 1)
    except ValueError as error:
        raise DateError(f"{text[:40]!r} is no week; write it as YYYY-Www, for example 2026-W22") from error
    checked_day(first.isoformat())
    return Period("week", text, first.isoformat(), (first + timedelta(days=6)).isoformat())


def month_period(text: str) -> Period:
    """The month ``YYYY-MM``. Raises `DateError`."""
    match = re.fullmatch(r"(\d{4})-(\d{2})", text)
    try:
        if not match:
            raise ValueError
        first = date(int(match[1]), int(match[2]), 1)
    except ValueError as error:
        raise DateError(f"{text[:40]!r} is no month; write it as YYYY-MM, for example 2026-05") from error
    checked_day(first.isoformat())
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    return Period("month", text, first.isoformat(), last.isoformat())


def period_around(kind: str, text: str) -> Period:
    """The period of ``kind`` that the day ``text`` lies in."""
    start = date.fromisoformat(checked_day(text))
    match kind:
        case "day":
            return day_period(start.isoformat())
        case "week":
            year, week, _ = start.isocalendar()
            return week_period(f"{year:04}-W{week:02}")
        case "month":
            return month_period(f"{start:%Y-%m}")
    raise ValueError(f"no such period: {kind!r}")
