"""Running a source against a playing service, and the answers with which every service fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from broadsheet.model.gathering import Announced
from broadsheet.model.papers import Record, Rejection, Withdrawal
from broadsheet.sources.http import Client, Service, ServiceError
from broadsheet.sources.source import Page, Run, Source
from broadsheet.store import Store
from tests.sources.playing_service import Answer

FIXTURES = Path(__file__).parents[1] / "fixtures" / "sources"
# A Friday.
NOW = datetime(2026, 6, 12, 15, 0, tzinfo=UTC)
QUICK = Service("played", interval=0.0, tries=3, backoff=0.01, silence=5.0)

WEB_PAGE = b"<!doctype html><html><head><title>Sorry</title></head><body><h1>Maintenance</h1></body></html>"
# What a service answers when something is wrong with it, again and again.
FAILURES = {
    "an error": Answer(status=500),
    "a web page with status 200": Answer(body=WEB_PAGE, headers={"Content-Type": "text/html"}),
    "a web page that claims to be data": Answer(body=WEB_PAGE, headers={"Content-Type": "application/json"}),
    "a picture": Answer(body=b"\x89PNG\r\n", headers={"Content-Type": "image/png"}),
    "nothing": Answer(body=b""),
    "something else": Answer(body=b'{"what": "is this"}'),
    "broken connections": Answer(body=b"[" + b" " * 5000 + b"]", cut=True),
}


@dataclass(slots=True)
class Gathered:
    """What a run gave: its pages, all that they hold together, and what ended it, if anything did."""

    pages: list[Page] = field(default_factory=list)
    problem: ServiceError | None = None

    @property
    def items(self) -> list[Record | Rejection | Withdrawal]:
        return [item for page in self.pages for item in page.items]

    @property
    def records(self) -> list[Record]:
        return [item for item in self.items if isinstance(item, Record)]

    @property
    def rejections(self) -> list[Rejection]:
        return [item for item in self.items if isinstance(item, Rejection)]

    @property
    def announced(self) -> list[Announced]:
        return [told for page in self.pages for told in page.announced]

    @property
    def cursor(self) -> dict[str, Any]:
        return self.pages[-1].cursor if self.pages else {}


def run_of(
    client: Client, cursor: dict[str, Any] | None = None, now: datetime = NOW, since: str | None = None
) -> Run:
    # These sources look at nothing that is stored.
    return Run(cast(Store, None), client, cursor or {}, now, threading.Event(), since)


def gather(
    source: Source,
    client: Client,
    cursor: dict[str, Any] | None = None,
    *,
    now: datetime = NOW,
    since: str | None = None,
    until: int | None = None,
) -> Gathered:
    """A run of ``source``; one that is killed after ``until`` pages."""
    gathered = Gathered()
    try:
        for page in source.pages(run_of(client, cursor, now, since)):
            gathered.pages.append(page)
            if len(gathered.pages) == until:
                break
    except ServiceError as error:
        gathered.problem = error
    return gathered


@contextmanager
def stored(path: Path) -> Iterator[Store]:
    """An empty store at ``path``."""
    path.mkdir(exist_ok=True)
    store = Store.open(f"sqlite:///{path / 'store.db'}")
    try:
        yield store
    finally:
        store.close()


def store_all(store: Store, name: str, gathered: Gathered) -> None:
    """Stores the pages as gathering does."""
    for page in gathered.pages:
        store.add_page(name, page.items, page.cursor, page.announced)
