"""What happened to stored papers, what was merged, and what an editor should look at; as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


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


@dataclass(frozen=True, slots=True)
class Merge:
    """Two papers, or a paper and a record of the same title, that were brought together.

    ``paper`` is the id of the paper where all of it stands now, ``dropped`` the id that the other had
    (empty where it never was a paper of its own). ``sources`` are those whose tellings came with it.
    ``source`` is "editor", or the source whose record ``where`` brought them together. ``undone`` is
    when it was undone, empty where it holds.
    """

    number: int
    at: str
    paper: str
    title: str
    dropped: str
    sources: tuple[str, ...]
    source: str
    where: str
    reason: str
    undone: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two papers (``id``, ``title`` of each) that may be one, or of which one has what is the other's.

    ``kind``: ``identifiers`` (a record has identifiers of both, and they do not agree), ``identifier``
    (a record has an identifier of the one and tells of another work), ``twins`` (one title, authors that
    agree, two identifiers of one kind) or ``title`` (one title, authors or abstracts that do not agree).
    ``source`` and ``where`` name the record that showed it.
    """

    kind: str
    at: str
    one: tuple[str, str]
    other: tuple[str, str]
    source: str
    where: str
    reason: str
