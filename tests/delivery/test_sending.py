"""What becomes of rows of the outbox: sent once, tried again, given up, left alone while a server is away."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from broadsheet.config import Settings
from broadsheet.delivery import sending
from broadsheet.delivery.channels import Links, Outgoing, Refused, Retry, Sent
from broadsheet.delivery.journal import Journal, left_behind
from broadsheet.delivery.sending import Sender, SendReport
from broadsheet.editions.due import compose_due
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Listing, Record
from broadsheet.model.subscriptions import Subscription
from broadsheet.store import Store
from tests.delivery.playing_smtp import playing_smtp
from tests.delivery.recording import Recording

DAY = "2026-05-29"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = Store.open(settings.store_url)
    opened.add(
        Record(
            f"Paper number {number}",
            "test",
            identifiers=[Identifier("arxiv", f"2605.{number:05}")],
            listings=[Listing("daily_papers", DAY, number, "test")],
        )
        for number in (1, 2, 3)
    )
    yield opened
    opened.close()


def queued(store: Store, settings: Settings, *addresses: str) -> list[int]:
    """Subscribes ``addresses`` and composes; the rows of the outbox."""
    for address in addresses:
        store.subscribe(Subscription(0, "mail", address), confirmed=True)
    compose_due(store, settings, None, store.due(day=date.fromisoformat(DAY)), exact=True)
    return sorted(item.id for item in store.outbox())


def sender(store: Store, settings: Settings, channel: Recording, **more: object) -> Sender:
    return Sender(store, [channel], lambda _: Links("https://x"), "one", settings.home / "outbox", **more)


def sent(store: Store, settings: Settings, channel: Recording, **more: object) -> SendReport:
    return asyncio.run(sender(store, settings, channel, **more).run(until_empty=True))


def states(store: Store) -> list[tuple[int, str, int, str]]:
    rows = sorted(store.outbox(), key=lambda item: item.id)
    return [(item.id, item.state, item.attempts, item.error) for item in rows]


def test_everybody_gets_one_copy_with_papers_in_order(store: Store, settings: Settings) -> None:
    queued(store, settings, *(f"reader{n}@example.org" for n in range(70)))
    channel = Recording()
    assert sent(store, settings, channel).sent == 70
    assert sent(store, settings, channel).sent == 0
    assert len({item.subscription.address for item in channel.items}) == len(channel.items) == 70
    first = channel.items[0]
    assert [paper.id for paper in first.papers] == ["2605.00001", "2605.00002", "2605.00003"]
    assert [entry.paper for entry in first.edition.entries] == [paper.key for paper in first.papers]
    assert (first.slot, first.attempts, first.links.site) == (DAY, 0, "https://x")
    assert {item.message_id for item in store.outbox()} == {f"<{item.id}@recorded>" for item in channel.items}
    assert channel.closed == 2


def test_a_retry_waits_longer_each_time_and_is_counted(store: Store, settings: Settings) -> None:
    [row] = queued(store, settings, "ada@example.org")
    channel = Recording(lambda item: Retry("451 later"))
    report = sent(store, settings, channel, pauses=(0.0, 600.0))
    assert (report.sent, report.retry, report.problems) == (0, 2, {"451 later": 2})
    assert [item.attempts for item in channel.items] == [0, 1]
    assert states(store) == [(row, "retry", 2, "451 later")]
    assert 500 < store.next_try() - time.time() <= 600
    assert sent(store, settings, channel).retry == 0


def test_the_other_side_may_ask_for_a_longer_pause(store: Store, settings: Settings) -> None:
    queued(store, settings, "ada@example.org")
    sent(store, settings, Recording(lambda item: Retry("slow down", after=7200.0)))
    assert 7000 < store.next_try() - time.time() <= 7200


def test_a_refusal_ends_the_row_and_an_address_that_is_gone_gets_nothing_more(
    store: Store, settings: Settings
) -> None:
    queued(store, settings, "ada@example.org")
    report = sent(store, settings, Recording(lambda item: Refused("550 no such user", suppress=True)))
    assert (report.failed, report.suppressed) == (1, 1)
    assert states(store)[0][1:] == ("failed", 1, "550 no such user")
    assert store.suppressed("ada@example.org") == "550 no such user"
    assert store.delivered(1) == {}


def test_an_edition_that_is_days_old_is_given_up(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(store, settings, "ada@example.org")
    monkeypatch.setattr(sending, "GIVE_UP_SECONDS", -1.0)
    answers = iter([Retry("451 later"), Retry("the server is away", away=True)])
    queued(store, settings, "bob@example.org")
    assert sent(store, settings, Recording(lambda item: next(answers))).failed == 2
    assert [state[1] for state in states(store)] == ["failed", "failed"]
    assert states(store)[0][3].endswith("451 later")


def test_a_server_that_is_away_costs_no_tries_and_one_row_finds_out_that_it_is_back(
    store: Store, settings: Settings
) -> None:
    rows = queued(store, settings, *(f"reader{n}@example.org" for n in range(5)))
    answers = [Retry("connection refused", away=True)] * 5
    channel = Recording(lambda item: answers.pop() if answers else Sent())
    one = sender(store, settings, channel, away_pauses=(0.2,))
    assert asyncio.run(one.run(until_empty=True)).away == "connection refused"
    assert len(channel.items) == 5
    assert {state[1:3] for state in states(store)} == {("retry", 0)}
    answers.append(Retry("still away", away=True))
    time.sleep(0.25)
    asyncio.run(one.run(until_empty=True))
    assert len(channel.items) == 6
    time.sleep(0.25)
    asyncio.run(one.run(until_empty=True))
    assert [state[:2] for state in states(store)] == [(row, "sent") for row in rows]


def test_a_channel_that_raises_or_hangs_loses_nothing(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(store, settings, "ada@example.org", "bob@example.org")

    def answer(item: Outgoing) -> Sent:
        if item.subscription.address.startswith("ada"):
            raise RuntimeError("broken")
        return Sent()

    assert sent(store, settings, Recording(answer)).sent == 1
    assert states(store)[0][1:] == ("retry", 1, "the channel mail failed (RuntimeError)")
    store.mark_retry(1, 0.0, "again")
    monkeypatch.setattr(sending, "TRY_SECONDS", 0.1)
    queued(store, settings, "eve@example.org")
    sent(store, settings, Recording(seconds=5.0))
    assert states(store)[2][3].startswith("no answer within")


def test_one_domain_gets_no_more_than_its_rate(store: Store, settings: Settings) -> None:
    queued(store, settings, *(f"reader{n}@slow.example.org" for n in range(4)), "ada@example.org")
    at: list[tuple[float, str]] = []

    def answer(item: Outgoing) -> Sent:
        at.append((time.monotonic(), item.subscription.domain))
        return Sent()

    sending_patiently = sender(store, settings, Recording(answer), domain_rate=4.0)
    assert asyncio.run(sending_patiently.run(until_empty=True)).sent == 5
    slow = [moment for moment, domain in at if domain == "slow.example.org"]
    assert slow[-1] - slow[0] >= 3 / 4.0 - 0.05


def test_a_slow_domain_holds_up_no_other_and_is_waited_for(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_PATIENCE", 0.0)
    monkeypatch.setattr(sending, "_IDLE_SECONDS", 0.05)
    queued(store, settings, *(f"reader{n}@slow.example.org" for n in range(4)), "ada@example.org")
    channel = Recording()
    hurried = sender(store, settings, channel, domain_rate=5.0)
    assert asyncio.run(hurried.run(until_empty=True, patience=0.0)).sent == 2
    assert {item.subscription.domain for item in channel.items} == {"slow.example.org", "example.org"}
    assert asyncio.run(sender(store, settings, channel, domain_rate=5.0).run(until_empty=True)).sent == 3


def test_rows_of_other_channels_and_of_those_who_left_are_not_sent(store: Store, settings: Settings) -> None:
    queued(store, settings, "ada@example.org", "bob@example.org")
    store.leave(2)
    assert sent(store, settings, Recording(name="slack")).sent == 0
    channel = Recording()
    assert sent(store, settings, channel).sent == 1
    assert [state[1] for state in states(store)] == ["sent", "skipped"]


def test_what_was_taken_stands_in_the_journal_when_the_sender_is_killed_before_it_is_stored(
    store: Store, settings: Settings
) -> None:
    one, two = queued(store, settings, "ada@example.org", "bob@example.org")
    store.take(5, time.time(), "killed")
    journal = Journal(settings.home / "outbox", "killed")
    journal.sent(one, "<1@there>")
    channel = Recording()
    # As long as nobody knows that it is dead, its rows and its journal are its own.
    assert sent(store, settings, channel).sent == 0
    report = sent(store, settings, channel, dead=lambda name: name == "killed")
    assert (report.sent, [item.id for item in channel.items]) == (1, [two])
    assert store.sent_as("<1@there>").id == one
    assert list((settings.home / "outbox").iterdir()) == []


def test_a_journal_line_that_a_kill_cut_short_is_left_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "one")
    journal.sent(7, "<7@there>")
    journal.close(keep=True)
    [path] = tmp_path.iterdir()
    path.write_bytes(path.read_bytes() + b"8 <8@th")
    assert [rows for _, rows in left_behind(tmp_path, lambda name: True)] == [[(7, "<7@there>")]]


def test_a_store_that_is_busy_is_asked_again_and_nothing_is_sent_twice(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(store, settings, "ada@example.org")
    failures = iter([OSError("locked"), OSError("locked")])
    write: Callable[..., None] = store.mark_all_sent

    def busy(rows: object) -> None:
        if error := next(failures, None):
            raise error
        write(rows)

    monkeypatch.setattr(store, "mark_all_sent", busy)
    channel = Recording()
    assert sent(store, settings, channel).sent == len(channel.items) == 1
    assert states(store)[0][1] == "sent"


def test_stopping_waits_for_what_is_on_its_way_and_leaves_the_rest(store: Store, settings: Settings) -> None:
    queued(store, settings, *(f"reader{n}@example.org" for n in range(40)))
    stop = threading.Event()
    channel = Recording(lambda item: (stop.set(), Sent())[1], seconds=0.05)
    report = asyncio.run(sender(store, settings, channel, at_once=4, stop=stop).run())
    assert report.sent == len(channel.items) < 40
    assert {state[1] for state in states(store)} == {"sent", "queued"}
    assert store.senders() == []


KILLED = """
import sys
from datetime import date
from pathlib import Path
from broadsheet.config import Settings
from broadsheet.delivery.digest import Delivery
from broadsheet.store import Store
home, url, worker = sys.argv[1:]
settings = Settings(home=Path(home), smtp_url=url, base_url="https://papers.example.org")
store = Store.open(settings.store_url)
delivery = Delivery(store, settings, None, worker, dead=lambda name: name != worker)
print("ready", flush=True)
print(delivery.deliver(day=date(2026, 5, 29)).waiting, flush=True)
"""


def test_a_sender_that_is_killed_again_and_again_brings_everybody_their_copy(
    store: Store, settings: Settings
) -> None:
    addresses = [f"reader{n}@example.org" for n in range(300)]
    for address in addresses:
        store.subscribe(Subscription(0, "mail", address), confirmed=True)
    with playing_smtp() as server:
        for turn in range(30):
            command = [sys.executable, "-c", KILLED, str(settings.home), server.url, f"worker {turn}"]
            child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            before = len(server.taken)
            killed = turn < 4
            while killed and len(server.taken) < before + 20 and child.poll() is None:
                time.sleep(0.001)
            if killed:
                child.kill()
            rest = child.communicate()[0]
            if not killed and rest == "0\n":
                break
        copies = [mail.recipients[0] for mail in server.taken]
    assert set(copies) == set(addresses)
    # Of a round at most those that were on their way at the kill.
    assert len(copies) - len(addresses) <= 4 * settings.mail_connections
    assert {state[1] for state in states(store)} == {"sent"}
