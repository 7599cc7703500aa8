"""What Semantic Scholar knows of the stored papers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ...model.papers import Paper, Record
from ..http import Service
from ..source import Page, Run, Source
from ..walk import Items, Walk, addition, daily, is_wanted
from . import fetch
from .adapter import SOURCE, record
from .parse import paper as parsed

_HOUR = 7
# Schemes and how the service wants them written, the surest first.
_PREFIXES = {"arxiv": "ARXIV:", "doi": "DOI:", "acl": "ACL:", "pmid": "PMID:", "pmcid": "PMCID:", "s2": ""}


class SemanticScholar:
    """Venue, DOI, citations, references and abstract from Semantic Scholar. ``key`` is its API key."""

    name = SOURCE
    title = "Semantic Scholar"
    home_page = "https://www.semanticscholar.org/product/api"

    def __init__(self, url: str = fetch.URL, *, key: str = "", service: Service | None = None):
        self._url, self._key = url.rstrip("/"), key
        self._service = service or (fetch.WITH_KEY if key else fetch.WITHOUT_KEY)

    def pages(self, run: Run) -> Iterator[Page]:
        """See `Source.pages`; a page is one request about up to `fetch.BATCH` stored papers."""
        walk = Walk(SOURCE, fetch.BATCH, schemes=tuple(_PREFIXES))
        yield from walk.pages(run, lambda papers: self._ask(papers, run))

    def due(self, last_success: datetime | None, now: datetime) -> datetime:
        """See `Source.due`."""
        return daily(_HOUR, last_success, now)

    def _ask(self, papers: list[Paper], run: Run) -> Items:
        asked = {name: paper for paper in papers if (name := _name(paper))}
        if not asked:
            return []
        found = fetch.fetch_papers(
            list(asked),
            run.client,
            url=self._url,
            service=self._service,
            key=self._key,
            stop=run.stop,
        )
        items: list[Any] = []
        for (name, paper), value in zip(asked.items(), found, strict=True):
            if value is None:
                continue
            item = record(parsed(value), f"{SOURCE} {name}")
            today = run.now.date().isoformat()
            items.append(addition(item, paper, today) if isinstance(item, Record) else item)
        return items


def _name(paper: Paper) -> str | None:
    """``paper`` as the service wants it named."""
    for scheme, prefix in _PREFIXES.items():
        if value := paper.identifier(scheme):
            if scheme == "s2":
                return f"CorpusId:{value}" if value.isdigit() else value
            return prefix + (value.removeprefix("PMC") if scheme == "pmcid" else value)
    return None


def sources(settings: Any) -> list[Source]:
    """The source, where it is switched on."""
    if not is_wanted(settings, SOURCE, settings.semantic_scholar_key):
        return []
    return [SemanticScholar(settings.semantic_scholar_url, key=settings.semantic_scholar_key)]
