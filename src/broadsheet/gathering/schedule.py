"""Gathering by itself: each source when its service publishes, by exactly one of all workers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from ..config import Settings
from ..model.gathering import GatherState
from ..sources.http import Client
from ..sources.source import Source
from ..store import Store
from .choosing import configured_sources
from .gaps import fill_gaps
from .leases import Lease
from .running import Gathered, run

log = logging.getLogger(__name__)

# The lease of the worker that keeps the schedule. It is kept as long as that runs: two machines that
# took turns would not know of each other's last request.
LEASE = "schedule"
# Sources that are gathered at the same time: they mostly wait, and one that takes hours must not hold
# up those of the day.
AT_ONCE = 4
# What is under way at the end may take so long; a request that takes longer is simply made again.
CLOSE_SECONDS = 5.0
# The pause after a first failure, doubled after each further one.
FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=6)


def next_try(source: Source, state: GatherState, now: datetime) -> datetime:
    """When ``source`` is to be gathered next: when it is due, after failures with growing pauses."""
    succeeded, tried = _moment(state.succeeded), _moment(state.tried)
    if not state.failures or tried is None or tried > now:
        return source.due(succeeded, now)
    return tried + min(FIRST_PAUSE * 2 ** min(state.failures - 1, 10), LONGEST_PAUSE)


class Schedule:
    """The schedule of one worker; call `turn` again and again, and `close` at the end.

    Args:
        sources: the sources to gather, and what is wrong with the settings of others; asked for at each
            turn, so that a feed that is added while the site runs is gathered, too.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        stop: threading.Event,
        sources: Callable[[], tuple[list[Source], list[str]]] | None = None,
    ):
        self._store = store
        self._settings = settings
        self._stop = stop
        self._sources = sources or (lambda: configured_sources(settings))
        self._lease: Lease | None = None
        self._client: Client | None = None
        self._running: dict[str, threading.Thread] = {}
        self._told: dict[str, str] = {}

    @property
    def ours(self) -> bool:
        """Whether this worker keeps the schedule."""
        return self._lease is not None and self._lease.ours()

    def turn(self) -> list[str]:
        """Begins to gather the sources that are due, if no other worker keeps the schedule.

        Returns at once; the names of what it began.
        """
        if not self._take():
            return []
        if self._client is None:
            self._client = Client.of(self._settings)
        sources, problems = self._sources()
        for problem in problems:
            self._tell(problem, problem)
        self._running = {name: thread for name, thread in self._running.items() if thread.is_alive()}
        begun: list[str] = []
        states = self._store.gather_states([source.name for source in sources])
        now = datetime.now(UTC)
        waiting = [
            (self._next(source, state, now), source)
            for source, state in zip(sources, states, strict=True)
            if source.name not in self._running and not state.holder
        ]
        # Who waits longest comes first.
        for moment, source in sorted(waiting, key=lambda pair: pair[0]):
            if moment > now or len(self._running) >= AT_ONCE:
                break
            thread = threading.Thread(
                target=self._gather, args=(source, self._client), name=f"gather-{source.name}", daemon=True
            )
            self._running[source.name] = thread
            begun.append(source.name)
            thread.start()
        return begun

    def close(self) -> None:
        """Waits for what is under way, which the stop event ends, and gives the schedule to others."""
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in self._running.values():
            thread.join(timeout=max(0.0, deadline - time.monotonic()))
        if self._lease:
            with suppress(Exception):
                self._lease.give()
        if self._client:
            self._client.close()

    def _next(self, source: Source, state: GatherState, now: datetime) -> datetime:
        """`next_try`; a source that cannot say it does not hold up the others."""
        try:
            return next_try(source, state, now)
        except Exception as error:
            self._tell(source.name, f"{source.name} does not say when it is due: {error!r}")
            return (_moment(state.tried) or now) + LONGEST_PAUSE

    def _take(self) -> bool:
        if self._lease and not self._lease.ours():
            log.warning("another worker keeps the schedule now")
            self._lease = None
        if not self._lease:
            lease = Lease(self._store, LEASE)
            if lease.take():
                self._lease = lease
        return self._lease is not None

    def _gather(self, source: Source, client: Client) -> None:
        try:
            result = run(self._store, client, source, None, self._stop)
            self._report(source, result)
            if result.state == "done":
                filled = fill_gaps(self._store, client, source.name, self._stop, url=self._settings.arxiv_url)
                if filled.asked:
                    log.info("%s: %d of %d missing papers found", source.name, filled.found, filled.asked)
        except Exception:
            log.exception("gathering from %s failed; it is tried again", source.name)

    def _report(self, source: Source, result: Gathered) -> None:
        if result.state == "failed":
            state = self._store.gather_state(source.name)
            again = next_try(source, state, datetime.now(UTC))
            self._tell(source.name, result.problem, f"; gathering tries again at {again:%Y-%m-%d %H:%M} UTC")
        elif result.state == "done":
            if self._told.pop(source.name, None):
                log.warning("%s: gathering goes on, %d new papers", source.name, result.new)
            log.info("%s: %d read, %d new", source.name, result.read, result.new)

    def _tell(self, about: str, problem: str, more: str = "") -> None:
        """One line in the log for each problem, not one for each try."""
        if self._told.get(about) != problem:
            self._told[about] = problem
            log.warning("%s%s", problem, more)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
