"""Feeds as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

from typing import Any

import orjson

from .model import Feed, Item

MEDIA_TYPE = "application/feed+json"


def json_feed(feed: Feed) -> bytes:
    """``feed`` as a JSON Feed; what belongs to an edition stands under ``_broadsheet``."""
    told: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.page,
        "feed_url": feed.url,
        "description": feed.subtitle,
        "icon": feed.icon,
        "language": "en",
        "authors": [{"name": feed.site_name}],
    }
    if feed.hub:
        told["hubs"] = [{"type": "WebSub", "url": feed.hub}]
    told = {name: value for name, value in told.items() if value}
    return orjson.dumps({**told, "items": [_item(item) for item in feed.items]})


def _item(item: Item) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": item.id,
        "url": item.url,
        "external_url": item.original,
        "title": item.title,
        "content_html": item.content,
        "summary": item.summary,
        "date_published": item.published,
        "date_modified": item.updated,
        "authors": [{"name": name} for name in item.authors],
        "tags": item.categories,
    }
    told = {name: value for name, value in told.items() if value}
    # A feed reader needs one of them even where the paper has neither.
    told.setdefault("content_html", "")
    if item.place is not None:
        told["_broadsheet"] = {"place": item.place, "score": item.score, "reasons": item.reasons}
    return told
