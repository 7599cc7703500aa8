"""Running a source over a real store against a playing service, and what every service does wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from broadsheet.model.identifiers import find_identifier
from broadsheet.model.papers import Author, Link, Record
from broadsheet.sources.http import Client, Service, ServiceError
from broadsheet.sources.source import Run, Source
from broadsheet.store import Store
from tests.sources.played_source import FIXTURES, Gathered
from tests.sources.playing_service import Answer

NOW = datetime(2026, 6, 12, 9, 0, tzinfo=UTC)
QUICK = Service("played", interval=0.0, tries=2, backoff=0.01, silence=5.0)
_PAGE = b"<!doctype html><html><head><title>Sorry</title></head><body>We are busy.</body></html>"
# What a service answers when it is out of order, also in ways that look like an answer.
OUT_OF_ORDER = {
    "an error": Answer(status=500),
    "refused": Answer(status=403, body=b'{"message": "Forbidden"}'),
    "too much": Answer(status=429, headers={"Retry-After": "4000"}),
    "a web page with status 200": Answer(body=_PAGE, headers={"Content-Type": "text/html"}),
    "nothing": Answer(body=b""),
    "half an answer": Answer(body=b'{"results": ['),
    "another answer": Answer(body=b'"what"', headers={"Content-Type": "application/json"}),
    "cut connections": Answer(body=b"{" + b" " * 5000 + b"}", cut=True),
}


@contextmanager
def home(path: Path, allow_private: bool = True) -> Iterator[tuple[Store, Client]]:
    """An empty store and a client, both in the folder ``path``."""
    store = Store.open(f"sqlite:///{path / 'store.db'}")
    try:
        with Client(path, contact="test@example.org", allow_private=allow_private) as client:
            yield store, client
    finally:
        store.close()


def gather(
    source: Source,
    store: Store,
    client: Client,
    *,
    days: float = 0,
    kill_after: int | None = None,
    since: str | None = None,
    stop: threading.Event | None = None,
) -> Gathered:
    """A run of ``source``, ``days`` after `NOW`, its pages stored as gathering does; killed after some."""
    gathered = Gathered()
    now = NOW + timedelta(days=days)
    cursor = store.gather_state(source.name).cursor
    # As it comes back from the database.
    run = Run(store, client, json.loads(json.dumps(cursor)), now, stop or threading.Event(), since)
    try:
        for page in source.pages(run):
            store.add_page(source.name, page.items, page.cursor, page.announced)
            gathered.pages.append(page)
            if len(gathered.pages) == kill_after:
                break
    except ServiceError as error:
        gathered.problem = error
    return gathered


def add(store: Store, *papers: tuple[str, str], links: Sequence[str] = (), days_old: int = 0) -> None:
    """Stores papers given as (id, title), the first one the newest; all link to ``links``."""
    records = []
    for number, (name, title) in enumerate(papers):
        moment = NOW - timedelta(days=days_old, minutes=number)
        identifier = find_identifier(name)
        assert identifier, name
        records.append(
            Record(
                title,
                "test",
                identifiers=[identifier],
                authors=[Author("Ada Lovelace"), Author("George Boole")],
                published=moment.isoformat(),
                links=[Link("code", url, "test", "given") for url in links],
            )
        )
    assert store.add(records).new == len(papers)


def as_json(value: Any) -> Answer:
    return Answer(body=json.dumps(value).encode(), headers={"Content-Type": "application/json"})


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text())
