"""A Daily Papers page saved as plain text: titles and abstracts, told apart by how they read.

Pages come with or without empty lines between the blocks, with more or less of the site's own
lines around and between the papers, with abstracts of several paragraphs. So every line is
weighed (does it read like a title or like an abstract?), and the cheapest reading of the whole
page as papers, each a title and then its abstract, is taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(
    r"(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.? "
    r"(?P<day>\d{1,2})(?:,? (?P<year>\d{4}))?"
)
# What the site prints above its papers; the last of it may be glued to the first title.
_HEADER = re.compile(
    r"new$|Get trending papers in your email inbox(?: once a day)?!?\s*|Subscribe(?=$|[^\sdrs]|[drs][A-Z0-9])"
    r"|Daily Papers(?=$|by)\s*|by\s?AK and the research community\s*"
)
_SIGNS = re.compile(
    r"(?im)^\s*(by ?AK and the research community|Get trending papers in your email inbox.*|Daily Papers)\s*$"
)
# What it prints around them.
_FURNITURE = re.compile(
    r"(?i)new|papers?|daily|weekly|monthly|trending(?: papers)?|daily papers|subscribe|search|submit|"
    r"back|more|submitted by\b.{0,60}|upvotes?\b.{0,20}|[\d.,]+ ?[km]?|[·•\-–—+|.…,\s\d]+|"
    r"\W*\d+ (?:authors?|comments?|upvotes?|stars?)|\W*(?:previous|next)\W*|(?:«|‹|›|»|←|→).{0,30}|"
    r"hugging ?face|models|datasets|spaces|buckets|docs|enterprise|pricing|log ?in|sign ?up|join|community|"
    r"company|tos|terms(?: of service)?|privacy(?: policy)?|about|careers|website|system theme|©.{0,40}|"
    r"view (?:arxiv page|pdf|all)|add to collection|arxiv|github\W*[\d.k]*|project page|"
    r"#\d+ paper of the day|get trending papers in your email inbox.{0,20}|by ?ak and the research community"
)
_SENTENCE_END = re.compile(r"(?<!\.\.)[.!?][\"'”’)\]]*$|https?://\S+$")
_SENTENCE_BREAK = re.compile(r"[a-z0-9)%\]][.!?][\"'”’)]*\s+[A-Z]")
_PROSE = re.compile(
    r"\b(?:we|our|this paper|this work|propose[sd]?|demonstrates?|introduces?|results)\b", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]{4,}")

# What it costs to read a line as the second paragraph of an abstract, or a title without one.
_SECOND_PARAGRAPH = 2.0
_NO_ABSTRACT = 4.0
_TITLE, _ABSTRACT = 0, 1

# A text without the site's own lines is taken for a page only when it can hardly be anything else:
# so many papers, abstracts as long as abstracts are, most of which say "we" or "this paper".
_SURE_PAPERS = 3
_SURE_ABSTRACT = 500
_SURE_PROSE = 0.8
_TITLE_BEGINS = re.compile(r"[\w\"'“‘(\[$\\]")


@dataclass(slots=True)
class Listed:
    """One paper of a page: ``line`` is where its title stands, from 1."""

    title: str
    abstract: str
    line: int


@dataclass(slots=True)
class SavedPage:
    """A page: its papers in order, the (month, day, year or None) in its header, lines left over."""

    papers: list[Listed] = field(default_factory=list)
    date: tuple[int, int, int | None] | None = None
    left_over: list[tuple[int, str]] = field(default_factory=list)
    has_header: bool = False
    is_wrapped: bool = False

    @property
    def is_page(self) -> bool:
        """Whether this is surely a Daily Papers page and no other text."""
        if self.has_header:
            return True
        lengths = sorted(len(paper.abstract) for paper in self.papers)
        titles = [p for p in self.papers if _TITLE_BEGINS.match(p.title) and p.title[-1] not in ".:;,{"]
        prose = sum(bool(_PROSE.search(paper.abstract)) for paper in self.papers)
        return (
            len(lengths) >= _SURE_PAPERS
            and not self.is_wrapped
            and len(self.left_over) * 10 <= len(lengths)
            and lengths[len(lengths) // 2] >= _SURE_ABSTRACT
            and prose >= _SURE_PROSE * len(lengths)
            and len(titles) >= 0.9 * len(lengths)
        )


def parse(text: str) -> SavedPage:
    """The page that ``text`` is. Its ``is_page`` says whether it is one."""
    page = SavedPage(has_header=bool(_SIGNS.search(text[:3000])))
    lines = _lines(text, page)
    kinds = _cheapest_reading([_prose_weight(line) for _, line in lines])
    for (number, line), kind in zip(lines, kinds, strict=True):
        if kind == _TITLE:
            page.papers.append(Listed(line, "", number))
        elif page.papers:
            paper = page.papers[-1]
            paper.abstract = f"{paper.abstract}\n\n{line}" if paper.abstract else line
        else:
            page.left_over.append((number, line))
    page.left_over += [(paper.line, paper.title) for paper in page.papers if not paper.abstract]
    page.left_over.sort()
    page.papers = [paper for paper in page.papers if paper.abstract]
    return page


def day_of(page: SavedPage, today: str) -> str | None:
    """The day in the page's header, in the latest year in which it does not lie after ``today``."""
    if not page.date:
        return None
    month, day, year = page.date
    years = [year] if year else range(int(today[:4]), int(today[:4]) - 9, -1)
    for candidate in years:
        try:
            found = date(candidate, month, day).isoformat()
        except ValueError:
            # The 29th of February of another year, or no day at all.
            continue
        if year or found <= today:
            return found
    return None


