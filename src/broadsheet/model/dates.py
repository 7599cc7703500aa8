"""Days and instants as ISO 8601 text in UTC, the form in which they are stored and compared."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from dateutil import parser as dateutil_parser

# The Philosophical Transactions began in 1665; nothing to list is older or lies far ahead.
FIRST_YEAR = 1665
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ISO_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_ISO_MONTH = re.compile(r"(\d{4})-(\d{2})")
_YEAR = re.compile(r"\d{4}")


class DateError(ValueError):
    """A text that was given as a date is none, or lies outside the possible years."""


def _checked(moment: datetime, text: str) -> datetime:
    last = datetime.now(UTC).year + 2
    if not FIRST_YEAR <= moment.year <= last:
        raise DateError(f"{text!r} is not a possible date: its year must be {FIRST_YEAR} to {last}")
    return moment


def timestamp(text: str) -> str:
    """``text``, a date or date and time in any usual form, as ``YYYY-MM-DDTHH:MM:SSZ``.

    A missing zone means UTC; a missing day or month means the first.

    Raises:
        DateError: if it is no date or its year is impossible.
    """
    text = text.strip()
    try:
        if _YEAR.fullmatch(text):
            moment = datetime(int(text), 1, 1)
        elif month := _ISO_MONTH.fullmatch(text):
            moment = datetime(int(month[1]), int(month[2]), 1)
        else:
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                if len(text) > 60 or not re.search(r"\d", text):
                    raise
                moment = dateutil_parser.parse(text, default=datetime(1, 1, 1))
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
    except (ValueError, ArithmeticError, TypeError) as error:
        raise DateError(
            f"{text[:60]!r} is no date; write it as YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ"
        ) from error
    return _checked(moment, text).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(text: str) -> str:
    """``text``, a calendar day, as ``YYYY-MM-DD``.

    Raises:
        DateError: if it is no day of the calendar or its year is impossible.
    """
    text = text.strip()
    if not _ISO_DAY.fullmatch(text):
        return timestamp(text)[:10]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise DateError(f"{text!r} is no day of the calendar; write it as YYYY-MM-DD") from error
    return _checked(moment, text).strftime("%Y-%m-%d")


def today() -> str:
    """Today in UTC as ``YYYY-MM-DD``."""
    return datetime.now(UTC).strftime("%Y-%m-%d")


def now() -> str:
    """This instant in UTC as ``YYYY-MM-DDTHH:MM:SSZ``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
