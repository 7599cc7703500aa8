"""Asking Semantic Scholar's Academic Graph API for papers by their ids, many in one request.

Source: api.semanticscholar.org/api-docs/graph (POST /paper/batch: at most 500 ids and 10 MB, null for what
is unknown; ``x-api-key``) and semanticscholar.org/product/api (a request a second with a key; without one
all the world shares 100 requests in five minutes).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..answers import json_of, unusable, wrong_key
from ..http import Client, Service
from ..values import object_in, text

URL = "https://api.semanticscholar.org"
WITH_KEY = Service("semantic_scholar", interval=1.1)
WITHOUT_KEY = replace(WITH_KEY, interval=4.0, backoff=15.0)
_TOO_MUCH = re.compile(r"(?i)exceed|too (?:large|big|many)|maximum")
# With their references, so many papers stay well below 10 MB.
BATCH = 100
_FIELDS = (
    "externalIds,title,abstract,venue,publicationVenue,journal,publicationDate,year,citationCount,"
    "openAccessPdf,authors.name,references.externalIds"
)


def fetch_papers(
    ids: Sequence[str],
    client: Client,
    *,
    url: str = URL,
    service: Service = WITHOUT_KEY,
    key: str = "",
    stop: threading.Event | None = None,
) -> list[dict[str, Any] | None]:
    """What Semantic Scholar knows of each of ``ids`` (at most `BATCH`), in their order, None where nothing.

    ``ids`` are written as the service wants them: ``ARXIV:2407.21783``, ``DOI:10.1/x``, ``CorpusId:12``.

    Raises:
        ServiceError: if the service gives no usable answer.
        Stopped: if ``stop`` was set while waiting.
    """
    answer = client.post(
        f"{url}/graph/v1/paper/batch",
        service,
        json={"ids": list(ids)},
        params={"fields": _FIELDS},
        headers={"x-api-key": key} if key else None,
        accept=(200, 400, 401, 403) if key else (200, 400),
        stop=stop,
    )
    if answer.status in (401, 403):
        raise wrong_key(answer, service, "BROADSHEET_SEMANTIC_SCHOLAR_KEY")
    found = json_of(answer, service)
    if answer.status == 400:
        told = text(object_in(found).get("error"))
        if "no valid paper ids" in told.lower():
            return [None] * len(ids)
        if _TOO_MUCH.search(told) and len(ids) > 1:
            # Papers with thousands of references among them.
            halves = (ids[: len(ids) // 2], ids[len(ids) // 2 :])
            asked = {"url": url, "service": service, "key": key, "stop": stop}
            return [found for half in halves for found in fetch_papers(half, client, **asked)]
        raise unusable(answer, service, f"refuses the question ({told[:200]!r})")
    if not isinstance(found, list) or len(found) != len(ids):
        raise unusable(answer, service, f"sent no list of {len(ids)} answers")
    return [value if isinstance(value, dict) else None for value in found]
