"""Asking the bioRxiv and medRxiv API for the posts of a day.

Source: api.biorxiv.org ("details/[server]/[interval]/[cursor]/[format]"). It gives no limit; one request
in two seconds, both servers together, since they are one.
"""

from __future__ import annotations

import threading

from ..answers import json_of, unusable
from ..http import Client, Service
from .parse import Answer, DetailsError, answer

URL = "https://api.biorxiv.org/details"
BIORXIV = Service("biorxiv", interval=2.0, longest=300.0)


def fetch_day(
    server: str,
    day: str,
    cursor: int,
    client: Client,
    *,
    url: str = URL,
    service: Service = BIORXIV,
    stop: threading.Event | None = None,
) -> Answer:
    """The posts of ``day`` on ``server`` (``biorxiv``, ``medrxiv``) from the place ``cursor`` (0, 30, …) on.

    Raises:
        ServiceError: if the service gives no usable answer, or another page than was asked for.
        Stopped: if ``stop`` was set while waiting.
    """
    found = client.get(f"{url.rstrip('/')}/{server}/{day}/{day}/{cursor}/json", service, data=True, stop=stop)
    try:
        page = answer(json_of(found, service), f"{server} of {day}")
    except DetailsError as error:
        raise unusable(found, service, f"sent no posts: {error}") from error
    if page.posts and page.cursor != cursor:
        raise unusable(found, service, f"sent the posts from {page.cursor} on, not from {cursor} on")
    return page
