"""What sources announced and what is stored of it: the account of a day, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Announced:
    """What a source says that it published in ``list`` on ``day`` (``YYYY-MM-DD``).

    ``identifiers`` are keys (``arxiv:2407.21783``) of the papers, as far as the source names them;
    ``count`` how many there are where it tells only the number. ``state`` is empty where there is a
    listing, else ``holiday`` (nothing is published on that day), ``late`` (expected, not there yet),
    ``failed`` (the service gave no usable answer) or ``refused`` (it answered with an error);
    ``reason`` is a sentence for people.
    """

    list: str
    day: str
    identifiers: list[str] = field(default_factory=list)
    count: int | None = None
    state: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Announced and stored papers of one list of one source on one day.

    ``missing`` are the announced identifiers that no stored paper has. ``state`` is ``complete``,
    ``incomplete``, ``holiday``, ``late``, ``failed`` or ``refused``. ``tried`` is a UTC timestamp.
    """

    source: str
    list: str
    day: str
    announced: int | None
    stored: int
    missing: tuple[str, ...]
    state: str
    reason: str
    tried: str


@dataclass(frozen=True, slots=True)
class GatherState:
    """How far gathering from one source is; times are UTC timestamps, empty where there was none.

    ``problem`` is what the last run ended with, empty where it ended well; ``failures`` how many runs
    in a row failed. ``holder`` names the worker that is gathering now.
    """

    source: str
    cursor: dict[str, Any]
    tried: str = ""
    succeeded: str = ""
    problem: str = ""
    failures: int = 0
    holder: str = ""
