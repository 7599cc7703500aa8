"""Asking the Daily Papers API for the papers of a day.

Source: huggingface.co/docs/hub/api ("GET /api/daily_papers": date, limit, p). The hub allows 500
requests in five minutes without an account; one in two seconds leaves room for everybody else here.
"""

from __future__ import annotations

import threading
from typing import Any

from ..answers import json_of, unusable, what
from ..http import Client, Service

URL = "https://huggingface.co/api/daily_papers"
DAILY_PAPERS = Service("huggingface", interval=2.0)
# The most that one answer holds; the busiest day had 92.
LIMIT = 100
_MAX_PAGES = 10


def fetch_day(
    day: str,
    client: Client,
    *,
    url: str = URL,
    service: Service = DAILY_PAPERS,
    stop: threading.Event | None = None,
) -> list[Any]:
    """What the API lists for ``day`` (``YYYY-MM-DD``), in its order, empty where there is nothing.

    Raises:
        ServiceError: if the service gives no usable answer.
        Stopped: if ``stop`` was set while waiting.
    """
    items: list[Any] = []
    seen: set[str] = set()
    for number in range(_MAX_PAGES):
        params = {"date": day, "limit": str(LIMIT), "p": str(number)}
        answer = client.get(url, service, params=params, data=True, stop=stop)
        page = json_of(answer, service)
        if not isinstance(page, list):
            raise unusable(answer, service, f"{what(answer)} instead of a list of papers")
        news = [item for item in page if (name := _name(item)) is None or name not in seen]
        seen.update(name for item in news if (name := _name(item)))
        items += news
        # A page that repeats has no successor that does not.
        if len(page) < LIMIT or not news:
            break
    return items


def _name(item: Any) -> str | None:
    paper = item.get("paper") if isinstance(item, dict) else None
    name = paper.get("id") if isinstance(paper, dict) else None
    return name if isinstance(name, str) else None
