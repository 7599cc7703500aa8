"""Asking the bioRxiv and medRxiv API for the posts of a day, and for what journals printed on it.

Source: api.biorxiv.org ("details/[server]/[interval]/[cursor]/[format]", "pubs/…"). It gives no limit;
one request in two seconds, both servers together, since they are one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from ..answers import json_of, unusable
from ..http import Client, Service
from .parse import Answer, DetailsError, Post, Printed, answer, printed

URL = "https://api.biorxiv.org"
T = TypeVar("T")
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
) -> Answer[Post]:
    """The posts of ``day`` on ``server`` (``biorxiv``, ``medrxiv``) from the place ``cursor`` (0, 30, …) on.

    Raises:
        ServiceError: if the service gives no usable answer, or another page than was asked for.
        Stopped: if ``stop`` was set while waiting.
    """
    address = f"{url.rstrip('/')}/details/{server}/{day}/{day}/{cursor}/json"
    return _page(address, answer, f"{server} of {day}", cursor, client, service, stop)


def fetch_printed(
    server: str,
    day: str,
    cursor: int,
    client: Client,
    *,
    url: str = URL,
    service: Service = BIORXIV,
    stop: threading.Event | None = None,
) -> Answer[Printed]:
    """The preprints of ``server`` that journals printed on ``day``, from the place ``cursor`` on.

    Raises:
        ServiceError, Stopped: as `fetch_day` does.
    """
    address = f"{url.rstrip('/')}/pubs/{server}/{day}/{day}/{cursor}/json"
    return _page(address, printed, f"{server} printed on {day}", cursor, client, service, stop)


def _page(
    address: str,
    read: Callable[[Any, str], Answer[T]],
    name: str,
    cursor: int,
    client: Client,
    service: Service,
    stop: threading.Event | None,
) -> Answer[T]:
    found = client.get(address, service, data=True, stop=stop)
    try:
        page = read(json_of(found, service), name)
    except DetailsError as error:
        raise unusable(found, service, f"sent no posts: {error}") from error
    if page.posts and page.cursor != cursor:
        raise unusable(found, service, f"sent the posts from {page.cursor} on, not from {cursor} on")
    return page
