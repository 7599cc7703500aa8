"""The feeds that a home is subscribed to, beside those of its settings: ``HOME/feeds.opml``.

It is an OPML file as every feed reader reads and writes it, so that it may also be put there, edited by
hand, or taken elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import filelock
from lxml import etree

from .parse import OpmlError, Subscription, parse

log = logging.getLogger(__name__)
NAME = "feeds.opml"


def subscriptions(home: Path) -> list[Subscription]:
    """The feeds of ``home``, none where there is no file; a damaged one is logged, and left as it is."""
    path = home / NAME
    try:
        return parse(path.read_bytes(), str(path))
    except FileNotFoundError:
        return []
    except (OSError, OpmlError) as error:
        log.warning("%s is not read: %s; correct or remove it", path, error)
        return []


def subscribe(home: Path, feeds: Iterable[Subscription]) -> tuple[int, int]:
    """Adds ``feeds`` to those of ``home``; tells how many are new and how many were there before.

    Raises:
        OpmlError: if the file that is there is none of feeds: it is not overwritten.
        OSError: if it cannot be written.
    """
    path = home / NAME
    home.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(home / f".{NAME}.lock"):
        known = {feed.url: feed for feed in parse(path.read_bytes(), str(path))} if path.exists() else {}
        wanted = {feed.url: feed for feed in feeds}
        news = [feed for url, feed in wanted.items() if url not in known]
        if news:
            draft = path.with_suffix(".new")
            draft.write_bytes(_opml([*known.values(), *news]))
            draft.replace(path)
    return len(news), len(wanted) - len(news)


def _opml(feeds: Iterable[Subscription]) -> bytes:
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "Feeds of Broadsheet"
    body = etree.SubElement(root, "body")
    for feed in feeds:
        title = feed.title or feed.url
        etree.SubElement(body, "outline", type="rss", text=title, title=title, xmlUrl=feed.url)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
