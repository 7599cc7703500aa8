"""Subscriptions: who gets which edition when and where, and what is to be sent to whom."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from email_validator import EmailNotValidError, validate_email

from .audiences import Audience

CHANNELS = ("mail", "slack", "discord", "mattermost", "matrix", "telegram", "webhook")
FREQUENCIES = ("daily", "weekly", "days")
# pending: not confirmed yet; left: will get nothing more.
STATES = ("pending", "active", "paused", "left")
# What may become of a row of the outbox. `retry` waits for its next try; `skipped` was not sent, for the
# reason that stands with it (nothing new, paused since).
OUTBOX_STATES = ("queued", "sending", "retry", "sent", "failed", "bounced", "suppressed", "skipped")

# RFC 5321: what a mailbox may have at most.
MAX_ADDRESS = 254
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class SubscriptionError(ValueError):
    """A subscription that cannot be; the message names what is wrong and the remedy."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """An edition for ``audience``, brought to ``address`` by ``channel``.

    ``days`` are the weekdays (0 is Monday) of the frequencies ``weekly`` (one) and ``days``. It is due at
    ``hour`` o'clock in ``zone`` (an IANA name). ``created``, ``confirmed`` and ``changed`` are UTC
    timestamps; ``options`` is what the channel keeps with it. ``id`` is never given twice.
    """

    id: int
    channel: str
    address: str
    audience: Audience = field(default_factory=Audience)
    frequency: str = "daily"
    days: tuple[int, ...] = ()
    hour: int = 7
    zone: str = "UTC"
    state: str = "pending"
    created: str = ""
    confirmed: str = ""
    changed: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        """The mail domain that it goes to; empty for other channels."""
        return self.address.rpartition("@")[2].lower() if self.channel == "mail" else ""

    @property
    def words(self) -> str:
        """What comes, and when, as a person says it."""
        when = {"daily": "every day", "weekly": "every week on"}.get(self.frequency, "on")
        days = ", ".join(WEEKDAYS[day] for day in self.days)
        return f"{self.audience.title}, {f'{when} {days}'.rstrip()} at {self.hour}:00 ({self.zone})"

    @property
    def schedule(self) -> Schedule:
        return Schedule(self.frequency, self.days, self.hour, self.zone)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a subscription is due, apart from whose it is."""

    frequency: str
    days: tuple[int, ...]
    hour: int
    zone: str

    def falls_on(self, day: date) -> bool:
        return self.frequency == "daily" or day.weekday() in self.days

    def moment(self, day: date) -> datetime:
        """When the edition of the local ``day`` is due, in UTC.

        An hour that summer time leaves out means the one after it, an hour that comes twice the first.
        """
        local = datetime.combine(day, time(self.hour), _zone(self.zone))
        return local.astimezone(UTC)

    def latest(self, now: datetime) -> date | None:
        """The last local day whose edition is due at ``now``, within a week."""
        today = self.today(now)
        days = (today - timedelta(days=back) for back in range(8))
        return next((day for day in days if self.falls_on(day) and self.moment(day) <= now), None)

    def next(self, now: datetime) -> datetime:
        """When it is due next after ``now``, in UTC."""
        today = self.today(now)
        days = (today + timedelta(days=ahead) for ahead in range(9))
        return next(m for day in days if self.falls_on(day) and (m := self.moment(day)) > now)

    def today(self, now: datetime) -> date:
        """The local day at ``now``."""
        return now.astimezone(_zone(self.zone)).date()


@lru_cache(maxsize=600)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@dataclass(frozen=True, slots=True)
class Due:
    """A subscription whose edition of the local day ``slot`` (``YYYY-MM-DD``) is to be composed.

    ``since`` is the first day to look at: the last of its former edition, whose later hours that did not
    know, or the first of it where sources had not told all of it; empty where there was none.
    """

    subscription: Subscription
    slot: str
    since: str = ""


