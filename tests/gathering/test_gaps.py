"""Announced papers that are not stored are asked for by id, again and again with growing pauses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadsheet.gathering import fill_gaps
from broadsheet.gathering.gaps import MAX_TRIES, NAME
from broadsheet.gathering.leases import Lease
from broadsheet.model.gathering import Announced
from broadsheet.sources.http import Client
from broadsheet.store import Store
from tests.sources.playing_service import playing_service
from tests.sources.test_abstracts import BUSY, QUICK, arxiv

DAY = "2026-06-01"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NAMES = [f"2606.{number:05}" for number in range(1, 6)]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(tmp_path) as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store to which five papers were announced that it does not have, and one without arXiv id."""
    opened = Store.open(f"sqlite:///{tmp_path / 'broadsheet.db'}")
    keys = [f"arxiv:{name}" for name in NAMES]
    opened.add_page("lists", [], {}, [Announced("list", DAY, [*keys, "doi:10.1234/abc"])])
    yield opened
    opened.close()


def test_what_is_missing_is_fetched_by_id(store: Store, client: Client) -> None:
    with playing_service(arxiv()) as service:
        filled = fill_gaps(store, client, "lists", url=service.url, service=QUICK, now=NOW)
        again = fill_gaps(store, client, "lists", url=service.url, service=QUICK, now=NOW)
    assert (filled.missing, filled.asked, filled.found) == (5, 5, 5)
    assert (again.missing, again.asked) == (0, 0)
    (asked,) = service.requests
    assert asked.ids == NAMES
    assert store.missing("lists") == [("list", DAY, ["doi:10.1234/abc"])]


def test_what_arxiv_does_not_know_yet_is_asked_for_later(store: Store, client: Client) -> None:
    late = frozenset(NAMES[:2])
    with playing_service(arxiv(unknown=late)) as service:

        def asked(hours: float) -> int:
            now = NOW + timedelta(hours=hours)
            return fill_gaps(store, client, "lists", url=service.url, service=QUICK, now=now).asked

        # Three hours after the first time, six after the second.
        assert [asked(hours) for hours in (0, 1, 3.5, 6, 9.6)] == [5, 0, 2, 0, 2]
        # A clock that was set back keeps nobody waiting for it.
        assert asked(-1000) == 2
    assert service.requests[1].ids == sorted(late)


def test_after_so_many_tries_an_id_is_given_up(store: Store, client: Client) -> None:
    with playing_service(arxiv(unknown=frozenset(NAMES))) as service:
        for day in range(0, 4 * MAX_TRIES + 8, 4):
            now = NOW + timedelta(days=day)
            fill_gaps(store, client, "lists", url=service.url, service=QUICK, now=now)
    assert len(service.requests) == MAX_TRIES


def test_a_service_that_fails_is_told(store: Store, client: Client) -> None:
    with playing_service(BUSY) as service:
        filled = fill_gaps(store, client, "lists", url=service.url, service=QUICK, now=NOW)
    assert filled.found == 0 and "503" in filled.problem


def test_only_one_worker_fills_gaps(store: Store, client: Client) -> None:
    lease = Lease(store, NAME)
    assert lease.take()
    with playing_service(arxiv()) as service:
        assert fill_gaps(store, client, "lists", url=service.url, service=QUICK).asked == 0
    assert service.requests == []
    lease.give()


@pytest.mark.parametrize(
    "cursor", [{"asked": 1}, {"asked": {f"arxiv:{NAMES[0]}": [1, "when"]}}, {"asked": {"a": 1}}]
)
def test_a_damaged_memory_only_costs_a_request(
    store: Store, client: Client, cursor: dict[str, object]
) -> None:
    store.add_page(NAME, [], cursor, [])
    with playing_service(arxiv()) as service:
        assert fill_gaps(store, client, "lists", url=service.url, service=QUICK, now=NOW).found == 5
