"""The calendar picture of coverage as plain numbers: where each day stands, and the shapes of all at once.

A column is a week from Monday to Sunday. Days of one state that lead nowhere are one path, so that a year
of a source is a few kilobytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from .coverage import TROUBLE, Day
from .stories import short_day

# In units of the picture, which are pixels at its natural size.
STEP, SIZE = 13, 10
LEFT, TOP = 30, 16


@dataclass(frozen=True, slots=True)
class Cell:
    """A day that leads to its page. ``x`` and ``y`` are its upper left corner."""

    x: int
    y: int
    state: str
    path: str
    title: str


@dataclass(frozen=True, slots=True)
class Picture:
    """``shapes`` has a path for each state, ``months`` (x, name), ``weekdays`` (y, name)."""

    width: int
    height: int
    shapes: dict[str, str]
    cells: list[Cell]
    months: list[tuple[int, str]]
    weekdays: list[tuple[int, str]]


def picture(
    days: Mapping[str, Day], first: str, last: str, path: Callable[[str], str], *, all_days: bool = False
) -> Picture:
    """The calendar from ``first``, a Monday, to ``last``.

    Args:
        path: the address of the page of a day.
        all_days: have every day of which something is known lead there, not only those that are not as
            they should be.
    """
    shapes: dict[str, list[str]] = defaultdict(list)
    cells = []
    for name, x, y in _places(first, last):
        day = days.get(name)
        state = day.state if day else "unknown"
        if day and (all_days or state in TROUBLE or state == "late"):
            cells.append(Cell(x, y, state, path(name), f"{short_day(name)}: {day.words}"))
        else:
            shapes[state].append(_shape(state, x, y))
    months, weeks = _months(first, last), _weeks(first, last)
    return Picture(
        LEFT + weeks * STEP,
        TOP + 7 * STEP,
        {state: "".join(found) for state, found in shapes.items()},
        cells,
        months,
        [(TOP + row * STEP + SIZE - 1, name) for row, name in ((0, "Mon"), (2, "Wed"), (4, "Fri"))],
    )


def _shape(state: str, x: int, y: int) -> str:
    if state == "holiday":
        return f"M{x + 3} {y + 3}h4v4h-4z"
    return f"M{x} {y}h{SIZE}v{SIZE}h-{SIZE}z"


@lru_cache(maxsize=4)
def _places(first: str, last: str) -> list[tuple[str, int, int]]:
    """(day, x, y) of every day."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [
        ((start + timedelta(days=n)).isoformat(), LEFT + n // 7 * STEP, TOP + n % 7 * STEP)
        for n in range((end - start).days + 1)
    ]


def _weeks(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days // 7 + 1


@lru_cache(maxsize=4)
def _months(first: str, last: str) -> list[tuple[int, str]]:
    """Where each month begins, as far as its name has room."""
    start, found = date.fromisoformat(first), []
    for week in range(_weeks(first, last)):
        monday = start + timedelta(weeks=week)
        if week == 0 or monday.day <= 7:
            x = LEFT + week * STEP
            if found and x - found[-1][0] < 2 * STEP + 4:
                found.pop()
            found.append((x, f"{monday:%b %Y}" if monday.month == 1 and week else f"{monday:%b}"))
    return found
