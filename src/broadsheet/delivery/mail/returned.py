"""What a returned mail changes: whose address takes no more mail, and which edition did not arrive."""

from __future__ import annotations

import logging
import mailbox
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...model.subscriptions import OutboxItem, Subscription, address_hash, address_key
from ...store import Store
from .bounces import Bounce, bounces

log = logging.getLogger(__name__)

# So many editions in a row that came back for passing reasons: nobody reads there any more.
_SOFT_IN_A_ROW = 5


@dataclass(slots=True)
class Returned:
    """What became of notifications: how many were ``read``, and what they told."""

    read: int = 0
    hard: int = 0
    soft: int = 0
    complaints: int = 0
    unknown: int = 0


def take_in(store: Store, mails: Iterable[bytes]) -> Returned:
    """Reads notifications and acts on them. What names no mail that was sent here changes nothing."""
    report = Returned()
    for data in mails:
        report.read += 1
        told = bounces(data)
        if not told:
            report.unknown += 1
        for one in told:
            _act(store, one, report)
    return report


def from_maildir(folder: Path) -> Iterator[bytes]:
    """The new mails in a Maildir; each is moved among the read ones once the next is asked for."""
    box = mailbox.Maildir(folder, create=False)
    for name, mail in list(box.iteritems()):
        if "S" in mail.get_flags():
            continue
        yield mail.as_bytes()
        mail.add_flag("S")
        mail.set_subdir("cur")
        box[name] = mail


def _act(store: Store, bounce: Bounce, report: Returned) -> None:
    item, subscription = _meant(store, bounce)
    if item is None or subscription is None:
        report.unknown += 1
        return
    who = address_hash(subscription.address)
    if bounce.kind == "complaint":
        report.complaints += 1
        store.suppress(subscription.address, bounce.reason)
        store.leave(subscription.id)
    else:
        store.mark_failed(item.id, bounce.reason, "bounced")
        if bounce.kind == "hard" or _often(store, subscription):
            report.hard += 1
            store.suppress(subscription.address, bounce.reason)
        else:
            report.soft += 1
    log.info("mail to %s: %s (%s)", who, bounce.kind, bounce.reason)


def _meant(store: Store, bounce: Bounce) -> tuple[OutboxItem | None, Subscription | None]:
    """The mail that came back, where the notification proves that it is about that one.

    Anybody can send a notification: it must know the id that the mail had, or whom it was for.
    """
    item = store.sent_as(bounce.message_id) if bounce.message_id else None
    if item is None and bounce.address:
        item = store.last_sent_to(bounce.address)
    subscription = store.subscription(item.subscription) if item else None
    if item is None or subscription is None:
        return None, None
    tagged = not bounce.item or bounce.item == item.id
    same = not bounce.address or address_key("mail", bounce.address) == address_key(
        "mail", subscription.address
    )
    # A forwarded mail comes back for another address; then its id, and the row in the envelope, must fit.
    return (item, subscription) if tagged and (same or bounce.item == item.id) else (None, None)


def _often(store: Store, subscription: Subscription) -> bool:
    last = store.outbox(subscription=subscription.id, limit=_SOFT_IN_A_ROW)
    tried = [one.state for one in last if one.state in ("sent", "bounced", "failed")]
    return len(tried) >= _SOFT_IN_A_ROW and set(tried) == {"bounced"}
