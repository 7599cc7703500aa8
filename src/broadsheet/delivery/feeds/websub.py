"""Telling a WebSub hub that feeds have something new, so that readers need not ask again and again.

Off by default. Source: https://www.w3.org/TR/websub/ (publishing: ``hub.mode=publish``, ``hub.url=FEED``).
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

from ...config import Settings
from ...editions import newest, trending
from ...model.editions import Edition
from ...sources.http import Client, Service, ServiceError
from ...store import Store
from . import FORMATS

log = logging.getLogger(__name__)

HUB = Service("WebSub hub", interval=0.2, tries=2, silence=20.0, longest=60.0)
_TAKEN = (200, 202, 204)
_LOOKED_AT = 100


def tell_hub(store: Store, settings: Settings, client: Client) -> list[str]:
    """Tells the hub of the settings which of the feeds of everybody have news; their addresses.

    What it was told is kept in ``HOME/websub.json``: the same news are told once. A hub that does not take
    them is told again the next time.
    """
    if not settings.websub_hub or not settings.base_url:
        return []
    file = settings.home / "websub.json"
    told, now = _told(file), _state(store, settings)
    news = [stem for stem, mark in now.items() if mark and told.get(stem) != mark]
    base, found = settings.base_url.rstrip("/"), []
    for stem in news:
        addresses = [f"{base}/feeds/{stem}.{ending}" for ending in FORMATS]
        try:
            for address in addresses:
                form = {"hub.mode": "publish", "hub.url": address}
                client.post(settings.websub_hub, HUB, form=form, data=False, accept=_TAKEN)
        except ServiceError as error:
            log.warning("the WebSub hub was not told: %s", error)
            break
        found += addresses
        told[stem] = now[stem]
        file.write_text(json.dumps(told), encoding="utf-8")
    return found


def _state(store: Store, settings: Settings) -> dict[str, str]:
    """A mark for what stands in each feed; votes, and the order in trending, are no news."""
    return {
        "latest": _mark(newest(store, settings, limit=_LOOKED_AT)),
        "trending": _mark(trending(store, settings, limit=_LOOKED_AT)),
    }


def _mark(edition: Edition) -> str:
    papers = sorted((entry.paper.id, entry.paper.updated or "") for entry in edition.entries)
    return hashlib.sha256(json.dumps(papers).encode()).hexdigest() if papers else ""


def _told(file: Path) -> dict[str, str]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
