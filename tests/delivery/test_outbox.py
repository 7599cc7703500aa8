"""Several senders share one outbox, on either database."""

from __future__ import annotations

import asyncio
import threading
from datetime import date
from pathlib import Path

from broadsheet.config import Settings
from broadsheet.delivery.channels import Links
from broadsheet.delivery.sending import Sender
from broadsheet.editions.due import compose_due
from broadsheet.model.audiences import Audience
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Listing, Record
from broadsheet.model.subscriptions import Subscription
from broadsheet.store import Store
from tests.delivery.recording import Recording

DAY = "2026-05-29"


def test_senders_at_the_same_time_bring_each_reader_one_copy_of_their_own(
    store: Store, database_url: str, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path)
    store.add(
        Record(
            f"A paper about {'birds' if number % 2 else 'robots'}, number {number}",
            "test",
            identifiers=[Identifier("arxiv", f"2605.{number:05}")],
            listings=[Listing("daily_papers", DAY, number, "test")],
        )
        for number in range(1, 7)
    )
    for number in range(90):
        audience = Audience.of("search", "birds") if number % 2 else Audience()
        store.subscribe(Subscription(0, "mail", f"reader{number}@example.org", audience), confirmed=True)
    dues = store.due(day=date.fromisoformat(DAY))
    composers = [threading.Thread(target=compose_due, args=(store, settings, None, dues)) for _ in range(2)]
    for thread in composers:
        thread.start()
    for thread in composers:
        thread.join()
    channels = [Recording(seconds=0.01) for _ in range(3)]

    def send(number: int) -> None:
        own = Store.open(database_url)
        told = (own, [channels[number]], lambda _: Links(), f"worker {number}", tmp_path / "outbox")
        asyncio.run(Sender(*told, at_once=8).run(until_empty=True))
        own.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    items = [item for channel in channels for item in channel.items]
    assert sorted(item.subscription.id for item in items) == [due.subscription.id for due in dues]
    for item in items:
        assert len(item.papers) == (3 if item.subscription.audience.kind == "search" else 6)
    assert store.outbox_counts() == {("mail", "sent"): 90}
