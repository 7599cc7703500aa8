"""Composes what is due: one edition for each audience and period, one outbox row for each subscription."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from ..config import Settings
from ..model.audiences import Audience
from ..model.editions import ComposedEdition
from ..model.subscriptions import Due, NewItem
from ..search import Engine
from ..store import Store
from .composing import Composer

# Papers in the edition of one subscription.
MOST_PAPERS = 50
# So far back an edition looks for what a source told late, or after the site was switched off.
_MOST_DAYS = 14
# Editions that are stored in one transaction; a kill loses at most these, and they are composed again.
_BATCH = 250

NOTHING_NEW = "nothing new"


@dataclass(slots=True)
class Composed:
    """What was composed: editions, rows that wait to be sent, and rows that are not sent with the reason."""

    editions: int = 0
    queued: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    papers: int = 0

    def count(self, items: Sequence[NewItem]) -> None:
        self.editions += 1
        for item in items:
            self.papers += len(item.papers)
            if item.skipped:
                self.skipped[item.skipped] = self.skipped.get(item.skipped, 0) + 1
            else:
                self.queued += 1


@dataclass(frozen=True, slots=True)
class Span:
    """What an edition covers: its kind, and its first and last day."""

    kind: str
    first: str
    last: str


def span_of(due: Due, exact: bool) -> Span:
    """What the edition of ``due`` covers.

    From the last day of the former edition on: its later hours are new. Where there was none, from the day
    before on, or from the last of the chosen weekdays. ``exact``: just the day, or the days since the last
    of the chosen weekdays.
    """
    slot = date.fromisoformat(due.slot)
    schedule = due.subscription.schedule
    kind = "week" if schedule.frequency == "weekly" else "day"
    before = next(
        (day for back in range(1, 8) if schedule.falls_on(day := slot - timedelta(days=back))),
        slot - timedelta(days=7),
    )
    if exact:
        return Span(kind, (before + timedelta(days=1)).isoformat(), due.slot)
    first = date.fromisoformat(due.since) if due.since else before
    earliest = slot - timedelta(days=_MOST_DAYS)
    return Span(kind, min(max(first, earliest), slot).isoformat(), due.slot)


def compose_due(
    store: Store,
    settings: Settings,
    engine: Engine | None,
    dues: Sequence[Due],
    *,
    exact: bool = False,
    save: bool = True,
    progress: Callable[[int], None] | None = None,
    now: float | None = None,
) -> Composed:
    """Composes the editions of ``dues`` and stores them with what is to be sent, batch by batch."""
    composed = Composed()
    for batch in composed_batches(store, settings, engine, dues, exact=exact):
        if save:
            store.save_editions(batch, now)
        for _, items in batch:
            composed.count(items)
            if progress:
                progress(len(items))
    return composed


def composed_batches(
    store: Store, settings: Settings, engine: Engine | None, dues: Sequence[Due], *, exact: bool = False
) -> Iterator[list[tuple[ComposedEdition, list[NewItem]]]]:
    """The editions of ``dues``, each with what its subscriptions get of it."""
    by_span: dict[Span, dict[Audience, list[Due]]] = defaultdict(lambda: defaultdict(list))
    for due in dues:
        by_span[span_of(due, exact)][due.subscription.audience].append(due)
    for span, wanted in by_span.items():
        with Composer(store, settings, engine, span.first, span.last) as composer:
            known = _Known(store, composer.news.papers, wanted, span.first)
            composed = composer.compose(wanted, span.kind)
            while batch := list(itertools.islice(composed, _BATCH)):
                yield [
                    (edition, [known.item(due, edition) for due in wanted[edition.audience]])
                    for edition in batch
                ]


class _Known:
    """What subscriptions got before, as far as it concerns the news of a period."""

    def __init__(self, store: Store, papers: Collection[int], wanted: dict[Audience, list[Due]], first: str):
        numbers = [due.subscription.id for dues in wanted.values() for due in dues]
        self._delivered = store.delivered_of(papers, numbers)
        self._matched = store.matched_before(numbers, first)

    def item(self, due: Due, edition: ComposedEdition) -> NewItem:
        """What ``due`` gets of ``edition``: nothing that it got, nor what an edition before left out."""
        number = due.subscription.id
        delivered = self._delivered.get(number, set())
        told = {paper for paper, _ in delivered}
        left_out = set().union(*self._matched.get(number, ()))
        papers = []
        for entry in edition.entries:
            if entry.news == "new":
                fresh = entry.paper not in told and entry.paper not in left_out
            else:
                fresh = not any(
                    paper == entry.paper and version >= entry.version for paper, version in delivered
                )
            if fresh:
                papers.append((entry.paper, entry.version))
        skipped = "" if papers else edition.incomplete or NOTHING_NEW
        return NewItem(number, due.slot, tuple(papers[:MOST_PAPERS]), skipped)
