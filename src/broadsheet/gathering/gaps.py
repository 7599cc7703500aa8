"""Announced papers that are not stored, fetched by their ids, each with longer and longer pauses."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ..model.identifiers import find_identifier
from ..model.papers import Rejection, Wanted
from ..sources.abstracts import fetch_papers
from ..sources.arxiv import API_URL, ARXIV
from ..sources.http import Client, Service
from ..store import Store
from .leases import held

# The cursor under this name holds which ids were asked for, how often and when: {id: [times, moment]}.
NAME = "missing papers"
# An id that was announced and is not known yet may be so tomorrow; after so many tries it never will.
FIRST_PAUSE = timedelta(hours=3)
LONGEST_PAUSE = timedelta(days=3)
MAX_TRIES = 8
# Ten requests of a hundred: more is the work of the source, not of filling gaps.
MAX_AT_ONCE = 1000


@dataclass(slots=True)
class Filled:
    """How many papers were ``missing``, how many of them ``asked`` for now and ``found``."""

    missing: int = 0
    asked: int = 0
    found: int = 0
    problem: str = ""


def fill_gaps(
    store: Store,
    client: Client,
    source: str,
    stop: threading.Event | None = None,
    *,
    url: str = API_URL,
    service: Service = ARXIV,
    now: datetime | None = None,
) -> Filled:
    """Fetches what ``source`` announced and is not stored, as far as it has arXiv ids.

    One worker at a time does it; what was asked for is remembered with what was found.
    """
    now = now or datetime.now(UTC)
    filled = Filled()
    keys = {key for _, _, missing in store.missing(source) for key in missing if key.startswith("arxiv:")}
    filled.missing = len(keys)
    if not keys:
        return filled
    with held(store, NAME, 0.0, stop) as lease:
        if lease is None:
            filled.problem = "another worker is at it"
            return filled
        asked = _asked(store.gather_state(NAME).cursor)
        due = sorted(key for key in keys if _due(asked.get(key), now))[:MAX_AT_ONCE]
        wanted = [
            Wanted(identifier, f"{source} announced it")
            for key in due
            if (identifier := find_identifier(key)) is not None
        ]
        items = list(fetch_papers(wanted, client, stop=stop, url=url, service=service))
        if (stop and stop.is_set()) or not wanted:
            return filled
        filled.asked = len(wanted)
        for key in due:
            times = asked[key][0] + 1 if key in asked else 1
            asked[key] = [times, now.isoformat(timespec="seconds")]
        oldest = (now - 2 * MAX_TRIES * LONGEST_PAUSE).isoformat(timespec="seconds")
        asked = {key: told for key, told in asked.items() if told[1] >= oldest}
        report = store.add_page(NAME, items, {"asked": asked}, [])
        filled.found = report.new
        if not filled.found:
            filled.problem = next((item.why for item in items if isinstance(item, Rejection)), "")
    return filled


def _asked(cursor: dict[str, Any]) -> dict[str, list[Any]]:
    """What the cursor tells; nothing where it is damaged: asking once more does no harm."""
    told = cursor.get("asked")
    if not isinstance(told, dict):
        return {}
    return {key: value for key, value in told.items() if isinstance(value, list) and len(value) == 2}


def _due(told: list[Any] | None, now: datetime) -> bool:
    if told is None:
        return True
    times, moment = told
    if times >= MAX_TRIES:
        return False
    try:
        last = datetime.fromisoformat(moment)
    except (TypeError, ValueError):
        return True
    # After a clock was set back the pause is counted from now.
    return now - min(last, now) >= min(FIRST_PAUSE * 2 ** (times - 1), LONGEST_PAUSE) or last > now
