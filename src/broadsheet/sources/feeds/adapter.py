"""Items of feeds into the model: as the papers that they tell of, or else as what they are.

An item whose address, guid or DOI field is that of a paper is that paper. One that names a single paper
in its text, and calls it so, is that paper, too; title and abstract are then those of a post, and what the
paper's own source tells takes their place. Everything else (posts, news) is listed under its own title,
with the feed as its venue.
"""

from __future__ import annotations

import re
from collections import Counter
from hashlib import sha256
from urllib.parse import urlsplit

from ...model.identifiers import Identifier, arxiv_identifier, doi_identifier, url_identifier
from ...model.links import add_printed_links, page_link
from ...model.papers import Author, Link, Listing, Record, Rejection
from ...model.validation import MAX_ABSTRACT, MAX_NAME, MAX_TITLE
from .parse import Item, ParsedFeed

SOURCE = "feed"
_PRINTED = re.compile(
    r"(?i)\barxiv\s*[:.]\s*(?P<arxiv>[\w.-]+/?\d[\w.]*)|\bdoi\s*[:.]?\s*(?P<doi>10\.\d{4,9}/[^\s<>\"]+)"
    r"|(?P<url>https?://[^\s<>\"'()\[\]]{5,500})"
)
# What a link to the paper that a post is about is called.
_PAPER_WORDS = re.compile(r"(?i)\b(?:paper|preprint|arxiv|doi|pdf|article|publication|manuscript)\b")
_CALLED_SO = 40
_ANNOUNCEMENT = re.compile(r"\AarXiv:\S+ Announce Type: \S+\s+(?:Abstract: )?")


def name_of_feed(url: str) -> str:
    """The name of the feed at ``url`` as source and list: ``feed:HOST/PATH``, at most `MAX_NAME` long.

    Feeds that differ in their query only are told apart by its hash, which gives away no token in it.
    """
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").removeprefix("www.")
        host += f":{parts.port}" if parts.port else ""
    except ValueError:
        return f"{SOURCE}:{sha256(url.encode()).hexdigest()[:16]}"
    name = f"{SOURCE}:{host}{parts.path.rstrip('/')}"
    if parts.query:
        name += f"?{sha256(parts.query.encode()).hexdigest()[:8]}"
    if len(name) > MAX_NAME:
        name = f"{name[: MAX_NAME - 9]}-{sha256(url.encode()).hexdigest()[:8]}"
    return name


def key_of(item: Item) -> str:
    """What makes two items of a feed the same: the guid, else the address, else the title."""
    name = (item.names[0] if item.names else "") or item.link or item.title or item.summary
    return sha256(name.encode("utf-8", "replace")).hexdigest()[:12]


def digest_of(item: Item) -> str:
    """What changes when an item says something else."""
    told = "\0".join([item.title, item.summary, item.link, item.published, *item.authors])
    return sha256(told.encode("utf-8", "replace")).hexdigest()[:8]


def listed(
    feed: ParsedFeed, name: str, days: dict[str, str], today: str
) -> list[tuple[str, Record | Rejection]]:
    """The items of the feed ``name``, each with its day, listed on it.

    ``days`` has, by `key_of`, the days of items that were seen before; an item without a date, or with one
    that is still to come, is of the day on which it was first seen, else ``today``.
    """
    found: list[tuple[str, Record | Rejection]] = []
    places: Counter[str] = Counter()
    # The oldest first, so that the places of a day stay when newer items come before them.
    for item in reversed(feed.items):
        told = item.published[:10]
        day = days.get(key_of(item)) or (told if told and told <= today else today)
        paper = record(item, feed.title, f"{name} item {item.place}")
        if isinstance(paper, Record):
            places[day] += 1
            paper.listings = [Listing(name, day, places[day], name)]
        found.append((day, paper))
    return found[::-1]


