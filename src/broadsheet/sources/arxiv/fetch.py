"""Asking arXiv's API for papers by their ids, at the pace that arXiv asks for.

Source: arXiv API User's Manual (id_list, max_results) and "Terms of Use for arXiv APIs" (one request
in three seconds, one connection, over all interfaces and machines together).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence

from ..http import Client, Service, ServiceError
from .parse import Entry, FeedError, entries

API_URL = "https://export.arxiv.org/api/query"
# All that is ever asked of arXiv keeps this one pace.
ARXIV = Service("arxiv", interval=3.0, tries=4, backoff=6.0)
# Ids of one request: the manual allows 2,000 results, but addresses of 20,000 characters are refused.
BATCH = 100
# arXiv refuses a whole request for one id of the wrong form, and names the first one only.
_MAX_REFUSED = 5
_REFUSED_ID = re.compile(r"incorrect id format for (\S+)")


def fetch_entries(
    ids: Sequence[str],
    client: Client,
    *,
    url: str = API_URL,
    service: Service = ARXIV,
    stop: threading.Event | None = None,
) -> Iterator[Entry]:
    """The entries of the papers with ``ids`` (arXiv ids without version, at most `BATCH`).

    An id that arXiv does not know gives no entry; one that it refuses gives an entry with ``error``.

    Raises:
        ServiceError: if arXiv gives no usable answer, after the entries that were read.
        Stopped: if ``stop`` was set while waiting.
    """
    if len(ids) > BATCH:
        raise ValueError(f"{len(ids)} ids, at most {BATCH} go into one request; divide them")
    wanted = list(ids)
    for _ in range(_MAX_REFUSED):
        if not wanted:
            return
        params = {"id_list": ",".join(wanted), "start": "0", "max_results": str(len(wanted))}
        answer = client.get(url, service, params=params, accept=(200, 400), stop=stop)
        refused: list[Entry] = []
        try:
            for entry in entries(answer.content):
                if entry.error:
                    refused.append(entry)
                else:
                    yield entry
        except FeedError as error:
            raise ServiceError(
                service.name,
                answer.url,
                f"sent no usable answer ({error})",
                "try again later",
                answer.status,
            ) from error
        yield from refused
        named = {match[1] for entry in refused if (match := _REFUSED_ID.search(entry.error))} & set(wanted)
        if not refused:
            return
        if not named:
            break
        wanted = [name for name in wanted if name not in named]
    raise ServiceError(
        service.name, url, "refuses the ids that it is asked for", "correct the ids, or ask for fewer at once"
    )
