"""A CSL-JSON item into the model.

Source: the CSL 1.0.2 data schema; the answers of DOI content negotiation have further keys, an
abstract in JATS and sometimes lists where the schema has a text.
"""

from __future__ import annotations

import html
import re
from typing import Any

from ...model.identifiers import arxiv_identifier
from ...model.links import add_printed_links
from ...model.papers import Author, Record, Rejection
from ..batch import Batch
from ..references import add_identifiers, arxiv_in, rough_date

SOURCE = "csl"
# Keys that only CSL-JSON has; one of them besides "type" and "title" is enough.
_SIGNS = (
    "author",
    "issued",
    "container-title",
    "citation-key",
    "title-short",
    "DOI",
    "URL",
    "accessed",
    "publisher",
    "page",
)
# Markup that titles and abstracts may hold: that of CSL itself, HTML and JATS.
_MARKUP = re.compile(
    r"</?(?:jats:)?(?:p|i|b|em|strong|italic|bold|sub|sup|sc|span|title|sec|br|list|list-item|inline-formula|tex-math|"
    r"mml:\w+|alternatives|ext-link|xref|underline|monospace|nc)\b[^<>]{0,500}>",
    re.IGNORECASE,
)
_PARAGRAPH = re.compile(r"</(?:jats:)?(?:p|title|sec)>", re.IGNORECASE)


def is_item(value: dict[str, Any]) -> bool:
    """Whether ``value`` is an item of CSL-JSON."""
    return (
        isinstance(value.get("type"), str)
        and "authors" not in value
        and any(sign in value for sign in _SIGNS)
    )


def items_of(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The items of an object that is no item but holds some, by their ids or under ``items``."""
    items = value.get("items") if isinstance(value.get("items"), list) else list(value.values())
    return items if items and all(isinstance(item, dict) and is_item(item) for item in items) else None


def record(item: dict[str, Any], where: str, batch: Batch) -> Record | Rejection:
    """The record that ``item`` tells, or why it tells none."""
    key = item.get("citation-key") or item.get("id")
    where = f"{where} ({str(key)[:60]})" if key else where
    title = _plain(_text(item.get("title")))
    if not title:
        return Rejection(where, "the item has no title; add one")
    abstract = _plain(_PARAGRAPH.sub("\n\n", _text(item.get("abstract")) or "")) or None
    venue = _plain(
        _text(item.get("container-title")) or _text(item.get("event-title")) or _text(item.get("publisher"))
    )
    number = _text(item.get("number"))
    result = Record(
        title=title,
        source=SOURCE,
        where=where,
        abstract=abstract,
        authors=[Author(name) for name in _names(item.get("author")) or _names(item.get("editor"))],
        published=_date(item.get("issued")) or _date(item.get("published")) or _date(item.get("submitted")),
        venue=venue if venue and not re.match(r"(?i)arxiv(?:$|[:. ])", venue) else None,
        ai_keywords=[
            word.strip() for word in re.split(r"[,;]", _text(item.get("keyword")) or "") if word.strip()
        ],
    )
    archive = (_text(item.get("archive")) or "").lower()
    add_identifiers(
        result,
        dois=[text] if (text := _text(item.get("DOI"))) else [],
        urls=[text] if (text := _text(item.get("URL"))) else [],
        others=[
            arxiv_in(number),
            arxiv_in(_text(item.get("note"))),
            arxiv_in(_text(item.get("container-title"))),
            arxiv_identifier(_text(item.get("archive_location")) or "") if archive == "arxiv" else None,
        ],
    )
    add_printed_links(result.links, abstract, SOURCE)
    result.listings = [batch.added()]
    return result


def _text(value: Any) -> str | None:
    """``value`` as a text: the first of a list, numbers too."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def _plain(text: str | None) -> str:
    """``text`` without the markup of CSL, HTML and JATS; other angle brackets stay."""
    return html.unescape(_MARKUP.sub("", text)).strip() if text else ""


def _names(values: Any) -> list[str]:
    names = []
    for value in values if isinstance(values, list) else []:
        if isinstance(value, str):
            names.append(value)
        elif isinstance(value, dict):
            literal = _text(value.get("literal")) or _text(value.get("name"))
            keys = ("given", "dropping-particle", "non-dropping-particle", "family", "suffix")
            names.append(literal or " ".join(part for key in keys if (part := _text(value.get(key)))))
    return [plain for name in names if (plain := _plain(name))]


def _date(value: Any) -> str | None:
    """A CSL date: ``date-parts``, or the text in ``raw`` or ``literal``."""
    if isinstance(value, str):
        return rough_date(value)
    if not isinstance(value, dict):
        return None
    parts = value.get("date-parts")
    if (
        isinstance(parts, list)
        and parts
        and isinstance(parts[0], list)
        and parts[0]
        and parts[0][0] is not None
    ):
        texts = [str(part) for part in parts[0]]
        return rough_date("-".join([texts[0].zfill(4), *(text.zfill(2) for text in texts[1:3])]))
    return rough_date(_text(value.get("raw")) or _text(value.get("literal")) or _text(value.get("date-time")))
