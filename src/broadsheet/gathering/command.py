"""What `broadsheet gather` does: the sources that are named, gaps filled, stopped by a signal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..sources.configured import configured
from ..sources.http import Client
from ..workspace import Workspace
from .choosing import chosen, configured_sources
from .gaps import Filled, fill_gaps
from .running import Gathered, Progress, gather


@dataclass(slots=True)
class Outcome:
    """What became of each source; ``problems`` are those of the settings."""

    sources: list[Gathered] = field(default_factory=list)
    filled: Filled = field(default_factory=Filled)
    problems: list[str] = field(default_factory=list)
    stopped: bool = False

    @property
    def failed(self) -> bool:
        return bool(self.problems) or any(told.state == "failed" for told in self.sources)

    def as_json(self) -> dict[str, Any]:
        """The sums as `broadsheet add` prints them, and each source."""
        sums = {name: sum(getattr(told, name) for told in self.sources) for name in _SUMS}
        return {
            **sums,
            "rejected": [told for source in self.sources for told in source.as_json()["rejected"]],
            "missing": {"asked": self.filled.asked, "found": self.filled.found},
            "sources": [told.as_json() for told in self.sources],
            "problems": self.problems,
            "stopped": self.stopped,
        }


_SUMS = ("read", "new", "updated", "unchanged")


def gather_sources(
    workspace: Workspace,
    names: Sequence[str],
    *,
    since: str | None = None,
    again: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """Gathers from the sources ``names``, or from all that the settings choose; see `running.gather`.

    SIGINT and SIGTERM end it after the request that is under way; what is stored stays.

    Raises:
        UnknownSource: if a name is that of no configured source.
    """
    outcome = Outcome()
    settings, store = workspace.settings, workspace.store
    if names:
        found = configured(settings)
        sources = chosen(found.sources, names)
    else:
        sources, outcome.problems = configured_sources(settings)
    with _stopped_by_signals() as stop, Client.of(settings) as client:
        outcome.sources = gather(
            store, client, sources, since=since, again=again, stop=stop, progress=progress
        )
        for told in outcome.sources:
            if told.state == "done" and not stop.is_set():
                filled = fill_gaps(store, client, told.source, stop, url=settings.arxiv_url)
                outcome.filled.asked += filled.asked
                outcome.filled.found += filled.found
        outcome.stopped = stop.is_set()
    return outcome


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; the second one ends the program as usual."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    kinds = (signal.SIGINT, signal.SIGTERM)
    former = {kind: signal.getsignal(kind) for kind in kinds}

    def end(kind: int, _frame: object) -> None:
        stop.set()
        signal.signal(kind, former[kind])

    for kind in kinds:
        signal.signal(kind, end)
    try:
        yield stop
    finally:
        for kind in kinds:
            signal.signal(kind, former[kind])