def _lines(text: str, page: SavedPage) -> list[tuple[int, str]]:
    """The numbered lines of ``text`` that belong to papers; the header's date goes to ``page``."""
    raw = [" ".join(line.split()) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    if max((len(line) for line in raw), default=0) <= 200 and "" in raw:
        # Wrapped at a fixed width: what stands between empty lines is one line.
        raw, page.is_wrapped = _unwrapped(raw), True
    kept = []
    for number, line in enumerate(raw, start=1):
        if not kept and page.has_header:
            while header := _HEADER.match(line):
                if not header.end():
                    break
                line = line[header.end() :]
        if not line:
            continue
        if found := _DATE.fullmatch(line):
            if not page.date and not kept:
                page.date = (
                    _MONTHS.index(found["month"].lower()) + 1,
                    int(found["day"]),
                    int(found["year"] or 0) or None,
                )
        elif not (len(line) < 90 and _FURNITURE.fullmatch(line)):
            kept.append((number, line))
    return kept


def _unwrapped(lines: list[str]) -> list[str]:
    """``lines`` with every block joined on its first line, and empty lines for the others."""
    joined = [""] * len(lines)
    first = None
    for number, line in enumerate(lines):
        if not line:
            first = None
        elif first is None or (len(lines[number - 1]) < 40 and _FURNITURE.fullmatch(lines[number - 1])):
            first, joined[number] = number, line
        else:
            # "Data-" and "Driven" are one word, whose own hyphen the line was broken at.
            joined[first] += line if joined[first].endswith("-") else " " + line
    return joined


def _prose_weight(line: str) -> float:
    """How much more ``line`` reads like (a part of) an abstract than like a title."""
    length = len(line)
    weight = (
        6.0
        if length >= 300
        else 2.5
        if length >= 220
        else 0.5
        if length >= 140
        else -1.5
        if length > 60
        else -2.5
    )
    weight += 2.0 if _SENTENCE_END.search(line[-200:]) else -1.5
    weight += min(3, len(_SENTENCE_BREAK.findall(line[:2000]))) * 1.5
    weight += min(2, len(_PROSE.findall(line[:2000]))) * 1.0
    words = _WORD.findall(line[:2000])
    if len(words) >= 4:
        capitals = sum(word[0].isupper() for word in words) / len(words)
        weight += -1.5 if capitals > 0.6 else 0.5 if capitals < 0.25 else 0.0
    return weight


def _cheapest_reading(weights: list[float]) -> list[int]:
    """For every line whether it is a title or of an abstract, at the least cost for the page."""
    if not weights:
        return []
    # The cost of the best reading that ends with the line as a title, as an abstract.
    costs = (max(0.0, weights[0]), _NO_ABSTRACT + max(0.0, -weights[0]))
    came_from: list[tuple[int, int]] = []
    for weight in weights[1:]:
        to_title = (costs[_TITLE] + _NO_ABSTRACT, costs[_ABSTRACT])
        to_abstract = (costs[_TITLE], costs[_ABSTRACT] + _SECOND_PARAGRAPH)
        came_from.append((int(to_title[1] <= to_title[0]), int(to_abstract[1] < to_abstract[0])))
        costs = (min(to_title) + max(0.0, weight), min(to_abstract) + max(0.0, -weight))
    kind = int(costs[_ABSTRACT] <= costs[_TITLE] + _NO_ABSTRACT / 2)
    kinds = [kind]
    for step in reversed(came_from):
        kind = step[kind]
        kinds.append(kind)
    return kinds[::-1]
