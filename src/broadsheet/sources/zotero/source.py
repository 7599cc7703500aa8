"""A Zotero library that is gathered: what changed in it since the version that was last seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from ...model import dates
from ...model.papers import Listing, Record, Rejection
from ..daily_papers.adapter import UNKNOWN_PLACE
from ..http import Service, ServiceError
from ..source import Page, Run, Source
from . import fetch
from .adapter import SOURCE, record
from .parse import Item, item

_INTERVAL = timedelta(minutes=30)
_LIBRARY = re.compile(r"(?:users|groups)/\d{1,12}")


class Zotero:
    """The library ``path`` (``users/NUMBER`` or ``groups/NUMBER``) at Zotero. ``key`` is an API key."""

    name = SOURCE
    title = "Zotero library"
    home_page = "https://www.zotero.org/support/dev/web_api/v3/start"

    def __init__(self, path: str, url: str = fetch.URL, *, key: str = "", service: Service = fetch.ZOTERO):
        self._path, self._url, self._key, self._service = path, url, key, service

    def pages(self, run: Run) -> Iterator[Page]:
        """See `Source.pages`; a page is up to fifty items.

        The items come in the order of their versions. The cursor holds the library, the version below
        which nothing is missing, and the version and key of the last item.
        """
        library = fetch.Library(
            self._path, run.client, url=self._url, key=self._key, service=self._service, stop=run.stop
        )
        state = _state(run.cursor, self._path)
        try:
            versions = library.versions(state["version"])
        except ServiceError as error:
            if error.status not in (401, 403):
                raise
            raise ServiceError(
                SOURCE,
                f"{self._url}/{self._path}",
                "may not be read with this key",
                "set BROADSHEET_ZOTERO_KEY to a key with read access to the library",
                error.status,
            ) from error
        last = (state["after"][0], state["after"][1]) if state.get("after") else (0, "")
        ahead = sorted((version, key) for key, version in versions.items() if (version, key) > last)
        names = library.collections() if ahead else {}
        for start in range(0, len(ahead), fetch.BATCH):
            part = ahead[start : start + fetch.BATCH]
            found = {told.key: told for told in map(item, library.items([key for _, key in part]))}
            items: list[Record | Rejection] = []
            for _, key in part:
                # What was deleted in between is not told any more, and is left alone.
                paper = record(found[key], f"{SOURCE} {self._path}", names) if key in found else None
                if isinstance(paper, Record):
                    paper.listings = [self._listing(found[key], run)]
                if paper is not None:
                    items.append(paper)
            # Several items may share the last version: it counts as whole only when the next one begins.
            state = {"library": self._path, "version": state["version"], "after": list(part[-1])}
            if start + fetch.BATCH >= len(ahead):
                state = {"library": self._path, "version": part[-1][0]}
            yield Page(items, state, expected=len(ahead))

    def due(self, last_success: datetime | None, now: datetime) -> datetime:
        """See `Source.due`: every half hour; where nothing changed that is one small request."""
        return now if last_success is None or last_success > now else last_success + _INTERVAL

    def _listing(self, found: Item, run: Run) -> Listing:
        """Where the item stands: on the day on which it came into the library."""
        today = run.now.date().isoformat()
        try:
            day = min(dates.day(found.added), today) if found.added else today
        except dates.DateError:
            day = today
        # A library tells no order; a place that depended on the run would differ after a crash.
        return Listing(SOURCE, day, UNKNOWN_PLACE, f"{SOURCE}:{self._path}")


def _state(cursor: dict[str, Any], path: str) -> dict[str, Any]:
    """``cursor`` where it is one of this library, else the beginning."""
    version, after = cursor.get("version"), cursor.get("after")
    if cursor.get("library") != path or not isinstance(version, int):
        return {"library": path, "version": 0}
    whole = (
        isinstance(after, list)
        and len(after) == 2
        and isinstance(after[0], int)
        and isinstance(after[1], str)
    )
    return {"library": path, "version": version, **({"after": after} if whole else {})}


def sources(settings: Any) -> list[Source]:
    """The library of the settings, if there is one.

    Raises:
        ValueError: if it is not written as Zotero writes libraries.
    """
    path = settings.zotero_library.strip().strip("/")
    if not path:
        return []
    if not _LIBRARY.fullmatch(path):
        raise ValueError(
            f"BROADSHEET_ZOTERO_LIBRARY is {path[:60]!r}; write users/NUMBER or groups/NUMBER, with "
            "the number from zotero.org/settings/keys or from the address of the group"
        )
    return [Zotero(path, settings.zotero_url, key=settings.zotero_key)]
