"""An edition as mail: its subject, its text part and its HTML part with the styles inlined."""

from __future__ import annotations

import textwrap
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from threading import Lock

import css_inline
from jinja2 import Environment, PackageLoader, StrictUndefined

from ...model.editions import ComposedEdition, ComposedEntry
from ...model.papers import Paper
from ..channels import Links, Outgoing
from ..links import KIND_NAMES, all_links, paper_url
from ..tex import plain_of

# Gmail cuts a mail off after 102 KB; what is not shown stands on the site.
SHOWN = 40
_OPENING = 420
_AUTHORS = 4
_WIDTH = 76
# Links that a mail shows beside the paper's own page.
_LINKED = ("pdf", "code", "project")
# Stand for what differs from reader to reader, so that an edition is rendered once for all of them.
_SETTINGS, _UNSUBSCRIBE = "https://settings.invalid/", "https://unsubscribe.invalid/"
# Editions that are kept rendered.
_KEPT = 64


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail before it is a message: plain text with lines of at most 76 characters, and HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Story:
    """One paper as the templates show it; all of it plain text."""

    place: int
    kicker: str
    title: str
    url: str
    byline: str
    opening: str
    links: tuple[tuple[str, str], ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Site:
    """What every mail of a home says of it."""

    name: str
    tagline: str = ""
    postal_address: str = ""


class Renderer:
    """Renders mails; the same edition for many readers only once. Safe to use from several threads."""

    def __init__(self, site: Site):
        self._site = site
        self._kept: OrderedDict[object, Rendered] = OrderedDict()
        self._lock = Lock()

    def rendered(self, item: Outgoing) -> Rendered:
        """The mail of ``item``."""
        edition = item.edition
        common = (
            edition.id,
            tuple((entry.paper, entry.version) for entry in edition.entries),
            item.links.site,
        )
        with self._lock:
            found = self._kept.get(common) if edition.id else None
        if found is None:
            found = self._render(edition, item.papers, item.links.site)
            with self._lock:
                self._kept[common] = found
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return Rendered(found.subject, _personal(found.text, item.links), _personal(found.html, item.links))

    def _render(self, edition: ComposedEdition, papers: Sequence[Paper], site: str) -> Rendered:
        stories = [_story(entry, paper, site) for entry, paper in zip(edition.entries, papers, strict=True)]
        subject = _subject(self._site.name, edition, stories)
        context = {
            "site": self._site,
            "home": site,
            "edition": edition,
            "heading": edition.audience.title,
            "period": _period(edition),
            "stories": stories[:SHOWN],
            "more": max(len(stories) - SHOWN, 0),
            "settings": _SETTINGS,
            "unsubscribe": _UNSUBSCRIBE,
            "subject": subject,
            "preheader": "; ".join(story.title for story in stories[1:4]),
        }
        html = _inliner().inline(_environment().get_template("edition.html").render(context))
        text = _environment().get_template("edition.txt").render(context)
        return Rendered(subject, text, html)

    def confirmation(self, what: str, links: Links, confirm: str, known: bool) -> Rendered:
        """The mail that asks whether a reader wants ``what``, or says that it comes already."""
        context = {
            "site": self._site,
            "home": links.site,
            "what": what,
            "confirm": confirm,
            "settings": links.settings,
            "known": known,
        }
        text = _environment().get_template("confirm.txt").render(context)
        subject = f"{self._site.name}: " + ("your editions" if known else "please confirm your subscription")
        return Rendered(subject, text, "")


def _personal(text: str, links: Links) -> str:
    # Where an address is not known, the line that leads there leads to the site.
    text = text.replace(_SETTINGS, links.settings or links.site)
    return text.replace(_UNSUBSCRIBE, links.unsubscribe or links.settings or links.site)


def _story(entry: ComposedEntry, paper: Paper, site: str) -> Story:
    kicker = f"Version {entry.version}" if entry.news == "version" and entry.version else ""
    if entry.news == "version" and not kicker:
        kicker = "New version"
    names = [author.name for author in paper.authors]
    byline = ", ".join(names[:_AUTHORS]) + (
        f" and {len(names) - _AUTHORS} more" if len(names) > _AUTHORS else ""
    )
    links = [
        (KIND_NAMES[link.kind][0], link.url)
        for link in all_links(paper)
        if link.kind in _LINKED and link.url.startswith(("https://", "http://"))
    ]
    return Story(
        entry.place,
        kicker,
        plain_of(paper.title),
        site + paper_url(paper.id),
        byline,
        opening(plain_of(paper.ai_summary or paper.abstract), _OPENING),
        tuple({label: (label, url) for label, url in reversed(links)}.values())[::-1],
        " ".join(entry.reasons),
    )


def opening(text: str, most: int) -> str:
    """The beginning of ``text``: whole sentences up to ``most`` characters, else words and an ellipsis."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    end = max(text.rfind(mark, 0, most) for mark in (". ", "? ", "! "))
    if end > most // 2:
        return text[: end + 1]
    return text[:most].rpartition(" ")[0].rstrip(",;:–-") + " …"


def _subject(name: str, edition: ComposedEdition, stories: Sequence[Story]) -> str:
    """What the edition leads with, for the list of a mail program."""
    lead = stories[0].title if stories else "nothing new"
    count = len(stories)
    more = f" and {count - 1} more" if count > 1 else ""
    audience = "" if edition.audience.kind == "everybody" else f" ({_shortened(edition.audience.value, 40)})"
    return f"{name}{audience}: {_shortened(lead, 110)}{more}"


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most].rpartition(" ")[0] + " …"


def _period(edition: ComposedEdition) -> str:
    first, last = date.fromisoformat(edition.first), date.fromisoformat(edition.last)
    if first == last:
        return f"{last:%A}, {last.day} {last:%B %Y}"
    return f"{first.day} {first:%B %Y} to {last.day} {last:%B %Y}"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("broadsheet.delivery.mail"),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        auto_reload=False,
    )
    made.filters |= {"wrapped": _wrapped}
    return made


def _wrapped(text: str, indent: int = 0, further: int | None = None) -> str:
    """``text`` in lines of at most 76 characters, those after the first indented by ``further``.

    Words and addresses stay whole.
    """
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent if further is None else further),
        break_long_words=False,
        break_on_hyphens=False,
    )


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    # What depends on the reader's screen cannot be inlined and stays in the head.
    return css_inline.CSSInliner(keep_style_tags=True, keep_at_rules=True, load_remote_stylesheets=False)
