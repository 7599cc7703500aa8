"""How far gathering is: cursors stored with their pages, leases, and an honest account of days."""

from __future__ import annotations

import threading

import pytest

from broadsheet.model.gathering import Announced
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Listing, Record
from broadsheet.store import Store, gathering
from broadsheet.store.writing import BATCH

DAY = "2026-05-28"


def paper(number: int, **fields: object) -> Record:
    told = {
        "title": f"Paper {number}",
        "source": "arxiv",
        "identifiers": [Identifier("arxiv", f"2605.{number:05}")],
    }
    return Record(**(told | fields))


def keys(*numbers: int) -> list[str]:
    return [f"arxiv:2605.{number:05}" for number in numbers]


def test_a_page_is_stored_with_its_cursor_and_what_was_announced(store: Store) -> None:
    assert store.gather_state("arxiv").cursor == {}
    report = store.add_page(
        "arxiv", [paper(1)], {"token": "a|1", "n": [1]}, [Announced("cs", DAY, keys(1, 2))]
    )
    assert report.new == 1
    assert store.gather_state("arxiv").cursor == {"token": "a|1", "n": [1]}
    # A page without records moves on as well.
    store.add_page("arxiv", [], {"token": "a|2"}, [])
    assert store.gather_state("arxiv").cursor == {"token": "a|2"}
    assert store.gather_state("acl").cursor == {}


