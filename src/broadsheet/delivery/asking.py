"""Asks by mail whether an address wants the editions that were asked for in its name."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from ..config import Settings
from ..model.subscriptions import Subscription
from ..store import Store
from .channels import Refused, Retry, Sent
from .mail.configured import mail_channel, site_of
from .mail.render import Renderer
from .signed import CONFIRM_SECONDS, Signer


def ask_to_confirm(
    settings: Settings, site: str, stored: Subscription, what: str
) -> Sent | Retry | Refused | None:
    """Sends the mail with the link that confirms ``stored``; None where no mail server is set.

    Args:
        site: the address of the site, without a slash at its end.
        what: the subscription in words, as the mail is to call it.

    Raises:
        ServerError, SenderError: if a setting of mail cannot be used.
    """
    channel = mail_channel(settings)
    if channel is None:
        return None
    signer = Signer.of_home(settings.home)
    known = stored.state in ("active", "paused")
    rendered = Renderer(site_of(settings)).confirmation(
        what, signer.links(site, stored), signer.confirm_link(site, stored), known
    )

    async def send() -> Sent | Retry | Refused:
        try:
            return await channel.send_note(stored.address, rendered)
        finally:
            await channel.close()

    return asyncio.run(send())


def forget_unconfirmed(store: Store, now: datetime | None = None) -> int:
    """Forgets addresses whose link to confirm has expired, as the mail promised; how many subscriptions."""
    before = (now or datetime.now(UTC)) - timedelta(seconds=CONFIRM_SECONDS)
    pending = store.subscriptions(state="pending")
    late = [one.id for one in pending if datetime.fromisoformat(one.changed) < before]
    return sum(store.forget(number) for number in late)
