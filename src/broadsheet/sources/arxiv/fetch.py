"""Asking arXiv's API, its OAI-PMH server and its feeds, all at the one pace that arXiv asks for.

Source: arXiv API User's Manual (id_list, max_results), "Open Archives Initiative (OAI)" and "RSS feeds" on
info.arxiv.org, and "Terms of Use for arXiv APIs" (one request in three seconds, one connection, over all
interfaces and machines together).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..http import Client, Response, Service, ServiceError
from .feeds import Announcement, ArxivFeed, NoArxivFeed
from .oai import Damage, NoOaiAnswer, OaiAnswer, OaiRecord
from .parse import Entry, FeedError, entries

API_URL = "https://export.arxiv.org/api/query"
OAI_URL = "https://oaipmh.arxiv.org/oai"
FEED_URL = "https://rss.arxiv.org/rss"
# All that is ever asked of arXiv keeps this one pace.
ARXIV = Service("arxiv", interval=3.0, tries=4, backoff=6.0)
# Ids of one request: the manual allows 2,000 results, but addresses of 20,000 characters are refused.
BATCH = 100
# arXiv refuses a whole request for one id of the wrong form, and names the first one only.
_MAX_REFUSED = 5
# How often an answer that is none, or none to its end, is asked for before the service is called broken.
_MAX_UNUSABLE = 3
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
        answer = client.get(url, service, params=params, data=True, accept=(200, 400), stop=stop)
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


@dataclass(slots=True)
class OaiPage:
    """One page of OAI-PMH, read; see `OaiAnswer` for ``response_date``, ``errors`` and ``token``."""

    url: str
    response_date: str
    records: list[OaiRecord | Damage] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    token: str | None = None


def fetch_oai(
    client: Client,
    *,
    set_name: str,
    metadata: str,
    since: str = "",
    token: str = "",
    url: str = OAI_URL,
    service: Service = ARXIV,
    stop: threading.Event | None = None,
) -> OaiPage:
    """The first page of what changed in ``set_name`` since a day, or the page that ``token`` stands for.

    An answer that is no OAI-PMH, that is empty, or that breaks off is asked for again.

    Args:
        metadata: the format of the records: ``arXivRaw`` or ``arXiv``.
        since: ``YYYY-MM-DD``; empty for all.

    Raises:
        ServiceError: if there is no usable answer. An error that OAI-PMH itself tells is no such.
        Stopped: if ``stop`` was set while waiting.
    """
    params = {"verb": "ListRecords"}
    if token:
        params["resumptionToken"] = token
    else:
        params |= {"metadataPrefix": metadata, "set": set_name} | ({"from": since} if since else {})
    for _ in range(_MAX_UNUSABLE):
        answer = client.get(url, service, params=params, data=True, accept=(200, 400), stop=stop)
        read = OaiAnswer([answer.content])
        try:
            records = list(read.records())
        except NoOaiAnswer as error:
            why = f"{error}{_typed(answer)}"
            continue
        if not read.whole and read.token is None:
            why = f"it breaks off after record {read.place}"
        elif not records and not read.errors:
            why = "it holds neither records nor an error"
        else:
            return OaiPage(answer.url, read.response_date, records, read.errors, read.token)
    raise _unusable(answer, service, why)


def fetch_feed(
    client: Client,
    category: str,
    *,
    url: str = FEED_URL,
    service: Service = ARXIV,
    stop: threading.Event | None = None,
) -> tuple[ArxivFeed, list[Announcement], bool]:
    """The feed of the day of ``category``, its items, and whether it is the one that was read last.

    What did not change is not sent again.

    Raises:
        ServiceError: if there is no usable answer.
        Stopped: if ``stop`` was set while waiting.
    """
    for _ in range(_MAX_UNUSABLE):
        answer = client.get(f"{url}/{category}", service, keep=True, data=True, stop=stop)
        try:
            feed = ArxivFeed(answer.content)
            items = list(feed.announcements())
        except NoArxivFeed as error:
            why = f"{error}{_typed(answer)}"
            continue
        if not feed.damage:
            return feed, items, answer.unchanged
        why = feed.damage
    raise _unusable(answer, service, why)


def _typed(answer: Response) -> str:
    return f" (it is sent as {answer.media_type[:60]!r})" if answer.media_type else ""


def _unusable(answer: Response, service: Service, why: str) -> ServiceError:
    return ServiceError(
        service.name,
        answer.url,
        f"sent no usable answer {_MAX_UNUSABLE} times: {why}",
        "try again later",
        answer.status,
    )
