"""The about page: what is stored, what the search knows of it, how papers are ordered."""

from __future__ import annotations

import threading
import time
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ...ranking import trending
from ...store import Store
from ..render import page, workspace_of
from .routing import reading

router = APIRouter()

# Counting a hundred thousand papers takes a while; the page may be that much behind.
_COUNTED_EVERY_S = 30.0


class _Counts:
    """The counts of a store and its lists, counted anew only now and then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: dict[str, Any] = {}
        self._of: tuple[int, int] | None = None
        self._at = 0.0

    def of(self, store: Store) -> dict[str, Any]:
        with self._lock:
            state = (id(store), store.last_change())
            if state != self._of and (not self._of or time.monotonic() - self._at > _COUNTED_EVERY_S):
                self._counted = {"counts": store.counts(), "lists": _lists(store)}
                self._of, self._at = state, time.monotonic()
            return self._counted


_counts = _Counts()


def _lists(store: Store) -> list[dict[str, Any]]:
    """Of every list: its name, first and last day, days and listings; the longest first."""
    found: dict[str, dict[str, Any]] = {}
    for day, name, papers in store.days():
        known = found.setdefault(name, {"name": name, "first": day, "days": 0, "listings": 0})
        known["last"] = day
        known["days"] += 1
        known["listings"] += papers
    return sorted(found.values(), key=lambda one: -one["listings"])


@reading(router, "/about")
def about(request: Request) -> Response:
    workspace = workspace_of(request)
    return page(
        request,
        "about.html",
        f"About {workspace.settings.site_name}",
        path="/about",
        description="What this paper covers, how its papers are ordered, and the state of its search.",
        section="about",
        index=workspace.engine.state(),
        trend=trending,
        **_counts.of(workspace.store),
    )
