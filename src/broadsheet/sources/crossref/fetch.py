"""Asking Crossref's REST API for works by their DOIs.

Source: Crossref REST API documentation (filter ``doi``, ``mailto`` for the polite pool, 404 for DOIs of
other agencies) and "Announcing changes to REST API rate limits" (lists: one request a second without
address, three with one).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from ..answers import json_of, unusable
from ..http import Client, Service
from ..values import object_in, objects_in, text

URL = "https://api.crossref.org"
CROSSREF = Service("crossref", interval=1.0)
# A work has 30 kB on average, a book with its references a megabyte.
BATCH = 25
# Characters that mean something else within a filter.
_SPECIAL = set(",|")


def fetch_works(
    dois: Sequence[str],
    client: Client,
    *,
    url: str = URL,
    service: Service = CROSSREF,
    mailto: str = "",
    stop: threading.Event | None = None,
) -> list[dict[str, Any]]:
    """The works that Crossref knows among ``dois`` (at most `BATCH`), in its order.

    Raises:
        ServiceError: if Crossref gives no usable answer.
        Stopped: if ``stop`` was set while waiting.
    """
    together = [doi for doi in dois if not _SPECIAL & set(doi)]
    alone = [doi for doi in dois if _SPECIAL & set(doi)]
    extra = {"mailto": mailto} if mailto else {}
    works: list[dict[str, Any]] = []
    if together:
        params = {"filter": ",".join(f"doi:{doi}" for doi in together), "rows": str(BATCH), **extra}
        # One DOI that the filter does not like refuses the whole list.
        answer = client.get(f"{url}/works", service, params=params, accept=(200, 400), data=True, stop=stop)
        if answer.status == 200:
            message = object_in(object_in(json_of(answer, service)).get("message"))
            if "items" not in message:
                raise unusable(answer, service, "sent no list of works")
            works = objects_in(message["items"])
        else:
            alone = list(dois)
    for doi in alone:
        address = f"{url}/works/{quote(doi, safe='')}"
        answer = client.get(
            address, service, params=extra or None, accept=(200, 400, 404), data=True, stop=stop
        )
        if answer.status == 200:
            works.append(object_in(object_in(json_of(answer, service)).get("message")))
    return [work for work in works if text(work.get("DOI"))]
