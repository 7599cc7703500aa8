"""A Daily Papers page saved as HTML: the JSON that the server put into its `data-props`."""

from __future__ import annotations

from typing import Any

import lxml.html
import orjson
from lxml import etree

from ..content import Unreadable


def parse(text: str) -> list[dict[str, Any]]:
    """The papers of a page in the form of the API: one of a paper's page, all of a day's page.

    A paper of a paper's page has ``numComments`` besides, counted on the page.

    Raises:
        Unreadable: if ``text`` is no page of Daily Papers.
    """
    try:
        parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=True)
        document = lxml.html.fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable(f"the HTML cannot be read ({error}); save the page again") from error
    damaged = False
    for element in document.iter(etree.Element):
        value = element.get("data-props")
        if not value or ('"dailyPapers"' not in value and '"paper"' not in value):
            continue
        try:
            props = orjson.loads(value)
        except orjson.JSONDecodeError:
            damaged = True
            continue
        if isinstance(props, dict) and isinstance(props.get("dailyPapers"), list):
            return [item for item in props["dailyPapers"] if isinstance(item, dict)]
        paper = props.get("paper") if isinstance(props, dict) else None
        if isinstance(paper, dict) and "id" in paper and "title" in paper:
            comments = props.get("comments")
            if isinstance(comments, list):
                count = sum(
                    1 for c in comments if isinstance(c, dict) and c.get("type", "comment") == "comment"
                )
                paper = {"numComments": count, **paper}
            return [paper]
    if damaged:
        raise Unreadable(
            "the Daily Papers page is damaged or cut off: its data cannot be read; save the page again"
        )
    raise Unreadable(
        "this HTML is no Daily Papers page (it has no data-props with papers); save huggingface.co/papers, "
        "a page of a date, week or month, or the page of a paper"
    )
