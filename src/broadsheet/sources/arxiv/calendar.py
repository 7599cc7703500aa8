"""When arXiv announces: 20:00 US Eastern from Sunday to Thursday, but for holidays.

Source: https://info.arxiv.org/help/availability.html. A day here is the day that stands on the listing
and on the feeds, the one after the evening of the announcement: Monday to Friday.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from dateutil import tz

# Evenings without announcement, as arXiv publishes them for each year.
HOLIDAYS = (
    "2025-01-01", "2025-01-20", "2025-06-19", "2025-07-06", "2025-09-01", "2025-11-27",
    "2026-01-01", "2026-01-19", "2026-06-19", "2026-07-03", "2026-09-07", "2026-11-26", "2026-12-25",
    "2026-12-29", "2026-12-31",
)  # fmt: skip
# The feeds of a day are made at midnight; some time later they are everywhere.
FEEDS_READY = time(0, 30)
# When to look, in US Eastern time of the evening of an announcement (OAI-PMH is ready by about 22:30) and
# of the listing's day (feeds; then what came late).
_EVENING = (time(22, 45),)
_MORNING = (time(0, 45), time(3, 0), time(9, 0))
_LONGEST_PAUSE_DAYS = 14


class HolidayError(ValueError):
    """A text that was given as a list of days is none."""


@cache
def eastern() -> tz.tzfile:
    """The zone in which arXiv keeps its hours."""
    # dateutil carries the rules with it, for machines that have no zone files.
    return tz.gettz("America/New_York")


def eastern_day(now: datetime) -> str:
    """The day that ``now`` is in US Eastern time, as ``YYYY-MM-DD``."""
    return now.astimezone(eastern()).date().isoformat()


class Calendar:
    """arXiv's announcements.

    Args:
        holidays: further evenings without announcement, as ``YYYY-MM-DD``; those of `HOLIDAYS` are known.
    """

    def __init__(self, holidays: Iterable[str] = ()):
        self._holidays = {date.fromisoformat(day) for day in (*HOLIDAYS, *holidays)}
        self._years = {day.year for day in self._holidays}

    def why_none(self, day: str) -> str:
        """Why there is no listing of ``day``, a sentence for people; empty where there is one."""
        there = date.fromisoformat(day)
        if there.weekday() >= 5:
            return "arXiv announces nothing on Fridays and Saturdays, so weekends have no listing"
        evening = there - timedelta(days=1)
        if evening in self._holidays:
            return f"arXiv announced nothing on the evening of {evening.isoformat()}, a holiday"
        return ""

    def expected(self, now: datetime) -> str:
        """The last day whose listing should be out at ``now`` (UTC)."""
        there = now.astimezone(eastern())
        day = there.date()
        if there.time() < FEEDS_READY:
            day -= timedelta(days=1)
        while self.why_none(day.isoformat()):
            day -= timedelta(days=1)
        return day.isoformat()

    def knows(self, day: str) -> bool:
        """Whether the holidays of the year of ``day`` are known."""
        return int(day[:4]) in self._years

    def due(self, last_success: datetime | None, now: datetime) -> datetime:
        """When to look next, in UTC: the first of arXiv's hours after ``last_success``."""
        if last_success is None:
            return now
        # A success in the future was noted by a wrong clock.
        last = min(last_success, now)
        day = last.astimezone(eastern()).date() - timedelta(days=1)
        for _ in range(_LONGEST_PAUSE_DAYS + 2):
            for moment in self._hours(day):
                if moment > last:
                    return moment
            day += timedelta(days=1)
        return last + timedelta(days=_LONGEST_PAUSE_DAYS)

    def _hours(self, day: date) -> list[datetime]:
        """When to look on ``day``, a day in US Eastern time, in order."""
        hours = [] if self.why_none(day.isoformat()) else list(_MORNING)
        if not self.why_none((day + timedelta(days=1)).isoformat()):
            hours += _EVENING
        return [datetime.combine(day, hour, eastern()).astimezone(UTC) for hour in hours]


def days_of(text: str) -> list[str]:
    """The days that ``text``, a setting, names, divided by commas or spaces.

    Raises:
        HolidayError: naming what is no day.
    """
    found = []
    for word in re.split(r"[,\s]+", text.strip()):
        if not word:
            continue
        try:
            found.append(date.fromisoformat(word).isoformat())
        except ValueError as error:
            raise HolidayError(f"{word[:40]!r} is no day; write it as YYYY-MM-DD") from error
    return found
