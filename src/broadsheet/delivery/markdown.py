"""A paper as Markdown: what a person or a program reads who wants no page around it."""

from __future__ import annotations

import re

from ..model.papers import Paper
from .citations import bibtex
from .links import KIND_NAMES, SCHEME_NAMES, all_links


def paper_markdown(paper: Paper, base_url: str = "") -> str:
    """``paper`` as Markdown: title, authors, dates, ids, links, abstract, listings, BibTeX.

    ``base_url`` is the address of the site; where it is given, the paper's page stands among the
    links. TeX stays TeX, and nothing in the texts can become a heading, HTML or a link.
    """
    lines = [f"# {_text(paper.title)}", ""]
    if paper.authors:
        lines += ["**Authors:** " + ", ".join(_text(author.name) for author in paper.authors), ""]
    facts = [("Published", (paper.published or "")[:10]), ("Updated", (paper.updated or "")[:10])]
    facts += [("Venue", paper.venue or ""), ("Comment", paper.comment or "")]
    facts += [("Categories", ", ".join(paper.categories)), ("Keywords", ", ".join(paper.ai_keywords))]
    facts += [(SCHEME_NAMES[i.scheme], i.value) for i in paper.identifiers if i.scheme in SCHEME_NAMES]
    facts += [("Upvotes", str(paper.upvotes) if paper.upvotes is not None else "")]
    facts += [("Withdrawn", (paper.withdrawn or "")[:10])]
    lines += [f"- {name}: {_text(value)}" for name, value in facts if value]
    links = [("This page", f"{base_url}/papers/{paper.id}")] if base_url else []
    links += [(KIND_NAMES[link.kind][0], link.url) for link in all_links(paper)]
    lines += [f"- {name}: <{url}>" for name, url in links]
    if paper.ai_summary:
        lines += ["", "## Summary", "", _text(paper.ai_summary)]
    if paper.abstract:
        lines += ["", "## Abstract", "", _text(paper.abstract)]
    if paper.listings:
        lines += ["", "## Listed", ""]
        places = dict.fromkeys((one.day, one.list, one.rank) for one in paper.listings)
        lines += [f"- {day}: {_text(name)}, place {rank}" for day, name, rank in places]
    lines += ["", "## BibTeX", "", _fenced(bibtex(paper))]
    return "\n".join(lines) + "\n"


_HTML = re.compile(r"<(?=[A-Za-z/!?])")
_BLOCK = re.compile(r"^(\s*)([#>+-]|\d+[.)])(?=\s)", re.MULTILINE)


def _text(text: str) -> str:
    """``text`` so that Markdown shows it as text: no elements, headings, quotes, lists or images."""
    text = _HTML.sub("&lt;", text)
    text = _BLOCK.sub(
        lambda m: f"{m[1]}\\{m[2]}" if len(m[2]) == 1 else f"{m[1]}{m[2][:-1]}\\{m[2][-1]}", text
    )
    return text.replace("](", "]\\(")


def _fenced(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}bibtex\n{text}{fence}"
