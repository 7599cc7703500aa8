"""What every source that is gathered by itself offers: pages of records, each with where to go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from ..model.gathering import Announced
from ..model.papers import Record, Rejection, Withdrawal
from ..store import Store
from .http import Client

__all__ = ["Announced", "Page", "Run", "Source"]


@dataclass(slots=True)
class Page:
    """One answer of a service, read.

    ``items`` are stored, and ``announced`` and ``cursor`` with them in one transaction: after a crash
    the next run gets this cursor and asks for what follows. ``cursor`` is plain JSON of the source's
    own. ``expected`` is how many items the whole run will give, where the service tells.
    """

    items: list[Record | Rejection | Withdrawal]
    cursor: dict[str, Any]
    announced: list[Announced] = field(default_factory=list)
    expected: int | None = None


@dataclass(slots=True)
class Run:
    """What a source is given for one run.

    ``cursor`` is the one of the last stored page (empty the first time). ``since`` is set by a backfill:
    the first day (``YYYY-MM-DD``) to fetch; a backfill has a cursor of its own. ``now`` is UTC.
    """

    store: Store
    client: Client
    cursor: dict[str, Any]
    now: datetime
    stop: threading.Event
    since: str | None = None


class Source(Protocol):
    """A place where papers come from.

    ``name`` is unique in a home (``arxiv``, ``openreview``, ``feed:blog.example.org/rss``), ``title``
    is for people, ``home_page`` where the service explains itself.
    """

    name: str
    title: str
    home_page: str

    def pages(self, run: Run) -> Iterator[Page]:
        """What is new since ``run.cursor``, page by page, until there is no more.

        Raises:
            ServiceError: if the service gives no usable answer; the pages before it are stored.
            Stopped: if ``run.stop`` was set while waiting.
        """
        ...

    def due(self, last_success: datetime | None, now: datetime) -> datetime:
        """When to gather next: by the hours at which the service publishes. Both times are UTC."""
        ...
