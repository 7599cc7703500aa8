"""Asking OpenAlex for works by their DOIs or its own ids.

Source: developers.openalex.org ("Filter entity lists": up to 100 values joined by ``|``; "Authentication &
Rate Limits": ``api_key``, 10,000 lists a day with a free key, 429 when they are used up).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from ..answers import json_of, unusable, wrong_key
from ..http import Client, Service
from ..values import object_in, objects_in

URL = "https://api.openalex.org"
# A hundred requests a second are allowed; the pace is that of one polite reader.
OPENALEX = Service("openalex", interval=0.5)
BATCH = 50
# Characters that mean something else within a filter.
SPECIAL = set(',|!"')
_FIELDS = (
    "id,doi,ids,display_name,publication_date,publication_year,type,primary_location,best_oa_location,"
    "authorships,cited_by_count,referenced_works,is_retracted,abstract_inverted_index"
)


def fetch_works(
    field: str,
    values: Sequence[str],
    client: Client,
    *,
    url: str = URL,
    service: Service = OPENALEX,
    key: str = "",
    stop: threading.Event | None = None,
) -> list[dict[str, Any]]:
    """The works that OpenAlex knows by ``values`` (at most `BATCH`) of ``field``, ``doi`` or ``openalex``.

    Raises:
        ServiceError: if OpenAlex gives no usable answer.
        Stopped: if ``stop`` was set while waiting.
    """
    params = {
        "filter": f"{field}:{'|'.join(values)}",
        "per-page": str(BATCH),
        "select": _FIELDS,
        # OpenAlex takes its key in the address only; addresses are shown and logged without their query.
        **({"api_key": key} if key else {}),
    }
    accept = (200, 400, 401, 403) if key else (200, 400)
    answer = client.get(f"{url}/works", service, params=params, accept=accept, data=True, stop=stop)
    if answer.status in (401, 403):
        raise wrong_key(answer, service, "BROADSHEET_OPENALEX_KEY")
    if answer.status == 400:
        # One value that the filter does not like refuses the whole list; single works are asked for freely.
        del params["filter"], params["per-page"]
        prefix = "doi:" if field == "doi" else ""
        addresses = [f"{url}/works/{prefix}{quote(value, safe='')}" for value in values]
        return [work for address in addresses if (work := _single(address, client, service, params, stop))]
    found = json_of(answer, service)
    if not isinstance(found, dict) or not isinstance(found.get("results"), list):
        raise unusable(answer, service, "sent no list of works")
    return objects_in(found["results"])


def _single(
    address: str,
    client: Client,
    service: Service,
    params: dict[str, str],
    stop: threading.Event | None,
) -> dict[str, Any] | None:
    """The work at ``address``, None where there is none."""
    answer = client.get(address, service, params=params, accept=(200, 400, 404), data=True, stop=stop)
    return object_in(json_of(answer, service)) or None if answer.status == 200 else None
