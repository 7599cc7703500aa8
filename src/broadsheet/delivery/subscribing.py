"""From what a person gives (words and numbers) to a subscription that can be stored."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..config import Settings
from ..model.audiences import Audience
from ..model.subscriptions import (
    CHANNELS,
    WEEKDAYS,
    Subscription,
    SubscriptionError,
    checked_address,
    checked_days,
    checked_hour,
    checked_zone,
)
from .chat import checked_room, checked_webhook


def subscription_for(
    settings: Settings,
    channel: str,
    address: str,
    audience: Mapping[str, str | None],
    frequency: str,
    days: str,
    hour: int,
    zone: str,
) -> Subscription:
    """The subscription that these values describe; it is not stored.

    Args:
        audience: by kind (``search``, ``category``, ``topic``) at most one that is not None; none: everybody.
        days: weekdays, written out or by their first letters, separated by commas.

    Raises:
        SubscriptionError, AudienceError: if one of them cannot be, with the remedy.
    """
    chosen = [(kind, value) for kind, value in audience.items() if value is not None]
    if len(chosen) > 1:
        raise SubscriptionError(f"choose one of {', '.join(audience)}; several can be subscribed one by one")
    return Subscription(
        0,
        channel,
        _checked(settings, channel, address),
        Audience.of(*chosen[0]) if chosen else Audience(),
        frequency,
        checked_days(frequency, _weekdays(days)),
        checked_hour(hour),
        checked_zone(zone),
    )


def _checked(settings: Settings, channel: str, address: str) -> str:
    if channel not in CHANNELS:
        raise SubscriptionError(f"{channel[:40]!r} is no channel; write one of {', '.join(CHANNELS)}")
    if channel == "mail":
        return checked_address(address, settings.refused_mail_domains.replace(",", " ").split())
    return checked_webhook(address) if channel == "webhook" else checked_room(channel, address)


def _weekdays(text: str) -> list[int]:
    found = []
    for name in filter(None, re.split(r"[\s,]+", text.casefold())):
        fitting = [n for n, day in enumerate(WEEKDAYS) if day.casefold().startswith(name) and len(name) > 1]
        if len(fitting) != 1:
            raise SubscriptionError(f"{name[:20]!r} is no weekday; write mon, tue, wed, thu, fri, sat or sun")
        found += fitting
    return found
