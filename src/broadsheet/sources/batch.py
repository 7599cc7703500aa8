"""What all records of one input share: its name, its day, the places in its lists."""

from __future__ import annotations

from collections import Counter

from ..model import dates
from ..model.papers import Listing
from .content import Content

# The list of what was added by hand and stands in no other list.
ADDED = "added"


class Batch:
    """One import of one input.

    ``day`` is the day that was asked for, if any; ``today`` stays the same over midnight.
    """

    def __init__(self, content: Content, day: str | None = None) -> None:
        self.name = content.name
        self.day = day
        self.today = dates.today()
        self._content = content
        self._places: Counter[tuple[str, str]] = Counter()

    @property
    def digest(self) -> str:
        """See `Content.digest`."""
        return self._content.digest

    def place(self, list_name: str, day: str) -> int:
        """The next place (from 1) in ``list_name`` on ``day``, in the order of the input."""
        self._places[list_name, day] += 1
        return self._places[list_name, day]

    def added(self) -> Listing:
        """The listing of a paper that its source sets in no list: on the day it was added."""
        day = self.day or self.today
        return Listing(ADDED, day, self.place(ADDED, day), f"{ADDED}:{self.digest}")
