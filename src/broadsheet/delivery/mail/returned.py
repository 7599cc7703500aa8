"""What a returned mail changes: whose address takes no more mail, and which edition did not arrive."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ...model.subscriptions import OutboxItem, Subscription, address_hash, address_key
from ...store import Store
from .bounces import MOST_BYTES, Bounce, bounces

log = logging.getLogger(__name__)

# So many editions in a row that came back for passing reasons: nobody reads there any more.
_SOFT_IN_A_ROW = 5
# Servers try for five days; what comes back later is not of the last edition.
_LAST_SENT = timedelta(days=6)


@dataclass(slots=True)
class Returned:
    """What became of notifications: how many were ``read``, and what they told.

    ``other`` are mails that are no notification, ``unknown`` notifications of mails that were not sent here
    or that do not prove to be about one that was. ``suppressed`` counts addresses.
    """

    read: int = 0
    hard: int = 0
    soft: int = 0
    complaints: int = 0
    unknown: int = 0
    other: int = 0
    suppressed: int = 0

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def take_in(store: Store, mails: Iterable[bytes], *, trusted: bool = False) -> Returned:
    """Reads notifications and acts on them; what is told twice changes nothing more.

    Args:
        trusted: whether they come from somebody who is believed (the operator, a mail service with its
            secret). Anybody may write to a mailbox: a notification from there must know the id of the mail.
    """
    report = Returned()
    for data in mails:
        report.read += 1
        told = bounces(data)
        if not told:
            report.other += 1
        act_on(store, told, report, trusted=trusted)
    return report


def act_on(store: Store, told: Iterable[Bounce], report: Returned, *, trusted: bool) -> None:
    """Does what each of ``told`` asks for, and counts it in ``report``."""
    for one in told:
        item, subscription = _meant(store, one, trusted)
        if subscription is None:
            report.unknown += 1
            continue
        _act(store, one, item, subscription, report)


def from_maildir(folder: Path) -> Iterator[bytes]:
    """The unread mails in a Maildir; each is marked as read once the next is asked for."""
    for place in ("new", "cur"):
        for path in sorted((folder / place).iterdir()):
            name, _, flags = path.name.partition(":2,")
            if "S" in flags or not path.is_file():
                continue
            with path.open("rb") as file:
                yield file.read(MOST_BYTES)
            path.rename(folder / "cur" / f"{name}:2,{''.join(sorted({*flags, 'S'}))}")


def from_mbox(data: bytes) -> Iterator[bytes]:
    """The mails in ``data``: one message, or several as an mbox file holds them."""
    if not data.startswith(b"From "):
        yield data
        return
    for part in (b"\n" + data).split(b"\nFrom ")[1:]:
        yield part.partition(b"\n")[2]


def _act(
    store: Store, bounce: Bounce, item: OutboxItem | None, subscription: Subscription, report: Returned
) -> None:
    if bounce.kind == "complaint":
        report.complaints += 1
        store.leave(subscription.id)
    elif item is not None and item.state == "sent":
        store.mark_failed(item.id, bounce.reason, "bounced")
    hard = bounce.kind == "hard" or (bounce.kind == "soft" and _often(store, subscription))
    report.hard += hard
    report.soft += bounce.kind == "soft" and not hard
    if (hard or bounce.kind == "complaint") and not store.suppressed(subscription.address):
        store.suppress(subscription.address, bounce.reason)
        report.suppressed += 1
    log.info("mail to %s: %s (%s)", address_hash(subscription.address), bounce.kind, bounce.reason)


def _meant(store: Store, bounce: Bounce, trusted: bool) -> tuple[OutboxItem | None, Subscription | None]:
    """The mail that came back and whose it was; the mail is None where it is not known which."""
    item = store.sent_as(bounce.message_id)
    if item is not None and bounce.item in (0, item.id):
        # The id is known to who got the mail; a forwarded one comes back for another address.
        return item, store.subscription(item.subscription)
    item = store.last_sent_to(bounce.address) if bounce.address else None
    if item is not None and bounce.item == item.id:
        return item, store.subscription(item.subscription)
    if not trusted or not bounce.address:
        return None, None
    if item is not None and datetime.fromisoformat(item.sent) > datetime.now(UTC) - _LAST_SENT:
        return item, store.subscription(item.subscription)
    found = store.subscriptions(address=address_key("mail", bounce.address), channel="mail", limit=1)
    return None, (found[0] if found else None)


def _often(store: Store, subscription: Subscription) -> bool:
    last = store.outbox(subscription=subscription.id, limit=3 * _SOFT_IN_A_ROW)
    tried = [one.state for one in last if one.state in ("sent", "bounced", "failed")][:_SOFT_IN_A_ROW]
    return len(tried) == _SOFT_IN_A_ROW and set(tried) == {"bounced"}
