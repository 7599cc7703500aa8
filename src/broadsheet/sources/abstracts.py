"""Papers fetched by their ids: those that a person asked for, and those whose abstract is missing."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..model.papers import Record, Rejection, Wanted
from ..store import Store
from .arxiv import API_URL, ARXIV, BATCH, fetch_entries
from .arxiv.adapter import EntryError, record
from .http import Client, Service, ServiceError, Stopped

log = logging.getLogger(__name__)

# arXiv's answers change once a day: an id that it did not know is not asked again before.
ASK_AGAIN_SECONDS = 86_400.0
# So many ids and not one known: that is a fault of the service, not of the ids.
_IMPROBABLE = 20


@dataclass(slots=True)
class AbstractsReport:
    """What became of the missing abstracts.

    ``wanted`` papers were asked for, ``fetched`` of them have their abstract now, for ``unknown`` arXiv
    has none. ``problem`` says why it ended early, and is empty where it did not.
    """

    wanted: int = 0
    fetched: int = 0
    unknown: int = 0
    problem: str = ""


def fetch_missing_abstracts(
    store: Store,
    client: Client,
    stop: threading.Event | None = None,
    progress: Callable[[int], None] | None = None,
    *,
    url: str = API_URL,
    service: Service = ARXIV,
) -> AbstractsReport:
    """Fetches the papers of ``store`` that have an arXiv id and no abstract, and stores what arXiv tells.

    A hundred papers go into one request. Where arXiv cannot be reached or gives no usable answer, one
    line is logged and the rest is left to the next call; what was stored stays. An id that arXiv
    does not know is asked again after a day at the earliest, also by another process.

    Args:
        stop: ends the work soon after it is set.
        progress: is told after each request how many papers it was about.
    """
    report = AbstractsReport()
    memory = _Memory(client.folder / f"{service.name}-without-abstract.json")
    ids = (name for name in _without_abstract(store) if not memory.holds(name))
    while names := list(islice(ids, BATCH)):
        answer = _ask(names, client, url, service, stop)
        if answer.stopped:
            break
        records = [item for item in answer.found.values() if isinstance(item, Record)]
        store.add(records)
        report.wanted += len(names)
        got = {item.identifiers[0].value for item in records if item.abstract}
        report.fetched += len(got)
        if progress:
            progress(len(names))
        if answer.problem:
            report.problem = str(answer.problem)
        elif not records and len(names) >= _IMPROBABLE:
            report.problem = f"{service.name} knows none of {len(names)} ids, which is improbable"
        if report.problem:
            log.warning("abstracts were not fetched, and will be tried later: %s", report.problem)
            break
        unknown = [name for name in names if name not in got]
        report.unknown += len(unknown)
        memory.add(unknown)
    return report


def fetch_papers(
    wanted: Iterable[Wanted],
    client: Client,
    *,
    stop: threading.Event | None = None,
    url: str = API_URL,
    service: Service = ARXIV,
) -> Iterator[Record | Rejection]:
    """The papers that ``wanted`` asks for, as arXiv tells them, each once, in order.

    A paper that arXiv does not know, that is not on arXiv, or that could not be fetched comes as a
    `Rejection` that says why. Nothing raises.
    """
    places: dict[str, str] = {}
    for item in wanted:
        if item.identifier.scheme == "arxiv":
            places.setdefault(item.identifier.value, item.where)
        else:
            yield Rejection(
                item.where,
                f"{item.identifier.key} is not stored, and only arXiv papers can be fetched by their id; "
                "give a file that holds the paper",
            )
    names = iter(places)
    while batch := list(islice(names, BATCH)):
        answer = _ask(batch, client, url, service, stop)
        if answer.stopped:
            return
        for name in batch:
            item = answer.found.get(name)
            if isinstance(item, Record):
                item.where = places[name]
                yield item
            elif item:
                yield Rejection(places[name], f"arXiv:{name}: {item}")
            elif answer.problem:
                yield Rejection(places[name], f"arXiv:{name} was not fetched: {answer.problem}")
            else:
                yield Rejection(places[name], f"arXiv knows no paper {name}; check the id")
        if answer.problem:
            # The others would fare no better now, and each attempt takes its time.
            for name in names:
                yield Rejection(places[name], f"arXiv:{name} was not fetched: {answer.problem}")


@dataclass(slots=True)
class _Answer:
    """What was found by arXiv id: the paper, or why it is none. ``problem`` is what ended it early."""

    found: dict[str, Record | str]
    problem: ServiceError | None = None
    stopped: bool = False


def _ask(
    names: list[str], client: Client, url: str, service: Service, stop: threading.Event | None
) -> _Answer:
    answer = _Answer({})
    try:
        for entry in fetch_entries(names, client, url=url, service=service, stop=stop):
            try:
                paper = record(entry, f"{service.name} entry {entry.place}")
            except EntryError as error:
                # arXiv names the id that it refuses at the end of its message.
                answer.found.setdefault((entry.error.split() or [""])[-1], str(error))
            else:
                answer.found[paper.identifiers[0].value] = paper
    except ServiceError as error:
        answer.problem = error
    except Stopped:
        answer.stopped = True
    return answer


def _without_abstract(store: Store) -> Iterator[str]:
    """The arXiv ids of all papers without abstract, a page at a time."""
    after = 0
    while keys := store.keys_without_abstract(BATCH, after):
        after = keys[-1]
        for paper in store.papers(list(dict.fromkeys(keys))):
            name = paper.identifier("arxiv")
            if name:
                yield name


class _Memory:
    """The ids that arXiv had no abstract for, each for a day, in a file beside the service's pace."""

    def __init__(self, path: Path):
        self._path = path
        now = time.time()
        try:
            known = json.loads(path.read_text())
            # A time in the future was written by a wrong clock.
            self._asked = {
                str(name): float(at)
                for name, at in known.items()
                if now - ASK_AGAIN_SECONDS < float(at) <= now
            }
        except (OSError, ValueError, TypeError, AttributeError):
            # None yet, or not readable: asking once more does no harm.
            self._asked = {}

    def holds(self, name: str) -> bool:
        return name in self._asked

    def add(self, names: Iterable[str]) -> None:
        news = dict.fromkeys(names, time.time())
        if news:
            self._asked |= news
            draft = self._path.with_suffix(".new")
            draft.write_text(json.dumps(self._asked))
            draft.replace(self._path)