@dataclass(frozen=True, slots=True)
class NewItem:
    """What goes into the outbox for one subscription with an edition.

    ``papers`` are the papers for it, in order, each with the version that is the news (0: the paper
    itself is new). ``skipped`` says why nothing is sent, where nothing is.
    """

    subscription: int
    slot: str
    papers: tuple[tuple[int, int], ...] = ()
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One edition for one subscription, and what became of it.

    ``papers`` are keys, in order; ``next_try`` in seconds since 1970; ``created`` and ``sent`` are UTC
    timestamps. ``id`` is never given twice and the same at every try.
    """

    id: int
    subscription: int
    edition: int
    slot: str
    papers: tuple[int, ...]
    state: str = "queued"
    attempts: int = 0
    next_try: float = 0.0
    created: str = ""
    sent: str = ""
    error: str = ""
    message_id: str = ""
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that nothing is sent to any more, since ``at`` (a UTC timestamp), and why."""

    address: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What became of the editions of one day (the local day of each subscription).

    ``states`` has the number of outbox rows by channel and state, ``reasons`` what they say (state, reason,
    number), most first; ``next_try`` is when the first waiting row is tried again (seconds since 1970).
    """

    day: str
    composed: int
    states: Mapping[str, Mapping[str, int]]
    reasons: list[tuple[str, str, int]]
    next_try: float | None = None

    def count(self, *states: str) -> int:
        """How many rows of all channels are in one of ``states``."""
        return sum(counts.get(state, 0) for counts in self.states.values() for state in states)


def checked_address(text: str, refused_domains: Collection[str] = ()) -> str:
    """The e-mail address ``text`` in its usual form: Unicode composed, domain in lower case.

    Raises:
        SubscriptionError: if it is none that mail can be sent to, or of one of ``refused_domains``.
    """
    shown = "".join(sign if sign.isprintable() else "�" for sign in text[:60])
    if len(text) > MAX_ADDRESS + 2:
        raise SubscriptionError(
            f"“{shown}…” has {len(text):,} characters; an e-mail address has at most {MAX_ADDRESS}"
        )
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in text.strip(" ")):
        raise SubscriptionError(
            f"“{shown}” is no e-mail address: it holds a line break or another control character"
        )
    try:
        found = validate_email(text.strip(" "), check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise SubscriptionError(f"“{shown}” is no e-mail address: {error}") from error
    domain = found.domain.lower()
    if any(
        domain == refused or domain.endswith(f".{refused}") for refused in map(str.lower, refused_domains)
    ):
        raise SubscriptionError(f"addresses at {domain} are not accepted here; give another address")
    return found.normalized


def address_key(channel: str, address: str) -> str:
    """What two writings of one address have in common; the addresses of other channels stay as they are."""
    return unicodedata.normalize("NFC", address).casefold() if channel == "mail" else address


def address_hash(address: str) -> str:
    """A short name of an address for logs, from which it cannot be read."""
    return hashlib.sha256(address.encode()).hexdigest()[:12]


def checked_zone(name: str) -> str:
    """The IANA time zone ``name``. Raises `SubscriptionError`."""
    try:
        _zone(name)
    except (ValueError, KeyError, OSError) as error:
        raise SubscriptionError(
            f"{name[:40]!r} is no time zone; write one as Europe/Berlin or America/New_York"
        ) from error
    return name


def checked_days(frequency: str, days: Collection[int]) -> tuple[int, ...]:
    """The weekdays of a ``frequency``: none for daily, one for weekly (Monday by default).

    Raises:
        SubscriptionError: if they do not fit.
    """
    chosen = tuple(sorted(set(days)))
    if frequency not in FREQUENCIES:
        raise SubscriptionError(f"{frequency[:40]!r} is no frequency; write one of {', '.join(FREQUENCIES)}")
    if any(not 0 <= day <= 6 for day in chosen):
        raise SubscriptionError("weekdays are numbers from 0 (Monday) to 6 (Sunday)")
    if frequency == "daily":
        return ()
    if frequency == "weekly":
        return chosen[:1] or (0,)
    if not chosen:
        raise SubscriptionError("choose at least one weekday")
    return chosen


def checked_hour(hour: int) -> int:
    """A full hour of the day. Raises `SubscriptionError`."""
    if not 0 <= hour <= 23:
        raise SubscriptionError(f"{hour} is no hour of the day; write one from 0 to 23")
    return hour
