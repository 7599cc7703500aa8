"""Digests: what is due is composed and sent, by hand or behind a serving process, and shown beforehand."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ..config import Settings
from ..editions.due import Composed, compose_due, composed_batches
from ..model.subscriptions import Due, Subscription, SubscriptionError
from ..search import Engine
from ..sources.http import Client
from ..store import Store
from .channels import Channel
from .chat import ROOMS, ChatChannel, WebhookChannel
from .mail.configured import mail_channel
from .sending import Sender, SendReport
from .signed import Signer

log = logging.getLogger(__name__)

# Editions that were sent so long ago are removed; what was delivered to whom stays known.
_KEPT_DAYS = 60
# Mails of a round for each connection to the mail server.
_AT_ONCE_EACH = 8


class DeliveryError(RuntimeError):
    """Editions cannot be sent; the message says which setting is missing or wrong."""


NO_MAIL_SERVER = (
    "no mail server is configured, so nothing can be sent by mail; set "
    "BROADSHEET_SMTP_URL=smtp://user:password@host:587 in the environment or in HOME/broadsheet.env"
)


@dataclass(slots=True)
class DigestReport:
    """What a digest composed, and what became of all that was to be sent."""

    day: str
    due: int = 0
    composed: Composed = field(default_factory=Composed)
    sent: SendReport = field(default_factory=SendReport)
    waiting: int = 0
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        sent = self.sent
        return {
            "day": self.day,
            "due": self.due,
            "composed": self.composed.editions,
            "queued": self.composed.queued,
            "not_sent": self.composed.skipped,
            "sent": sent.sent,
            "retry": sent.retry,
            "failed": sent.failed,
            "suppressed": sent.suppressed,
            "waiting": self.waiting,
            "problems": sent.problems,
            "notes": self.notes,
        }


def site_address(settings: Settings) -> str:
    """The address of the site in links, without a slash at its end."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return (settings.base_url or f"http://{host}:{settings.port}").rstrip("/")


def configured_channels(settings: Settings) -> list[Channel]:
    """The channels that can be used: mail where a server is set, chat and webhooks always.

    Raises:
        DeliveryError: if a setting of mail cannot be used.
    """
    channels: list[Channel] = [ChatChannel(name, settings.site_name) for name in ROOMS]
    channels.append(WebhookChannel(Client.of(settings), Signer.of_home(settings.home).secret))
    try:
        mail = mail_channel(settings)
    except ValueError as error:
        raise DeliveryError(str(error)) from error
    return [mail, *channels] if mail else channels