def test_a_page_that_fails_at_its_end_leaves_the_cursor_and_the_last_records_out(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add_page("arxiv", [paper(1)], {"page": 1}, [])

    def broken(*_: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(gathering, "announce", broken)
        with pytest.raises(RuntimeError):
            store.add_page("arxiv", [paper(n) for n in range(2, BATCH + 12)], {"page": 2}, [])
    # The first thousand are a transaction of their own; the rest went with the cursor.
    assert store.counts()["papers"] == 1 + BATCH
    assert store.gather_state("arxiv").cursor == {"page": 1}
    report = store.add_page("arxiv", [paper(n) for n in range(2, BATCH + 12)], {"page": 2}, [])
    assert (report.new, report.unchanged) == (10, BATCH)


def test_the_end_of_a_run_is_noted_with_its_problem(store: Store) -> None:
    store.note_gather("arxiv", "2026-05-28T01:00:00Z")
    store.note_gather("arxiv", "2026-05-29T01:00:00Z", "no answer")
    store.note_gather("arxiv", "2026-05-30T01:00:00Z", "no answer yet")
    state = store.gather_state("arxiv")
    assert (state.tried, state.succeeded) == ("2026-05-30T01:00:00Z", "2026-05-28T01:00:00Z")
    assert (state.problem, state.failures) == ("no answer yet", 2)
    store.add_page("acl", [], {"volume": "a"}, [])
    store.note_gather("arxiv", "2026-05-31T01:00:00Z")
    states = store.gather_states()
    assert [(s.source, s.failures, s.problem) for s in states] == [("acl", 0, ""), ("arxiv", 0, "")]


def test_one_worker_holds_a_lease_until_it_ends_or_is_given_back(store: Store) -> None:
    assert store.claim("arxiv", "one", 60, now=1000.0)
    assert not store.claim("arxiv", "two", 60, now=1059.0)
    assert store.claim("arxiv", "one", 60, now=1050.0)
    assert not store.claim("arxiv", "two", 60, now=1100.0)
    assert store.claim("acl", "two", 60, now=1050.0)
    # Expired: another may take over, and then the first has lost it.
    assert store.claim("arxiv", "two", 60, now=1111.0)
    assert not store.claim("arxiv", "one", 60, now=1112.0)
    store.release("arxiv", "one")
    assert not store.claim("arxiv", "one", 60, now=1113.0)
    store.release("arxiv", "two")
    assert store.claim("arxiv", "one", 60, now=1114.0)


def test_the_clock_of_the_database_times_leases(store: Store) -> None:
    assert store.claim("arxiv", "one", 600)
    assert not store.claim("arxiv", "two", 600)
    assert store.gather_state("arxiv").holder == "one"
    store.release("arxiv", "one")
    assert store.claim("arxiv", "two", -1)
    assert store.gather_state("arxiv").holder == ""
    assert store.claim("arxiv", "one", 600)


def test_of_many_workers_one_gets_the_lease(database_url: str) -> None:
    Store.open(database_url).close()
    got = []

    def run(name: str) -> None:
        own = Store.open(database_url)
        got.append(own.claim("arxiv", name, 600))
        own.close()

    threads = [threading.Thread(target=run, args=(f"worker {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 7 + [True]


def test_coverage_counts_what_is_stored_by_now_whoever_told_it(store: Store) -> None:
    store.add_page("arxiv", [paper(1)], {}, [Announced("cs.CL", DAY, keys(1, 2, 3))])
    [account] = store.coverage(DAY, DAY)
    assert (account.source, account.list, account.announced, account.stored) == ("arxiv", "cs.CL", 3, 1)
    assert (account.state, account.missing) == ("incomplete", tuple(keys(2, 3)))
    assert store.missing("arxiv") == [("cs.CL", DAY, keys(2, 3))]
    store.add([paper(2, source="daily_papers")])
    assert store.missing("arxiv") == [("cs.CL", DAY, keys(3))]
    # Told again and in parts it adds up, and nothing counts twice.
    store.add_page(
        "arxiv", [paper(3)], {}, [Announced("cs.CL", DAY, keys(2, 3)), Announced("cs.CL", DAY, keys(4))]
    )
    store.note_gather("arxiv", "2026-05-28T02:00:00Z")
    [account] = store.coverage(DAY, DAY, "arxiv")
    assert (account.announced, account.stored, account.missing) == (4, 3, tuple(keys(4)))
    store.add([paper(4)])
    store.note_gather("arxiv", "2026-05-28T03:00:00Z")
    [account] = store.coverage(DAY, DAY, "arxiv")
    assert (account.announced, account.stored, account.state) == (4, 4, "complete")
    assert store.missing("arxiv") == []


def test_days_without_a_listing_say_why(store: Store) -> None:
    told = [
        Announced("cs", "2026-05-29", state="failed", reason="The service answered with an error page."),
        Announced("cs", "2026-05-30", state="holiday", reason="No announcement on Saturdays."),
        Announced("cs", "2026-05-31"),
    ]
    store.add_page("arxiv", [], {}, told)
    accounts = store.coverage("2026-05-29", "2026-05-31")
    assert [(a.day[-2:], a.state, a.announced) for a in accounts] == [
        ("29", "failed", None), ("30", "holiday", None), ("31", "complete", 0),
    ]  # fmt: skip
    assert accounts[0].reason.startswith("The service")
    # The listing comes after all; a later failure does not take it back.
    store.add_page("arxiv", [], {}, [Announced("cs", "2026-05-29", keys(1))])
    store.add_page("arxiv", [], {}, [Announced("cs", "2026-05-29", state="late", reason="Not there yet.")])
    [account] = store.coverage("2026-05-29", "2026-05-29")
    assert (account.state, account.announced, account.stored) == ("incomplete", 1, 0)
    assert store.coverage("2026-06-01", "2026-06-30") == []


def test_where_only_a_number_is_announced_the_papers_of_the_list_count(store: Store) -> None:
    store.add_page("daily_papers", [], {}, [Announced("daily_papers", DAY, count=2)])
    [account] = store.coverage(DAY, DAY)
    assert (account.announced, account.stored, account.state) == (2, 0, "incomplete")
    for number in (1, 2):
        store.add([paper(number, listings=[Listing("daily_papers", DAY, number, "daily_papers")])])
    [account] = store.coverage(DAY, DAY)
    assert (account.stored, account.state, account.missing) == (2, "complete", ())
