"""One run of a source: its lease, its cursor, each page stored in one transaction, what became of it."""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from ..model import dates
from ..model.papers import ImportReport, Rejection
from ..sources.http import Client, RefusedAddress, ServiceError, Stopped
from ..sources.source import Page, Run, Source
from ..store import Store
from .leases import Lease, held, shown

log = logging.getLogger(__name__)

# Sources that are gathered at the same time: they wait for their services most of it.
AT_ONCE = 4
# A worker that is about to end gives its lease back so soon.
PATIENCE_SECONDS = 3.0
# How long what is under way may take after the stop.
STOP_SECONDS = 10.0
# Rejections that are kept of a run; all are counted.
MAX_REJECTIONS = 1000
# A backfill goes on after a failure, with pauses of a minute, two, four to at most an hour, until it
# has failed so often in a row.
BACKFILL_FAILURES = 12
BACKFILL_PAUSE_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 3600.0
# A service that gives the same page with nothing new again and again will not end by itself.
MAX_REPEATED = 5

Progress = Callable[[str, int, int | None], None]


@dataclass(slots=True)
class Gathered:
    """What one run of a source brought.

    ``state`` is ``done``, ``failed`` (``problem`` says why; the pages before it are stored),
    ``stopped`` or ``busy`` (another worker is gathering it). ``rejected`` counts all rejections,
    ``rejections`` holds the first of them.
    """

    source: str
    state: Literal["done", "failed", "stopped", "busy"] = "done"
    problem: str = ""
    pages: int = 0
    read: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    rejections: list[Rejection] = field(default_factory=list)

    def gain(self, report: ImportReport) -> None:
        self.read += report.read
        self.new += report.new
        self.updated += report.updated
        self.unchanged += report.unchanged
        self.rejected += len(report.rejected)
        self.rejections += report.rejected[: MAX_REJECTIONS - len(self.rejections)]

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "state": self.state,
            "problem": self.problem,
            "pages": self.pages,
            "read": self.read,
            "new": self.new,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "rejected": [{"where": told.where, "why": told.why} for told in self.rejections],
            "rejected_count": self.rejected,
        }


def gather(
    store: Store,
    client: Client,
    sources: Sequence[Source],
    *,
    since: str | None = None,
    again: bool = False,
    stop: threading.Event | None = None,
    progress: Progress | None = None,
    at_once: int = AT_ONCE,
) -> list[Gathered]:
    """Gathers what is new from ``sources``, several at once; one that fails does not hold up the others.

    Args:
        since: makes it a backfill from that day (``YYYY-MM-DD``) on: it has a cursor of its own, goes on
            after failures, and may be stopped and called again at any time until it is complete.
        again: begins a backfill that was under way or complete anew.
        stop: ends all runs soon after it is set; what is stored stays, and the next call goes on there.
        progress: is told (source, items stored now, items of the whole run if known).

    Returns:
        What became of each, in the order of ``sources``.
    """
    stop = stop or threading.Event()
    waiting: queue.SimpleQueue[tuple[int, Source]] = queue.SimpleQueue()
    for numbered in enumerate(sources):
        waiting.put(numbered)
    # Where it is stopped before its turn comes.
    results = [Gathered(source.name, "stopped") for source in sources]

    def work() -> None:
        while not stop.is_set():
            try:
                number, source = waiting.get_nowait()
            except queue.Empty:
                return
            results[number] = run(store, client, source, since, stop, progress, again=again)

    workers = [threading.Thread(target=work, daemon=True) for _ in range(min(at_once, len(sources)))]
    for thread in workers:
        thread.start()
    ends = float("inf")
    while any(thread.is_alive() for thread in workers) and time.monotonic() < ends:
        # In steps, so that a signal is taken in between.
        for thread in workers:
            thread.join(0.25)
        if stop.is_set():
            # A request that takes longer is simply made again in the next run.
            ends = min(ends, time.monotonic() + STOP_SECONDS)
    return list(results)


def run(
    store: Store,
    client: Client,
    source: Source,
    since: str | None,
    stop: threading.Event,
    progress: Progress | None = None,
    *,
    again: bool = False,
) -> Gathered:
    """One run of ``source``, or of its backfill from ``since`` on; nothing raises."""
    name = source.name if since is None else backfill_name(source.name, since)
    result = Gathered(source.name)
    try:
        with held(store, name, PATIENCE_SECONDS, stop) as lease:
            if lease is None and stop.is_set():
                result.state = "stopped"
            elif lease is None:
                result.state = "busy"
                holder = shown(store.gather_state(name).holder)
                result.problem = f"{holder} is gathering it now; nothing need be done"
            elif since is None:
                _Runner(store, client, source, name, stop, progress, result, lease).once(None)
            else:
                if again:
                    # Until it ends well it counts as incomplete.
                    store.note_gather(name, dates.now(), "begun anew")
                    store.add_page(name, [], {}, [])
                _backfill(_Runner(store, client, source, name, stop, progress, result, lease), since)
    except Exception as error:
        log.exception("gathering from %s failed", source.name)
        result.state, result.problem = "failed", f"{type(error).__name__}: {error}"
    return result


