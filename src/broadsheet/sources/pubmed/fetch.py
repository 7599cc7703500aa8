"""Asking PubMed, by its E-utilities, for the ids that a search finds on a day, and for articles by id.

Source: NCBI, "A General Introduction to the E-utilities": three requests a second without a key, ten with
one, with the names of tool and e-mail; big jobs at night in New York. A search gives at most its
first 9,999 ids. The key goes with the parameters, since NCBI takes it nowhere else; those are never
written down.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from ..answers import json_of, unusable
from ..http import Client, Service
from .parse import Article, Found, PubmedError, articles, found_ids

URL = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
WITHOUT_KEY = Service("pubmed", interval=0.34, longest=300.0)
WITH_KEY = Service("pubmed", interval=0.1, longest=300.0)
# Longer lists of ids would have to be posted.
BATCH = 200
MOST = 9_999


def search_day(
    term: str,
    day: str,
    start: int,
    client: Client,
    *,
    options: Mapping[str, str] | None = None,
    url: str = URL,
    service: Service = WITHOUT_KEY,
    stop: threading.Event | None = None,
) -> Found:
    """The ids of what ``term`` finds among all that came to PubMed on ``day``, from the place ``start`` on.

    Args:
        options: further parameters: ``api_key``, ``tool``, ``email``.

    Raises:
        ServiceError: if the service gives no usable answer.
        Stopped: if ``stop`` was set while waiting.
    """
    edat = day.replace("-", "/")
    params = {
        "db": "pubmed",
        "term": term,
        "retmode": "json",
        "retstart": str(start),
        "retmax": str(min(BATCH, MOST - start)),
        "datetype": "edat",
        "mindate": edat,
        "maxdate": edat,
        **(options or {}),
    }
    answer = client.get(f"{url.rstrip('/')}/esearch.fcgi", service, params=params, data=True, stop=stop)
    try:
        return found_ids(json_of(answer, service))
    except PubmedError as error:
        raise unusable(answer, service, f"sent no ids: {error}") from error


def fetch_articles(
    ids: Sequence[str],
    client: Client,
    *,
    options: Mapping[str, str] | None = None,
    url: str = URL,
    service: Service = WITHOUT_KEY,
    stop: threading.Event | None = None,
) -> list[Article]:
    """The articles with ``ids`` (PubMed ids, at most `BATCH`); one that PubMed does not know is missing.

    Raises:
        ServiceError: if the service gives no usable answer.
        Stopped: if ``stop`` was set while waiting.
    """
    if len(ids) > BATCH:
        raise ValueError(f"{len(ids)} ids, at most {BATCH} go into one request; divide them")
    params = {"db": "pubmed", "id": ",".join(ids), "retmode": "xml", **(options or {})}
    answer = client.get(f"{url.rstrip('/')}/efetch.fcgi", service, params=params, data=True, stop=stop)
    try:
        return list(articles(answer.content))
    except PubmedError as error:
        raise unusable(answer, service, f"sent no articles: {error}") from error
