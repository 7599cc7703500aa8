"""What the engine answers, as plain data."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from typing import Any

from .facets import Facet
from .query import Query


@dataclass(frozen=True, slots=True)
class Hit:
    """A paper found: its ``score`` (0 to 1) is the sum of the shares of ``words`` and ``meaning``.

    A share is None where that side was not asked. ``reason`` is ``id``, ``title``, ``words``,
    ``meaning``, ``words and meaning`` or ``filters``. ``sentence`` is the place of the sentence nearest
    to the query among `sentences.sentence_spans`, None where that is not known. ``folded`` are the
    papers that say nearly the same and stand behind this one.
    """

    key: int
    score: float
    words: float | None
    meaning: float | None
    reason: str
    sentence: int | None = None
    folded: tuple[int, ...] = ()


@dataclass(slots=True)
class Answer:
    """One page of what a query found, of ``total`` papers that paging reaches.

    ``facets`` and ``did_you_mean`` are filled where they were asked for. Facets are counted while the
    caller goes on, so that the first look at them may wait.
    """

    query: str
    parsed: Query = field(default_factory=Query)
    total: int = 0
    hits: list[Hit] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counted: list[Facet] | Future[list[Facet]] = field(default_factory=list, repr=False)
    did_you_mean: str = ""
    seconds: float = 0.0

    @property
    def facets(self) -> list[Facet]:
        if isinstance(self.counted, Future):
            self.counted = self.counted.result()
        return self.counted


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far the index is: ``seen`` of the ``last`` change of the store, papers found by each side.

    ``behind`` counts changes that words do not know yet, ``unencoded`` papers that words find and
    meaning does not. ``encoder`` is empty where there is none; ``message`` says what is amiss.
    """

    seen: int
    last: int
    words: int
    vectors: int
    behind: int
    unencoded: int
    encoder: str
    message: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