class Delivery:
    """Composes and sends for one home.

    Args:
        worker: the name of this worker among all.
        dead: whether a worker of that name was killed.
        channels: those to send by; by default those that the settings describe.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        engine: Engine | None,
        worker: str,
        *,
        dead: Callable[[str], bool] = lambda worker: False,
        channels: Sequence[Channel] | None = None,
        stop: threading.Event | None = None,
    ):
        self._store = store
        self._settings = settings
        self._engine = engine
        self._channels = list(channels) if channels is not None else configured_channels(settings)
        signer, site = Signer.of_home(settings.home), site_address(settings)
        self._sender = Sender(
            store,
            self._channels,
            lambda subscription: signer.links(site, subscription),
            worker,
            settings.home / "outbox",
            at_once=_AT_ONCE_EACH * settings.mail_connections,
            domain_rate=settings.mail_domain_rate,
            dead=dead,
            stop=stop,
        )

    @property
    def channels(self) -> set[str]:
        return {channel.name for channel in self._channels}

    def due(self, now: datetime | None = None, *, today: bool = False, day: date | None = None) -> list[Due]:
        """What is due and can be sent (see `Store.due`)."""
        dues = self._store.due(now, today=today, day=day)
        return [due for due in dues if due.subscription.channel in self.channels]

    def deliver(
        self,
        now: datetime | None = None,
        *,
        today: bool = False,
        day: date | None = None,
        progress: Callable[[int], None] | None = None,
        patience: float = math.inf,
    ) -> DigestReport:
        """Composes what is due and sends all that waits and may be sent now.

        Args:
            now: the instant; by default this one.
            today: whatever the hour, for the present day of each subscription.
            day: for that day instead, just its own news.
            progress: called with the number of subscriptions composed for since the last call.
            patience: for how many seconds to go on for mail domains that are at their rate.
        """
        now = now or datetime.now(UTC)
        report = DigestReport((day or now.date()).isoformat())
        dues = self.due(now, today=today, day=day)
        report.due = len(dues)
        if dues:
            if self._engine:
                # What was imported a moment ago is matched by meaning, too.
                self._engine.follow(self._store)
            report.composed = compose_due(
                self._store, self._settings, self._engine, dues, exact=day is not None, progress=progress
            )
        report.sent = self.send(patience)
        counts = self._store.outbox_counts(("queued", "retry", "sending"))
        report.waiting = sum(counts.values())
        unsent = sum(number for (channel, _), number in counts.items() if channel not in self.channels)
        if unsent:
            report.notes.append(f"{unsent} editions wait for a channel that is not configured.")
        return report

    def send(self, patience: float = math.inf) -> SendReport:
        """Sends what waits and may be sent now; ``patience`` as for `deliver`."""
        self._sender.report = SendReport()
        return asyncio.run(self._sender.run(until_empty=True, patience=patience))

    def prune(self, now: datetime | None = None) -> int:
        """Removes editions that were done with long ago."""
        before = (now or datetime.now(UTC)).date() - timedelta(days=_KEPT_DAYS)
        return self._store.prune_editions(before.isoformat())


def planned(
    store: Store, settings: Settings, engine: Engine | None, *, today: bool = False, day: date | None = None
) -> DigestReport:
    """What a digest would compose; nothing is stored or sent."""
    dues = store.due(today=today, day=day)
    if engine:
        engine.follow(store)
    composed = compose_due(store, settings, engine, dues, exact=day is not None, save=False)
    return DigestReport((day or datetime.now(UTC).date()).isoformat(), len(dues), composed)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a subscription would get now, or why it would get nothing; nothing is stored or sent."""

    subscription: Subscription
    slot: str
    first: str
    last: str
    papers: list[dict[str, Any]]
    not_sent: str = ""
    incomplete: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "subscription": self.subscription.id,
            "channel": self.subscription.channel,
            "audience": self.subscription.audience.key,
            "state": self.subscription.state,
            "day": self.slot,
            "first": self.first,
            "last": self.last,
            "not_sent": self.not_sent,
            "incomplete": self.incomplete,
            "papers": self.papers,
        }


def previews(
    store: Store,
    settings: Settings,
    engine: Engine | None,
    address: str,
    day: date | None = None,
    now: datetime | None = None,
) -> list[Preview]:
    """What the subscriptions of ``address`` would get today, or on ``day``.

    Raises:
        SubscriptionError: if the address has none.
    """
    subscriptions = store.subscriptions(address=address)
    if not subscriptions:
        raise SubscriptionError(
            f"{address[:100]!r} has no subscription here; `broadsheet subscribe` makes one"
        )
    now = now or datetime.now(UTC)
    due = {one.subscription.id: one for one in store.due(now, today=day is None, day=day)}
    found = []
    for subscription in subscriptions:
        slot = (day or subscription.schedule.today(now)).isoformat()
        one = due.get(subscription.id) or Due(subscription, slot)
        [[(edition, [item])]] = composed_batches(store, settings, engine, [one], exact=day is not None)
        papers = {paper.key: paper for paper in store.papers([key for key, _ in item.papers])}
        chosen = edition.only(list(papers))
        told = [
            {
                "place": entry.place,
                "id": papers[entry.paper].id,
                "title": papers[entry.paper].title,
                "news": entry.news,
                "reasons": list(entry.reasons),
            }
            for entry in chosen.entries
        ]
        why = item.skipped or ("" if subscription.id in due else _not_due(store, subscription, slot))
        found.append(Preview(subscription, slot, edition.first, edition.last, told, why, edition.incomplete))
    return found


def _not_due(store: Store, subscription: Subscription, slot: str) -> str:
    if subscription.state != "active":
        return f"the subscription is {subscription.state}"
    for item in store.outbox(subscription=subscription.id, slot=slot, limit=1):
        return f"the edition of {slot} is {item.state}" + (f": {item.error}" if item.error else "")
    return f"{slot} is none of its days"
