"""An edition as it is printed: plain data, with texts as HTML fragments (formulas in them as MathML)."""

from __future__ import annotations

from dataclasses import dataclass, field

# More papers than this make a book, not a paper; more characters than these no column can hold.
MOST_STORIES = 60
MOST_TITLE = 300


@dataclass(slots=True)
class Story:
    """One paper of a sheet.

    ``title``, ``standfirst`` and ``sentences`` (of the abstract) are well-formed HTML fragments as
    `delivery.tex.html_of` makes them; ``byline``, ``kicker`` and ``facts`` are plain text. ``url`` is its
    page.
    """

    id: str
    url: str
    title: str
    byline: str = ""
    kicker: str = ""
    standfirst: str = ""
    sentences: list[str] = field(default_factory=list)
    facts: str = ""


@dataclass(slots=True)
class Sheet:
    """What is printed: a masthead, a small figure, and stories in the order of their rank.

    ``number`` is that of the edition (``No. 520``), ``date`` its period in words, ``topics`` how many
    of its papers are about what; all are plain text. ``iso_date`` is the day and ``modified`` the timestamp
    that reading systems ask for, ``id`` a name that this edition keeps. ``total`` papers stood in the
    edition, of which ``stories`` are the first.
    """

    id: str
    name: str
    tagline: str
    date: str
    iso_date: str
    url: str
    stories: list[Story]
    number: str = ""
    total: int = 0
    topics: list[tuple[str, int]] = field(default_factory=list)
    modified: str = ""