def backfill_name(source: str, since: str) -> str:
    """Under which name the cursor of a backfill is stored."""
    return f"{source} since {since}"


def _backfill(runner: _Runner, since: str) -> None:
    """Runs until all is there, with pauses after failures that may pass."""
    state = runner.store.gather_state(runner.name)
    if state.succeeded and not state.problem:
        runner.result.problem = f"it was completed at {state.succeeded}; --again does it once more"
        return
    failures = 0
    while True:
        before = runner.store.gather_state(runner.name).cursor
        error = runner.once(since)
        after = runner.store.gather_state(runner.name).cursor
        # Where it came further, it is another failure.
        failures = failures + 1 if after == before else 1
        if error is None or not _may_pass(error) or failures >= BACKFILL_FAILURES:
            return
        pause = min(BACKFILL_PAUSE_SECONDS * 2 ** (failures - 1), _LONGEST_PAUSE_SECONDS)
        pause = max(pause, error.again or 0.0)
        log.warning("%s; it goes on in %.0f seconds", error, pause)
        if runner.stop.wait(pause):
            runner.result.state = "stopped"
            return


def _may_pass(error: ServiceError) -> bool:
    """Whether the same request may have an answer later."""
    if isinstance(error, RefusedAddress):
        return False
    return error.status is None or error.status in (200, 408, 429) or error.status >= 500 or bool(error.again)


@dataclass(slots=True)
class _Runner:
    """The runs of one source under one lease; ``result`` gains what they bring."""

    store: Store
    client: Client
    source: Source
    name: str
    stop: threading.Event
    progress: Progress | None
    result: Gathered
    lease: Lease

    def once(self, since: str | None) -> ServiceError | None:
        """Runs from the stored cursor to the end, and notes how it ended; the error, if it was one."""
        result, failure = self.result, None
        began = dates.now()
        cursor = self.store.gather_state(self.name).cursor
        run = Run(self.store, self.client, cursor, datetime.now(UTC), self.stop, since)
        result.state, result.problem = "done", ""
        try:
            self._pages(run)
        except Stopped:
            result.state = "stopped"
        except _Lost:
            result.state = "stopped"
            result.problem = "another worker took it over"
        except ServiceError as error:
            result.state, result.problem, failure = "failed", str(error), error
        except _Repeats as error:
            result.state, result.problem = "failed", str(error)
        except Exception as error:
            # Nothing else may come out of a source; if it does, the others still have their turn.
            result.state = "failed"
            result.problem = f"{self.source.name}: {type(error).__name__}: {error}; the log has the details"
            if not self.stop.is_set():
                log.exception("gathering from %s failed", self.source.name)
        if self.stop.is_set() and result.state == "failed":
            # What broke off at the end says nothing about the service.
            result.state = "stopped"
        if result.state in ("done", "failed") and self.lease.ours():
            self.store.note_gather(self.name, began, result.problem)
        return failure

    def _pages(self, run: Run) -> None:
        seen: set[int] = set()
        repeated = 0
        pages = self.source.pages(run)
        while True:
            if self.stop.is_set():
                raise Stopped
            page = next(pages, None)
            if page is None:
                return
            if not self.lease.ours():
                raise _Lost
            report = self._store(page, run.since)
            self.result.pages += 1
            self.result.gain(report)
            if self.progress:
                self.progress(self.source.name, report.read, page.expected)
            mark = hash(json.dumps(page.cursor, sort_keys=True))
            again = mark in seen and page.items and not report.new + report.updated
            repeated = repeated + 1 if again else 0
            seen.add(mark)
            if repeated >= MAX_REPEATED:
                raise _Repeats(self.source.name, self.result.pages)

    def _store(self, page: Page, since: str | None) -> ImportReport:
        announced = page.announced
        if since is not None and announced:
            # They are of the source, not of its backfill. Before the page: until that is stored, what
            # it announces counts as missing, which is what it is.
            while True:
                with held(self.store, self.source.name, 60.0, self.stop) as lease:
                    if lease:
                        cursor = self.store.gather_state(self.source.name).cursor
                        self.store.add_page(self.source.name, [], cursor, announced)
                        break
                if self.stop.is_set():
                    raise Stopped
            announced = []
        return self.store.add_page(self.name, page.items, page.cursor, announced)


class _Lost(Exception):
    """The lease is another worker's now."""


class _Repeats(Exception):
    def __init__(self, source: str, page: int):
        super().__init__(
            f"{source}: {MAX_REPEATED} pages up to page {page} came before and hold nothing new: "
            "the service goes in circles; try again later"
        )
