"""Sources that publish by the day: which days a run asks for, where it goes on, when the next is due.

The cursor of such a source is ``{"next": DAY, "unfinished": BOOL, "within": {...}}``: the day to ask
next, whether the run ended before it came to today, and where in that day to go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ..model.gathering import Announced
from ..model.papers import Record, Rejection, Withdrawal
from .http import ServiceError
from .source import Page, Run

_DAY = timedelta(days=1)
# Nobody looks further back.
_MAX_FAILURES = 100


@dataclass(slots=True)
class DayPage:
    """One page of a day. ``within`` is where in the day to go on, None where the day is told."""

    items: list[Record | Rejection | Withdrawal]
    announced: list[Announced] = field(default_factory=list)
    within: dict[str, Any] | None = None


def pages_by_day(
    run: Run,
    list_name: str,
    ask: Callable[[str, Mapping[str, Any]], Iterator[DayPage]],
    *,
    again: int,
    first: int,
) -> Iterator[Page]:
    """The pages of all days that ``run`` asks for, oldest first, today last.

    A day that gives no answer is told as such, and ends the run; the next one begins with it.

    Args:
        ask: the pages of a day (``YYYY-MM-DD``), from a ``within`` of its own on, which is empty at first.
        again: how many days before today are asked again each time.
        first: how many days the very first run asks for.

    Raises:
        ServiceError, Stopped: as ``ask`` does.
    """
    cursor, today = run.cursor, run.now.date()
    for day in _days(run, again, first):
        name = day.isoformat()
        within = cursor.get("within") if cursor.get("next") == name else None
        try:
            for page in ask(name, within if isinstance(within, dict) else {}):
                if page.within is None:
                    cursor = {"next": (day + _DAY).isoformat(), "unfinished": day < today}
                else:
                    cursor = {"next": name, "unfinished": True, "within": page.within}
                yield Page(page.items, cursor, page.announced)
        except ServiceError as error:
            yield Page([], cursor, [no_answer(list_name, name, error)])
            raise


def _days(run: Run, again: int, first: int) -> Iterator[date]:
    """The days that ``run`` asks for, from where the last one came to until today."""
    today, following = run.now.date(), _date(run.cursor.get("next"))
    if run.since:
        # A backfill never asks twice.
        day = following or date.fromisoformat(run.since)
    elif following is None:
        day = today - (first - 1) * _DAY
    elif run.cursor.get("unfinished"):
        day = min(following, today)
    else:
        # Also after a clock was set back: the days are asked for once more.
        day = min(following, today - again * _DAY)
    while day <= today:
        yield day
        day += _DAY


def _date(text: Any) -> date | None:
    """The day of a cursor; None for one that is none, so that nothing can stop gathering for good."""
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def no_answer(list_name: str, day: str, error: ServiceError) -> Announced:
    """That what was published on ``day`` is not known, because the service failed or refused to answer."""
    refused = error.status is not None and 400 <= error.status < 500 and error.status != 429
    return Announced(list_name, day, state="refused" if refused else "failed", reason=str(error))


class Failures:
    """The days on which a list gave no answer, in the cursor of a source that is not asked by days.

    A list that answers later tells all that it would have told then, so the days are made good.
    """

    def __init__(self, known: Any):
        self._days: dict[str, list[str]] = {
            name: days for name, days in (known if isinstance(known, dict) else {}).items() if days
        }

    def as_json(self) -> dict[str, list[str]]:
        return {name: list(days) for name, days in self._days.items()}

    def add(self, list_name: str, day: str, error: ServiceError) -> Announced:
        """Notes that ``list_name`` gave no answer on ``day``."""
        self._days[list_name] = sorted({*self._days.get(list_name, ()), day})[-_MAX_FAILURES:]
        return no_answer(list_name, day, error)

    def made_good(self, list_name: str) -> list[Announced]:
        """That nothing is missing of the days on which ``list_name`` gave no answer; forgets them."""
        return [Announced(list_name, day, count=0) for day in self._days.pop(list_name, ())]


def listed(list_name: str, day: str, keys: Sequence[str], unread: int = 0) -> Announced:
    """What was listed: the papers of ``keys``, and ``unread`` entries that told none and so are missing."""
    names = list(dict.fromkeys(keys))
    if not unread:
        return Announced(list_name, day, names, len(names))
    reason = f"{unread} of {len(names) + unread} entries could not be read"
    return Announced(list_name, day, names, len(names) + unread, reason=reason)


def nothing(list_name: str, day: str, now: datetime, title: str, expected: int) -> list[Announced]:
    """That the service answered, and has nothing for ``day``: a day off, or not yet.

    Before the hour ``expected`` (UTC) nothing is said of today: nobody misses anything yet.
    """
    if date.fromisoformat(day).weekday() >= 5:
        reason = f"{title} has nothing at week-ends"
    elif day < now.date().isoformat():
        reason = f"{title} has nothing for this day"
    elif now.hour < expected:
        return []
    else:
        return [Announced(list_name, day, state="late", reason=f"{title} has nothing for this day yet")]
    return [Announced(list_name, day, count=0, state="holiday", reason=reason)]


def next_due(
    hours: Sequence[int],
    last_success: datetime | None,
    now: datetime,
    weekend: Sequence[int] | None = None,
) -> datetime:
    """The first of ``hours`` (UTC; at week-ends ``weekend``) after the last success; now without one."""
    if last_success is None or last_success > now:
        # The clock was set back: nobody knows when the last success was.
        return now
    midnight = datetime(last_success.year, last_success.month, last_success.day, tzinfo=UTC)
    while True:
        in_day = weekend if weekend is not None and midnight.weekday() >= 5 else hours
        for hour in in_day:
            if (moment := midnight + timedelta(hours=hour)) > last_success:
                return moment
        midnight += _DAY
