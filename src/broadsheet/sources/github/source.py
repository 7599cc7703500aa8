"""The stars of the repositories that the stored papers link to, counted over time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from ...model.papers import Paper, Rejection
from ..http import Service
from ..source import Page, Run, Source
from ..walk import Items, Walk, is_wanted
from . import fetch
from .adapter import SOURCE, record, repository_of
from .parse import Repository, repository

# Papers of one page: one request each, so that little is lost when the limit of the hour comes.
_SIZE = 10
_INTERVAL = timedelta(hours=1)


class GitHub:
    """Stars of linked repositories. ``token`` is one without any permission: it only raises the limit."""

    name = SOURCE
    title = "GitHub"
    home_page = "https://docs.github.com/rest"

    def __init__(self, url: str = fetch.URL, *, token: str = "", service: Service = fetch.GITHUB):
        self._asked = {"url": url.rstrip("/"), "token": token, "service": service}

    def pages(self, run: Run) -> Iterator[Page]:
        """See `Source.pages`; a page is about up to ten papers. A used-up limit ends the run, and the next
        one goes on there.
        """
        allowance: fetch.Allowance | None = None
        known: dict[str, Repository | None] = {}

        def ask(papers: list[Paper]) -> Items | None:
            nonlocal allowance
            try:
                if allowance is None:
                    allowance = fetch.fetch_allowance(run.client, **self._asked, stop=run.stop)
                return self._told(papers, run, allowance, known)
            except fetch.LimitReached:
                return None

        yield from Walk(SOURCE, _SIZE, linked="//github.com/").pages(run, ask)

    def due(self, last_success: datetime | None, now: datetime) -> datetime:
        """See `Source.due`: every hour, as the limit is one of the hour."""
        return now if last_success is None or last_success > now else last_success + _INTERVAL

    def _told(
        self, papers: list[Paper], run: Run, allowance: fetch.Allowance, known: dict[str, Repository | None]
    ) -> Items:
        items: list[Any] = []
        day = run.now.date().isoformat()
        for paper in papers:
            name = repository_of(paper)
            if name is None:
                continue
            if name.lower() not in known:
                value = fetch.fetch_repository(name, run.client, allowance, **self._asked, stop=run.stop)
                known[name.lower()] = repository(value) if value else None
            found = known[name.lower()]
            if found:
                items.append(record(found, paper, name, day))
            else:
                items.append(
                    Rejection(
                        f"{SOURCE} {name}",
                        "it cannot be had (deleted, blocked, or not public yet); it is asked for again when "
                        f"the stars of {paper.id} are counted next",
                    )
                )
        return items


def sources(settings: Any) -> list[Source]:
    """The source, where it is switched on."""
    if not is_wanted(settings, SOURCE, settings.github_token):
        return []
    return [GitHub(settings.github_url, token=settings.github_token)]
