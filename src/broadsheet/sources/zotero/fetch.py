"""Asking Zotero's API for what changed in a library since a version.

Source: zotero.org/support/dev/web_api/v3 ("Syncing": ``since`` with ``format=versions``, then the items by
``itemKey``, 50 at a time; "Rate limiting": Backoff and Retry-After). The program on this machine answers the
same questions under http://127.0.0.1:23119/api.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from ..answers import json_of, unusable
from ..http import Client, Service
from ..values import number, object_in, objects_in, text

URL = "https://api.zotero.org"
ZOTERO = Service("zotero", interval=1.0)
BATCH = 50


class Library:
    """One library: ``path`` is ``users/NUMBER`` or ``groups/NUMBER``, ``key`` an API key or empty."""

    def __init__(
        self,
        path: str,
        client: Client,
        *,
        url: str = URL,
        key: str = "",
        service: Service = ZOTERO,
        stop: threading.Event | None = None,
    ):
        self._address = f"{url.rstrip('/')}/{path}"
        self._client, self._service, self._stop = client, service, stop
        self._headers = {"Zotero-API-Version": "3", **({"Zotero-API-Key": key} if key else {})}

    def versions(self, since: int) -> dict[str, int]:
        """The version of every item (not of attachments and notes) that changed after version ``since``.

        What lies in the bin is not among them.

        Raises:
            ServiceError: if Zotero gives no usable answer.
            Stopped: if the stop event was set while waiting.
        """
        found = self._get("items/top", {"since": str(since), "format": "versions"}, dict)
        return {key: version for key, told in found.items() if (version := number(told)) is not None}

    def items(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        """The items with ``keys`` (at most `BATCH`); raises as `versions` does."""
        params = {"itemKey": ",".join(keys), "format": "json", "limit": str(BATCH)}
        return objects_in(self._get("items", params, list))

    def collections(self) -> dict[str, str]:
        """The names of all collections by their keys; raises as `versions` does."""
        names: dict[str, str] = {}
        for start in range(0, 100_000, 100):
            page = objects_in(self._get("collections", {"start": str(start), "limit": "100"}, list))
            told = {text(part.get("key")): text(object_in(part.get("data")).get("name")) for part in page}
            # A server that repeats its first page ends it, too.
            if not told.keys() - names.keys():
                break
            names |= told
            if len(page) < 100:
                break
        return names

    def _get(self, path: str, params: dict[str, str], kind: type) -> Any:
        answer = self._client.get(
            f"{self._address}/{path}",
            self._service,
            params=params,
            headers=self._headers,
            data=True,
            stop=self._stop,
        )
        found = json_of(answer, self._service)
        if not isinstance(found, kind):
            raise unusable(answer, self._service, "sent something else than was asked for")
        return found