def record(item: Item, feed_title: str, where: str) -> Record | Rejection:
    """The record that ``item`` tells, or why it tells none."""
    title = item.title or _beginning(item.summary)
    if not title:
        return Rejection(where, "the item has neither title nor text; it is left out")
    result = Record(
        title=title[:MAX_TITLE],
        source=SOURCE,
        where=where,
        authors=[Author(name) for name in item.authors],
        published=item.published or None,
        ai_keywords=item.tags,
    )
    names = [identifier for text in (item.link, *item.names) if (identifier := _named(text))]
    about = None if names else _paper_in_text(item)
    result.identifiers = _one_a_scheme([*names, *([about] if about else [])])
    # arXiv's own feeds put the announcement before the abstract.
    summary = _ANNOUNCEMENT.sub("", item.summary)
    if summary and summary != title and not about:
        result.abstract = summary[:MAX_ABSTRACT]
    if not result.identifiers and not _is_archive(item.link):
        result.venue = feed_title or None
    if item.link and not url_identifier(item.link):
        link = page_link(item.link, SOURCE, "link")
        # What a post is about has a page of its own.
        result.links.append(Link("other", item.link, SOURCE, "link") if about else link)
    add_printed_links(result.links, item.summary, SOURCE)
    for url, _ in item.links:
        add_printed_links(result.links, url, SOURCE, "summary")
    return result


def _named(text: str) -> Identifier | None:
    """The paper that ``text``, an address or an id of an item, names."""
    text = text.strip()
    if "://" in text:
        return url_identifier(text) or _doi_in_path(text)
    if text.lower().startswith(("doi:", "10.")):
        return doi_identifier(text)
    if text.lower().startswith(("arxiv:", "oai:arxiv.org:")):
        return arxiv_identifier(re.sub(r"(?i)^(?:oai:arxiv\.org:|arxiv:)", "", text))
    return None


def _doi_in_path(url: str) -> Identifier | None:
    """The DOI in the address of an article: ``https://journals.example.org/doi/abs/10.1000/x``."""
    found = re.search(r"/(?:doi|doi/(?:abs|full|pdf|book)|content|article)/(10\.\d{4,9}/[^?#]+)", url)
    return doi_identifier(re.sub(r"(?:\.pdf|/full|/abstract)$", "", found[1])) if found else None


def _paper_in_text(item: Item) -> Identifier | None:
    """The one paper that the text names and calls a paper; None where there are several, or none is."""
    called: dict[str, Identifier] = {}
    all_named: dict[str, Identifier] = {}
    for url, words in item.links:
        if identifier := url_identifier(url):
            all_named[identifier.key] = identifier
            if _PAPER_WORDS.search(words):
                called[identifier.key] = identifier
    text = item.summary[:20_000]
    for found in _PRINTED.finditer(text):
        identifier = _printed(found)
        if identifier:
            all_named[identifier.key] = identifier
            before = text[max(0, found.start() - _CALLED_SO) : found.start()]
            if not found["url"] or _PAPER_WORDS.search(before):
                called[identifier.key] = identifier
    return next(iter(called.values())) if len(called) == 1 == len(all_named) else None


def _printed(found: re.Match[str]) -> Identifier | None:
    if found["arxiv"]:
        return arxiv_identifier(found["arxiv"].rstrip(".,;"))
    if found["doi"]:
        return doi_identifier(found["doi"].rstrip(".,;)]"))
    return url_identifier(found["url"].rstrip(".,;)"))


def _one_a_scheme(identifiers: list[Identifier]) -> list[Identifier]:
    kept: dict[str, Identifier] = {}
    for identifier in identifiers:
        kept.setdefault(identifier.scheme, identifier)
    return list(kept.values())


def _is_archive(link: str) -> bool:
    """Whether ``link`` leads to a paper of an archive whose numbers are no identifiers here."""
    return bool(re.match(r"https?://eprint\.iacr\.org/\d{4}/\d+", link))


def _beginning(summary: str) -> str:
    """The first words of an item that has no title."""
    line = summary.split("\n", 1)[0]
    return line if len(line) <= 100 else line[:100].rpartition(" ")[0] + "…"
