"""An edition as a chat message: Markdown with one line a paper, cut to what a service takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from urllib.parse import quote

from ...model.editions import ComposedEntry
from ...model.papers import Paper
from ..channels import Outgoing
from ..tex import plain_of

# A room is no inbox: the first papers, and a link to all.
SHOWN = 10
_AUTHORS = 2
# Of a title, a search or a name so many characters; the page has the rest.
_MOST_TITLE, _MOST_NAME = 250, 60

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~<>])")


def escaped(text: str) -> str:
    """``text`` so that Markdown shows it as text, and nobody is called by it."""
    return _unaddressed(_SPECIAL.sub(r"\\\1", text))


def bare(text: str) -> str:
    """``text`` without what Markdown acts on, for services that do not know its escapes."""
    return _unaddressed(
        _SPECIAL.sub(lambda sign: {"[": "(", "]": ")", "(": "(", ")": ")"}.get(sign[1], " "), text)
    )


def _unaddressed(text: str) -> str:
    """``text`` with a space of no width behind each @: a title calls nobody (``@everyone``)."""
    return " ".join(text.split()).replace("@", "@\u200b")


def markdown(item: Outgoing, site_name: str, most: int, told: Callable[[str], str] = escaped) -> str:
    """The message of ``item``, of at most ``most`` characters; ``told`` makes text of titles and names."""
    edition, site = item.edition, item.links.site
    last = date.fromisoformat(edition.last)
    heading = told(_cut(edition.audience.title, _MOST_TITLE))
    lines = [f"**{told(_cut(site_name, _MOST_NAME))}**: {heading}, {last.day} {last:%B %Y}"]
    if edition.incomplete:
        lines += ["", told(_cut(edition.incomplete, _MOST_TITLE))]
    # What follows an empty line is a list to those who make HTML of it.
    lines.append("")
    room = most - sum(len(line) + 1 for line in lines) - 80
    shown = 0
    for entry, paper in list(zip(edition.entries, item.papers, strict=True))[:SHOWN]:
        line = _line(entry, paper, site, told)
        if len(line) + 1 > room:
            break
        lines.append(line)
        room -= len(line) + 1
        shown += 1
    if more := len(item.papers) - shown:
        lines += ["", f"[and {more} more]({site}/)" if site else f"and {more} more"]
    return "\n".join(lines)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _line(entry: ComposedEntry, paper: Paper, site: str, told: Callable[[str], str]) -> str:
    names = [author.name for author in paper.authors]
    by = ", ".join(told(_cut(name, _MOST_NAME)) for name in names[:_AUTHORS]) + (
        " et al." if len(names) > _AUTHORS else ""
    )
    title = told(_cut(plain_of(paper.title), _MOST_TITLE))
    if site:
        title = f"[{title}]({site}/papers/{quote(paper.id, safe='/:;@')})"
    version = f" (version {entry.version})" if entry.news == "version" and entry.version else ""
    return f"{entry.place}. {title}{version}" + (f" – {by}" if by else "")
