"""Asking the OpenReview API for the papers of a venue, page by page.

Source: docs.openreview.net ("Using the API"): at most 1,000 notes a request, by offset. Guests are given
some tens of requests in a minute or an hour, by load, and are told with 429 when to come again; one in
four seconds is below what was seen to be allowed.
"""

from __future__ import annotations

import threading

from ..answers import json_of, unusable
from ..http import Client, Service
from .parse import Answer, NotesError, answer

URL = "https://api2.openreview.net/notes"
OPENREVIEW = Service("openreview", interval=4.0, longest=300.0)
LIMIT = 1000


def fetch_notes(
    venue: str,
    offset: int,
    client: Client,
    *,
    limit: int = LIMIT,
    sort: str = "tcdate:asc",
    url: str = URL,
    service: Service = OPENREVIEW,
    stop: threading.Event | None = None,
) -> Answer:
    """The notes with the venue id ``venue`` (``ICLR.cc/2024/Conference``) from the place ``offset`` on.

    Raises:
        ServiceError: if the service gives no usable answer.
        Stopped: if ``stop`` was set while waiting.
    """
    params = {"content.venueid": venue, "offset": str(offset), "limit": str(limit), "sort": sort}
    found = client.get(url, service, params=params, data=True, stop=stop)
    try:
        return answer(json_of(found, service), venue, offset)
    except NotesError as error:
        raise unusable(found, service, f"sent no notes: {error}") from error
