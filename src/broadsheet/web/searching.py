"""A search, and what its answer is dressed with, made while the encoder works."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..search.engine import Answer, Engine
from ..search.query import Query

_Made = TypeVar("_Made")


def searched(
    engine: Engine,
    typed: str,
    make: Callable[[Query], _Made],
    limit: int,
    offset: int = 0,
    *,
    extras: bool = False,
) -> tuple[Answer, _Made]:
    """The answer to ``typed`` (see `Engine.search`), and what ``make`` makes of the query that it answers."""
    made: list[tuple[Query, _Made]] = []

    def begin(query: Query) -> None:
        made.append((query, make(query)))

    answer = engine.search(typed, limit, offset, extras=extras, meanwhile=begin)
    if made and made[0][0] is answer.parsed:
        return answer, made[0][1]
    # Nothing was searched for, or another query than the one that was typed.
    return answer, make(answer.parsed)
