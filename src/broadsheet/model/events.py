"""What happened to a stored paper: a new version, a withdrawal, a merge, a split; as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

EVENT_KINDS = ("version", "withdrawn", "merged", "split")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to the paper with ``paper_key``; a first import is none.

    ``seq`` rises and is never given twice; ``at`` is a UTC timestamp. ``data`` of a ``version``:
    ``number``, ``date``, ``source``, and ``title`` with the former title where it changed; of
    ``withdrawn``: ``day``, ``source``, ``reason``; of ``merged`` and ``split``: ``key`` and ``id`` of
    the other paper and ``merge``, the number of the merge, where there is one.
    """

    seq: int
    paper_key: int
    kind: str
    at: str
    data: dict[str, Any] = field(default_factory=dict)
