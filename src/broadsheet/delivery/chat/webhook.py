"""Editions as JSON to any address, signed so that its owner can tell them from what others send there.

Headers: ``X-Broadsheet-Delivery`` (the same at every try), ``X-Broadsheet-Timestamp`` (seconds since
1970) and ``X-Broadsheet-Signature``: ``sha256=`` and the HMAC-SHA256, in hex, of the timestamp, a full
stop and the body, under the secret that was shown when the webhook was set up.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from typing import Any
from urllib.parse import urlsplit

from ...model.papers import Paper
from ...model.subscriptions import Subscription, SubscriptionError
from ...sources.http import Client, RefusedAddress, Service, ServiceError, json_bytes
from ..channels import Outgoing, Refused, Retry, Sent

# The outbox tries again; a hook that is slow does not hold up others for long.
_PATIENCE = {"interval": 0.0, "tries": 1, "silence": 15.0, "longest": 30.0}
_TAKEN = (200, 201, 202, 204)


def secret_of(home_secret: bytes, subscription: Subscription) -> str:
    """The secret that signs what goes to ``subscription``, in hex."""
    told = f"webhook {subscription.id} {subscription.created}".encode()
    return hmac.new(home_secret, told, hashlib.sha256).hexdigest()


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """What the header ``X-Broadsheet-Signature`` holds."""
    return "sha256=" + hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()


def checked_webhook(address: str) -> str:
    """An ``address`` that a webhook can have. Raises `SubscriptionError`."""
    try:
        parts = urlsplit(address.strip())
        fine = parts.scheme in ("https", "http") and bool(parts.hostname) and len(address) <= 2_000
    except ValueError:
        fine = False
    if not fine:
        raise SubscriptionError("that is no address of a webhook; write one that begins with https://")
    return address.strip()


class WebhookChannel:
    """Posts editions to webhooks; see `channels.Channel`."""

    name = "webhook"

    def __init__(self, client: Client, home_secret: bytes):
        self._client, self._secret = client, home_secret

    async def send(self, item: Outgoing) -> Sent | Retry | Refused:
        return await asyncio.to_thread(self._send, item)

    async def close(self) -> None:
        pass

    def _send(self, item: Outgoing) -> Sent | Retry | Refused:
        address, told = item.subscription.address, payload(item)
        now = int(time.time())
        headers = {
            "X-Broadsheet-Delivery": str(item.id),
            "X-Broadsheet-Timestamp": str(now),
            "X-Broadsheet-Signature": signature(
                secret_of(self._secret, item.subscription), now, json_bytes(told)
            ),
        }
        service = Service(f"webhook {urlsplit(address).hostname}", **_PATIENCE)
        try:
            self._client.post(address, service, json=told, headers=headers, data=False, accept=_TAKEN)
        except RefusedAddress as error:
            return Refused(str(error))
        except ServiceError as error:
            if error.status in (404, 410):
                return Refused(f"the webhook answered {error.status}: it is gone")
            return Retry(f"the webhook did not take it ({error.status or 'no answer'})")
        return Sent()


def payload(item: Outgoing) -> dict[str, Any]:
    """What is posted."""
    edition = item.edition
    return {
        "delivery": item.id,
        "audience": {"kind": edition.audience.kind, "value": edition.audience.value},
        "first": edition.first,
        "last": edition.last,
        "incomplete": edition.incomplete or None,
        "papers": [
            {
                "place": entry.place,
                "news": entry.news,
                "version": entry.version or None,
                "reasons": list(entry.reasons),
                **_paper(paper, item.links.site),
            }
            for entry, paper in zip(edition.entries, item.papers, strict=True)
        ],
    }


def _paper(paper: Paper, site: str) -> dict[str, Any]:
    return {
        "id": paper.id,
        "url": f"{site}/papers/{paper.id}" if site else None,
        "title": paper.title,
        "authors": [author.name for author in paper.authors],
        "abstract": paper.abstract,
        "published": paper.published,
        "categories": paper.categories,
        "links": [{"kind": link.kind, "url": link.url} for link in paper.links],
    }
