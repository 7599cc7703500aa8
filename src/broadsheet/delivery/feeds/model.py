"""A feed as plain data, before it is written as Atom, RSS or JSON; and a paper as an item of it."""

from __future__ import annotations

import html
import re
import uuid
from dataclasses import dataclass, field
from urllib.parse import quote

from ...model.papers import Paper
from ..links import KIND_NAMES, all_links, paper_url

# Some papers have thousands of authors; a feed names these, and its text says how many more there are.
MOST_AUTHORS = 50
_NAMED = 12
# Before anything was written a feed must have a date, too.
NEVER = "1970-01-01T00:00:00Z"

# What XML cannot carry.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class Item:
    """One paper in a feed.

    ``id`` is the same for all versions of a paper, on every site and in every feed. ``title`` and
    ``summary`` are plain text, ``content`` is HTML; TeX in them is source. ``published`` and ``updated``
    are timestamps (``YYYY-MM-DDTHH:MM:SSZ``). ``url`` is the page here, ``original`` where the paper was
    published. ``place``, ``score`` and ``reasons`` are those of its edition, where it has one.
    """

    id: str
    url: str
    title: str
    authors: list[str]
    published: str
    updated: str
    summary: str
    content: str
    categories: list[str] = field(default_factory=list)
    original: str = ""
    place: int | None = None
    score: float | None = None
    reasons: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Feed:
    """A feed: ``url`` is its own address, ``page`` the page of the same, ``hub`` its WebSub hub, if any."""

    title: str
    subtitle: str
    url: str
    page: str
    items: list[Item]
    site_name: str
    version: str
    icon: str = ""
    hub: str = ""
    # The last day on which one of its papers was listed, which may be later than all of their dates.
    listed: str = ""

    @property
    def updated(self) -> str:
        """When the newest of its papers was written, or put into a list."""
        dates = [item.updated for item in self.items] + [moment(self.listed)] * bool(self.listed)
        return max(dates, default=NEVER)


def item_of(paper: Paper, base: str) -> Item:
    """``paper`` as an item of a feed of the site at ``base``."""
    published = paper.published or moment(paper.first_listed)
    dates = [published, paper.updated or "", moment(paper.withdrawn) if paper.withdrawn else ""]
    links = [link for link in all_links(paper) if link.kind in ("abstract", "doi")]
    return Item(
        id=permanent_id(paper),
        url=base + paper_url(paper.id),
        title=_line(paper.title),
        authors=[_line(author.name) for author in paper.authors[:MOST_AUTHORS]],
        published=published,
        updated=max(dates),
        # The abstract stands in the content; twice it would double the feed.
        summary=_line(paper.ai_summary or ""),
        content=written(_content(paper)),
        categories=[_line(name) for name in dict.fromkeys(paper.categories + paper.ai_keywords)],
        original=_address(links[0].url) if links else "",
    )


def permanent_id(paper: Paper) -> str:
    """The name of ``paper`` that no new version, title or address of the site changes."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"broadsheet:paper:{paper.id}").urn


def moment(text: str | None) -> str:
    """A day or a timestamp as a timestamp; `NEVER` where there is none."""
    if not text:
        return NEVER
    return text if len(text) > 10 else f"{text}T00:00:00Z"


def written(text: str) -> str:
    """``text`` without the characters that XML cannot carry."""
    return _UNWRITABLE.sub("\ufffd", text)


def _line(text: str) -> str:
    return " ".join(written(text).split())


def _address(url: str) -> str:
    """``url`` in ASCII, as feeds write addresses."""
    return quote(url, safe="%:/?#[]@!$&'()*+,;=~")


def _content(paper: Paper) -> str:
    """What a feed reader shows: authors, summary, abstract, links. Everything in it is escaped."""
    parts = []
    if paper.withdrawn:
        parts.append(f"<p><strong>Withdrawn on {html.escape(paper.withdrawn[:10])}.</strong></p>")
    if names := [author.name for author in paper.authors]:
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        parts.append(f"<p>{html.escape(', '.join(names[:_NAMED]))}{more}</p>")
    if paper.ai_summary:
        parts.append(f"<p><em>{html.escape(paper.ai_summary)}</em></p>")
    parts += [f"<p>{html.escape(part)}</p>" for part in paper.abstract.split("\n\n") if part.strip()]
    if paper.comment:
        parts.append(f"<p><small>{html.escape(paper.comment)}</small></p>")
    seen: dict[str, str] = {}
    for link in all_links(paper):
        if link.kind in ("abstract", "pdf", "doi", "code", "project"):
            seen.setdefault(link.kind, link.url)
    if seen:
        links = (
            f'<a href="{html.escape(_address(url))}">{KIND_NAMES[kind][0]}</a>' for kind, url in seen.items()
        )
        parts.append(f"<p>{' · '.join(links)}</p>")
    return "\n".join(parts)
