"""Running sources against a real server: pages, cursors, failures, stopping, backfills, several workers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broadsheet.gathering import gather, leases
from broadsheet.gathering import running as running_module
from broadsheet.gathering.leases import Lease
from broadsheet.model.gathering import Announced
from broadsheet.sources.http import Client, Service
from broadsheet.sources.source import Page, Run
from broadsheet.store import Store
from tests.conftest import free_port
from tests.gathering.paged import NAME, Catalogue, Paged, pages
from tests.sources.playing_service import Answer, Asked, playing_service

QUICK = Service("catalogue", interval=0.0, tries=2, backoff=0.01, silence=5.0)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(tmp_path) as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'broadsheet.db'}")
    yield opened
    opened.close()


def tokens(requests: list[Asked]) -> list[str]:
    return [asked.query["token"][0] for asked in requests]


def test_a_run_stores_all_pages_and_tells_what_became_of_them(store: Store, client: Client) -> None:
    told: list[tuple[str, int, int | None]] = []
    with playing_service(Catalogue(pages(6))) as service:
        (result,) = gather(
            store, client, [Paged(service.url, QUICK)], progress=lambda *what: told.append(what)
        )
    assert (result.state, result.problem, result.pages) == ("done", "", 6)
    assert (result.read, result.new, result.updated, result.rejected) == (19, 15, 3, 1)
    assert result.rejections[0].where == "paged 2026-01-02 entry 4"
    assert sum(done for _, done, _ in told) == 19 and {expected for *_, expected in told} == {19}
    state = store.gather_state(NAME)
    assert state.cursor == {"complete": True} and state.succeeded and not state.problem and not state.holder
    assert [day.state for day in store.coverage("2026-01-01", "2026-01-02")] == ["complete"] * 2
    assert store.paper("2601.00301").title == "Paper 1 of page 3 of 26, revised"


def test_a_failed_run_keeps_its_pages_and_the_next_one_goes_on_there(store: Store, client: Client) -> None:
    catalogue = Catalogue(pages(5))

    def broken(asked: Asked) -> Answer:
        return Answer(status=500) if asked.query["token"] == ["3"] else catalogue(asked)

    with playing_service(broken) as service:
        (result,) = gather(store, client, [Paged(service.url, QUICK)])
    assert (result.state, result.pages) == ("failed", 3) and "500" in result.problem
    state = store.gather_state(NAME)
    assert (state.cursor, state.failures, state.succeeded) == ({"token": "3"}, 1, "")
    assert "500" in state.problem
    with playing_service(catalogue) as service:
        (result,) = gather(store, client, [Paged(service.url, QUICK)])
    assert tokens(service.requests) == ["3", "4"]
    assert result.state == "done" and store.gather_state(NAME).failures == 0


def test_a_source_that_fails_does_not_hold_up_the_others(store: Store, client: Client) -> None:
    class Wrong(Paged):
        def pages(self, run: Run) -> Iterator[Page]:
            raise KeyError("a mistake in the program")

    with playing_service(Catalogue(pages(3))) as service:
        sources = [
            Paged(f"http://127.0.0.1:{free_port()}/", Service("away"), "away"),
            Wrong(service.url, QUICK, "wrong"),
            Paged(service.url, QUICK),
        ]
        away, wrong, fine = gather(store, client, sources, at_once=1)
    assert "cannot be reached; check the network" in away.problem
    assert wrong.problem == "wrong: KeyError: 'a mistake in the program'; the log has the details"
    assert (fine.state, fine.new) == ("done", 9)
    assert store.gather_state("wrong").problem == wrong.problem


def test_what_is_not_stored_is_not_gone_past(
    store: Store, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page whose storing fails (a full disk) comes again in the next run."""
    add_page, calls = store.add_page, []

    def full(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            raise OSError("no space left on device")
        return add_page(*arguments)

    monkeypatch.setattr(store, "add_page", full)
    with playing_service(Catalogue(pages(4))) as service:
        (failed,) = gather(store, client, [Paged(service.url, QUICK)])
        (done,) = gather(store, client, [Paged(service.url, QUICK)])
    assert "no space left" in failed.problem and done.state == "done"
    assert tokens(service.requests) == ["0", "1", "2", "2", "3"]
    assert store.counts()["papers"] == 12


def test_stopping_ends_a_run_and_is_no_failure(store: Store, client: Client) -> None:
    stop = threading.Event()
    with playing_service(Catalogue(pages(9))) as service:
        source = Paged(service.url, QUICK)
        (result, waiting) = gather(
            store,
            client,
            [source, Paged(service.url, QUICK, "later")],
            stop=stop,
            progress=lambda *_: stop.set(),
            at_once=1,
        )
        assert (result.state, result.pages, waiting.state) == ("stopped", 1, "stopped")
        state = store.gather_state(NAME)
        assert (state.cursor, state.failures, state.holder) == ({"token": "1"}, 0, "")
        (rest,) = gather(store, client, [source])
    assert rest.pages == 8 and tokens(service.requests) == [str(number) for number in range(9)]


def test_a_service_that_goes_in_circles_ends_the_run(store: Store, client: Client) -> None:
    catalogue = Catalogue(pages(6))

    def circle(asked: Asked) -> Answer:
        number = int(asked.query["token"][0])
        return catalogue.page(number, (number + 1) % 3)

    with playing_service(circle) as service:
        (result,) = gather(store, client, [Paged(service.url, QUICK)])
    assert result.state == "failed" and "the service goes in circles" in result.problem
    assert len(service.requests) < 20


def test_only_one_worker_gathers_a_source(store: Store, client: Client) -> None:
    other = Lease(store, NAME)
    assert other.take()
    with playing_service(Catalogue(pages(3))) as service:
        source = Paged(service.url, QUICK)
        (busy,) = gather(store, client, [source])
        assert busy.state == "busy" and "is gathering it now" in busy.problem
        assert service.requests == []
        other.give()
        (done,) = gather(store, client, [source])
    assert done.state == "done"


def test_a_worker_whose_lease_was_taken_stores_nothing_more(
    store: Store, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As after an hour in which the machine slept.
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.0)

    def taken(*_: object) -> None:
        holder = store.gather_state(NAME).holder
        store.release(NAME, holder)
        assert store.claim(NAME, "elsewhere/1/2/3", 60)

    with playing_service(Catalogue(pages(4))) as service:
        source = Paged(service.url, QUICK)
        (result,) = gather(store, client, [source], progress=taken)
    assert (result.state, result.problem) == ("stopped", "another worker took it over")
    assert store.gather_state(NAME).holder == "elsewhere/1/2/3"
    assert store.gather_state(NAME).cursor == {"token": "1"}


def test_a_backfill_has_a_cursor_of_its_own_and_is_complete_once(store: Store, client: Client) -> None:
    stop = threading.Event()
    since = "2020-01-01"
    with playing_service(Catalogue(pages(4))) as service:
        source = Paged(service.url, QUICK)
        gather(store, client, [source])
        asked = len(service.requests)
        gather(store, client, [source], since=since, stop=stop, progress=lambda *_: stop.set())
        (rest,) = gather(store, client, [source], since=since)
        assert rest.state == "done"
        assert tokens(service.requests[asked:]) == ["0", "1", "2", "3"]
        assert all(one.query["since"] == [since] for one in service.requests[asked:])
        (nothing,) = gather(store, client, [source], since=since)
        assert "it was completed at" in nothing.problem and len(service.requests) == asked + 4
        (anew,) = gather(store, client, [source], since=since, again=True)
        assert anew.pages == 4
    assert {day.source for day in store.coverage("2026-01-01", "2026-12-31")} == {NAME}


def test_a_backfill_goes_on_after_failures(
    store: Store, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_module, "BACKFILL_PAUSE_SECONDS", 0.01)
    catalogue = Catalogue(pages(4))
    failures = iter(range(5))

    def stumbling(asked: Asked) -> Answer:
        return Answer(status=503) if next(failures, None) is not None else catalogue(asked)

    with playing_service(stumbling) as service:
        (result,) = gather(store, client, [Paged(service.url, QUICK)], since="2020-01-01")
    assert (result.state, result.problem, result.pages) == ("done", "", 4)


def test_a_backfill_that_comes_no_further_ends(
    store: Store, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Telling(Paged):
        """Says before it fails that it failed, as sources do that publish by the day."""

        def pages(self, run: Run) -> Iterator[Page]:
            told = Announced(self.name, "2020-01-01", state="failed", reason="503")
            yield Page([], run.cursor, [told])
            yield from super().pages(run)

    monkeypatch.setattr(running_module, "BACKFILL_PAUSE_SECONDS", 0.0)
    once = Service("catalogue", interval=0.0, tries=1, backoff=0.0)
    with playing_service(Answer(status=503)) as service:
        (result,) = gather(store, client, [Telling(service.url, once)], since="2020-01-01")
    assert result.state == "failed" and len(service.requests) == running_module.BACKFILL_FAILURES


def test_stopping_waits_for_no_answer_that_does_not_come(
    store: Store, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_module, "STOP_SECONDS", 0.1)
    stop, end = threading.Event(), threading.Event()

    def hanging(_: object) -> Answer:
        stop.set()
        end.wait(30)
        return Answer(status=500)

    with playing_service(hanging) as service:
        (result,) = gather(store, client, [Paged(service.url, QUICK)], stop=stop)
        assert result.state == "stopped" and not end.is_set()
        end.set()
        while store.gather_state(NAME).holder:
            time.sleep(0.01)
    assert store.gather_state(NAME).failures == 0


@pytest.mark.parametrize("status", [400, 404])
def test_a_backfill_that_is_refused_ends_at_once(store: Store, client: Client, status: int) -> None:
    with playing_service(Answer(status=status)) as service:
        (result,) = gather(store, client, [Paged(service.url, QUICK)], since="2020-01-01")
    assert result.state == "failed" and len(service.requests) == 1
