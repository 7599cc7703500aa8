"""The outbox: each row has one sender at a time, and nothing is sent twice or forgotten."""

from __future__ import annotations

import threading

import pytest

from broadsheet.model.audiences import Audience
from broadsheet.model.editions import ComposedEdition, ComposedEntry
from broadsheet.model.subscriptions import NewItem, Subscription
from broadsheet.store import Store

DAY = "2026-05-29"


def edition(*papers: int, day: str = DAY) -> ComposedEdition:
    entries = tuple(ComposedEntry(key, place, reasons=("10 upvotes",)) for place, key in enumerate(papers, 1))
    return ComposedEdition(0, Audience(), "day", day, day, f"{day}T07:00:00Z", entries, papers)


def readers(store: Store, number: int) -> list[int]:
    subscribed = (Subscription(0, "mail", f"reader{n}@example.org") for n in range(number))
    return [store.subscribe(wanted, confirmed=True).id for wanted in subscribed]


def queued(store: Store, number: int = 3, *papers: int) -> list[int]:
    items = [NewItem(n, DAY, tuple((p, 0) for p in papers)) for n in readers(store, number)]
    store.save_edition(edition(*papers), items, now=100.0)
    return sorted(item.id for item in store.outbox())


def test_a_row_is_given_to_one_worker_until_its_time_is_over(store: Store) -> None:
    rows = queued(store, 3)
    assert [item.id for item in store.take(2, 100.0, "one", 60)] == rows[:2]
    assert [item.id for item in store.take(5, 100.0, "two", 60)] == rows[2:]
    assert store.take(5, 159.0, "two") == []
    assert [item.id for item in store.take(5, 161.0, "three")] == rows
    assert store.senders() == ["three"]


def test_what_a_lost_worker_had_waits_again(store: Store) -> None:
    rows = queued(store, 2)
    store.take(5, 100.0, "killed")
    assert store.give_back("killed") == 2
    assert [item.id for item in store.take(5, 100.0, "two")] == rows


def test_a_subscription_gets_one_row_a_day_however_often_it_is_composed(store: Store) -> None:
    [reader] = readers(store, 1)
    for _ in range(2):
        store.save_edition(edition(1), [NewItem(reader, DAY, ((1, 0),))])
    assert len(store.outbox()) == 1
    store.mark_sent(store.outbox()[0].id, "<1@here>")
    store.save_edition(edition(2), [NewItem(reader, DAY, ((2, 0),))])
    assert [item.state for item in store.outbox()] == ["sent"]
    assert store.delivered(reader) == {1: 0}


def test_retries_wait_and_failures_end(store: Store) -> None:
    one, two, three = queued(store, 3, 11)
    store.take(5, 100.0, "one")
    store.mark_retry(one, 500.0, "451 later")
    store.mark_retry(two, 500.0, "away", counted=False)
    store.mark_failed(three, "550 no such user", "bounced")
    assert store.take(5, 499.0, "one") == []
    assert store.next_try() == 500.0
    assert [(item.id, item.attempts) for item in store.take(5, 500.0, "one")] == [(one, 1), (two, 0)]
    failed = store.outbox(state="bounced")[0]
    assert (failed.error, store.delivered(failed.subscription)) == ("550 no such user", {})
    told = store.deliveries(DAY)
    assert (told.composed, told.count("sending"), told.count("bounced")) == (1, 2, 1)
    assert ("bounced", "550 no such user", 1) in told.reasons


def test_a_suppressed_address_is_not_written_to(store: Store) -> None:
    queued(store, 2)
    store.suppress("Reader0@example.org", "complained")
    assert len(store.take(5, 100.0, "one")) == 1
    assert [item.error for item in store.outbox(state="suppressed")] == ["complained"]


def test_domains_at_their_rate_are_left_out(store: Store) -> None:
    queued(store, 1)
    assert store.take(5, 100.0, "one", without=["example.org"]) == []
    assert len(store.take(5, 100.0, "one", without=["example.com"], channels=["mail"])) == 1


def test_workers_at_the_same_time_never_get_the_same_row(database_url: str) -> None:
    store = Store.open(database_url)
    rows = queued(store, 60)
    found: list[int] = []

    def work(name: str) -> None:
        own = Store.open(database_url)
        while taken := own.take(7, 200.0, name):
            for item in taken:
                found.append(item.id)
                own.mark_sent(item.id)
        own.close()

    threads = [threading.Thread(target=work, args=(f"worker {n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == rows
    store.close()


def test_a_bounce_finds_what_was_sent(store: Store) -> None:
    first, _ = queued(store, 2)
    store.take(5, 100.0, "one")
    store.mark_sent(first, "<abc@papers.example.org>")
    assert (
        store.sent_as("<abc@papers.example.org>").id == store.last_sent_to("READER0@example.org").id == first
    )
    assert store.sent_as("") is None


def test_many_rows_are_marked_in_one_go(store: Store) -> None:
    rows = queued(store, 3)
    store.take(5, 100.0, "one")
    store.mark_all_sent([(rows[0], "<a@here>"), (rows[2], "<c@here>")])
    states = {item.id: (item.state, item.message_id, item.attempts) for item in store.outbox()}
    assert states[rows[0]] == ("sent", "<a@here>", 1)
    assert states[rows[1]] == ("sending", "", 0)
    assert store.outbox_counts() == {("mail", "sending"): 1, ("mail", "sent"): 2}
    assert store.outbox_counts(["sending"]) == {("mail", "sending"): 1}


def test_who_left_while_an_edition_was_composed_gets_nothing(store: Store) -> None:
    one, two = readers(store, 2)
    store.leave(one)
    store.save_edition(edition(1), [NewItem(n, DAY, ((1, 0),)) for n in (one, two, 999)])
    assert [item.subscription for item in store.outbox()] == [two]


@pytest.mark.parametrize("state", ["sent", "queued"])
def test_old_editions_are_removed_and_what_was_delivered_stays_known(store: Store, state: str) -> None:
    [reader] = readers(store, 1)
    for day, paper in (("2026-01-01", 1), ("2026-01-02", 2), (DAY, 3)):
        store.save_edition(edition(paper, day=day), [NewItem(reader, day, ((paper, 0),))])
    if state == "sent":
        for item in store.outbox():
            store.mark_sent(item.id)
    assert store.prune_editions("2026-05-01") == (2 if state == "sent" else 0)
    assert store.delivered(reader) == {1: 0, 2: 0, 3: 0}
