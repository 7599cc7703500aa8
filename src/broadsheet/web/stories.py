"""A paper as an edition shows it: texts cut to size and rendered, counts and links in words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from markupsafe import Markup

from ..delivery import tex
from ..delivery.links import paper_url
from ..model.editions import Entry
from ..model.papers import Listing, Paper

# How many characters of text each size of story shows, and how many authors.
_TEXT = {"lead": 1_250, "second": 300, "third": 230, "brief": 0, "result": 330}
_AUTHORS = {"lead": 5, "second": 3, "third": 2, "brief": 2, "result": 4}

_LISTS = {
    "daily_papers": "Daily Papers",
    "saved_page": "Saved page",
    "starter": "Starter edition",
    "added": "Added",
    "arxiv": "arXiv",
    "biorxiv": "bioRxiv",
    "medrxiv": "medRxiv",
    "pubmed": "PubMed",
    "zotero": "Zotero",
}


@dataclass(slots=True)
class Fact:
    """One item of the line under a story: ``text``, linked where ``url`` is given."""

    text: str
    url: str = ""
    hint: str = ""


@dataclass(slots=True)
class Story:
    """One paper on a page, at the size at which it is set."""

    size: str
    id: str
    url: str
    title: Markup
    byline: str
    standfirst: Markup = field(default_factory=Markup)
    text: Markup = field(default_factory=Markup)
    kickers: list[str] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    reason: str = ""


def story(entry: Entry, size: str, days: bool = False, lists: bool = False, reasons: bool = False) -> Story:
    """``entry`` set at ``size`` (see `_TEXT`), saying on which day and in which list it stood, if wanted."""
    paper = entry.paper
    told = Story(size, paper.id, paper_url(paper.id), tex.html_of(paper.title), byline(paper, _AUTHORS[size]))
    if size == "lead":
        told.standfirst = tex.html_of(paper.ai_summary or "")
        told.text = opening(paper.abstract, _TEXT[size])
    elif _TEXT[size]:
        told.text = opening(paper.ai_summary or paper.abstract, _TEXT[size])
    if size in ("lead", "second"):
        told.kickers = kickers(paper)
    told.facts = facts(paper)
    if entry.listing and (days or lists):
        told.facts.append(_stood(entry.listing, days, lists))
    if reasons:
        told.reason = " ".join(entry.reasons)
    return told


def byline(paper: Paper, shown: int) -> str:
    """The first authors, and how many more there are."""
    names = [author.name for author in paper.authors[: shown + 1]]
    if len(paper.authors) > shown + 1:
        return f"{', '.join(names[:shown])} and {len(paper.authors) - shown} more"
    return joined(names)


def joined(names: list[str]) -> str:
    """``names`` as a person lists them: ``Ada, Grace and Emmy``."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def kickers(paper: Paper, most: int = 2) -> list[str]:
    """What the paper is about, in a few words: its keywords, or its categories."""
    words = [keyword for keyword in paper.ai_keywords if len(keyword) <= 40] or paper.categories
    while most > 1 and sum(map(len, words[:most])) > 40:
        most -= 1
    return words[:most]


def facts(paper: Paper) -> list[Fact]:
    """Votes, comments and code, where known."""
    found = []
    if paper.upvotes is not None:
        found.append(Fact(counted(paper.upvotes, "upvote")))
    if paper.num_comments:
        found.append(Fact(counted(paper.num_comments, "comment")))
    if code := paper.link("code"):
        stars = f", {stars_of(paper.github_stars)}" if paper.github_stars else ""
        found.append(Fact(f"Code{stars}", code.url, re.sub(r"^https?://(www\.)?", "", code.url)))
    elif project := paper.link("project"):
        found.append(Fact("Project page", project.url))
    return found


def _stood(listing: Listing, days: bool, lists: bool) -> Fact:
    day = short_day(listing.day).rsplit(" ", 1)[0] if days else ""
    return Fact(
        ", ".join(filter(None, (day, list_title(listing.list) if lists else ""))),
        f"/papers/date/{listing.day}",
    )


def list_title(name: str) -> str:
    """The name of a list as people write it."""
    source, _, part = name.partition(":")
    if source not in _LISTS:
        return name.replace("_", " ")
    return f"{_LISTS[source]} {part}" if part else _LISTS[source]


def counted(number: int, noun: str) -> str:
    """``1 comment``, ``1,204 comments``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def short_number(number: int) -> str:
    """``980``, ``12.3k``, ``1.2M``."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.1f}".removesuffix(".0") + unit
    return str(number)


def stars_of(number: int) -> str:
    """``1 star``, ``12.3k stars``."""
    return f"{short_number(number)} star{'' if number == 1 else 's'}"


def short_day(text: str) -> str:
    """``2026-05-29`` (or a timestamp) as ``29 May 2026``."""
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return text
    return f"{day.day} {day:%B %Y}"


_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”)]*\s+(?=[A-Z\"“(\\$])")


@lru_cache(4_096)
def opening(text: str, length: int) -> Markup:
    """The first sentences of ``text``, about ``length`` characters, as HTML; never cut in a formula."""
    return tex.html_of(cut(text.split("\n\n")[0] if length < 600 else text.replace("\n\n", " "), length))


def cut(text: str, length: int) -> str:
    """The first sentences of ``text``, about ``length`` characters; formulas stay whole."""
    if len(text) <= length * 1.15:
        return text
    pieces, taken = [], 0
    for is_math, part in tex.parts(text):
        if is_math:
            pieces.append(f"${part}$")
            taken += len(part) // 3
        elif taken + len(part) < length:
            pieces.append(part)
            taken += len(part)
        else:
            pieces.append(_cut_prose(part, max(length - taken, 0)))
            break
        if taken >= length:
            pieces.append(" …")
            break
    return "".join(pieces)


def _cut_prose(text: str, length: int) -> str:
    """``text`` up to the last sentence end before ``length``; failing that, up to the last word."""
    limit = text[: length + 1]
    ends = [match.end() for match in _SENTENCE_END.finditer(limit)]
    if ends and ends[-1] > length * 0.6:
        return limit[: ends[-1]].rstrip()
    return limit.rsplit(" ", 1)[0].rstrip(" ,;:-–(") + " …"


# How many stories of each size a front page has after its lead; the rest stand in brief. A lead with
# little text has more under it, so that both columns end at about the same height.
_SECONDS, _UNDERS, _UNDERS_OF_SHORT_LEAD, _THIRDS = 4, 2, 4, 8
_SHORT_LEAD = 700


def set_front(entries: Iterable[Entry], first_page: bool, **how: bool) -> dict[str, list[Story]]:
    """``entries`` laid out as on a front page: one lead, seconds beside it, two under it, thirds, briefs.

    Later pages have no lead. ``how`` is passed on to `story`.
    """
    rest = list(entries)

    def take(number: int, size: str) -> list[Story]:
        taken, rest[:] = rest[:number], rest[number:]
        return [story(entry, size, **how) for entry in taken]

    front = first_page and bool(rest)
    unders = _UNDERS_OF_SHORT_LEAD if front and len(rest[0].paper.abstract) < _SHORT_LEAD else _UNDERS
    return {
        "lead": take(1 if front else 0, "lead"),
        "second": take(_SECONDS if front else 0, "second"),
        "under": take(unders if front and len(rest) >= unders else 0, "second"),
        "third": take(_THIRDS, "third"),
        "brief": take(len(rest), "brief"),
    }
