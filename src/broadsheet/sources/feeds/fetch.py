"""Asking for a feed at an address that a person gave: one request, and only for what changed.

Source: RFC 9110 (conditional requests), RSS advisory board (feeds are asked for hourly at most).
"""

from __future__ import annotations

import threading

from ..http import Client, Response
from .parse import MAX_BYTES


def fetch_feed(
    url: str,
    client: Client,
    *,
    etag: str | None = None,
    last_modified: str | None = None,
    stop: threading.Event | None = None,
) -> Response:
    """The feed at ``url``; with status 304, and empty, where it is the one of ``etag``/``last_modified``.

    Raises:
        RefusedAddress: if the address leads into the private network.
        ServiceError: if there is no usable answer.
        Stopped: if ``stop`` was set while waiting.
    """
    return client.get_page(url, etag=etag, last_modified=last_modified, max_bytes=MAX_BYTES, stop=stop)
