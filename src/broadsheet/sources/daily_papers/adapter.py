"""Daily Papers into the model: items of the API and of HTML pages, and pages saved as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...model import dates
from ...model.identifiers import Identifier, find_identifier
from ...model.links import add_printed_links
from ...model.papers import Author, Link, Listing, Record, Rejection
from ..batch import Batch
from .saved_text import SavedPage, day_of

SOURCE = "daily_papers"
SAVED_PAGE = "saved_page"

# A single paper's page and answer say on which day it was listed, not at which place: after all
# places that the day's own list tells.
UNKNOWN_PLACE = 1000

# What the API must give back as it came, besides what the model has fields for.
_EXTRA = (
    "thumbnail", "mediaUrls", "discussionId", "submittedOnDailyAt", "ai_summary_model", "githubRepoAddedBy",
    "numTotalModels", "numTotalDatasets", "numTotalSpaces", "isAuthorParticipating",
)  # fmt: skip
_LINKED = (
    ("linkedModels", "model", ""),
    ("linkedDatasets", "dataset", "datasets/"),
    ("linkedSpaces", "space", "spaces/"),
)


class ItemError(ValueError):
    """An item of the API that is not of its form; the message names the field."""


def is_item(value: dict[str, Any]) -> bool:
    """Whether ``value`` is an item of the API: of a list, of a search, or a single paper."""
    if isinstance(value.get("paper"), dict):
        return True
    return (
        "id" in value
        and "title" in value
        and ("discussionId" in value or ("publishedAt" in value and "summary" in value))
    )


def record(item: dict[str, Any], where: str, batch: Batch) -> Record:
    """The record that an item of the API tells.

    Everything is read from ``item["paper"]`` first and then from the item itself, but for what
    only the item has. ``publishedAt`` of the item is never read: it is that of the paper shifted
    by the offset of New York.

    Raises:
        ItemError: naming the field.
    """
    nested = isinstance(item.get("paper"), dict)
    paper = item["paper"] if nested else item

    def get(name: str, kind: type = str) -> Any:
        value = paper.get(name)
        value = item.get(name) if value is None else value
        if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is int)):
            raise ItemError(
                f'"{name}" is {str(value)[:60]!r}, which is not what the Daily Papers API gives there'
            )
        return value

    title = get("title")
    if not title:
        raise ItemError('"title" is missing or empty')
    account = _account(
        item.get("submittedBy"), paper.get("submittedOnDailyBy") or item.get("submittedOnDailyBy")
    )
    submitter = (account.get("user") or account.get("name")) if account else None
    result = Record(
        title=title,
        source=SOURCE,
        where=where,
        identifiers=[_identifier(get("id"))],
        abstract=get("summary"),
        authors=_authors(get("authors", list) or []),
        published=paper.get("publishedAt") if isinstance(paper.get("publishedAt"), str) else None,
        upvotes=get("upvotes", int),
        num_comments=get("numComments", int),
        github_stars=get("githubStars", int),
        submitter=submitter if isinstance(submitter, str) else None,
        submitter_account=account,
        ai_summary=get("ai_summary"),
        ai_keywords=[word for word in get("ai_keywords", list) or [] if isinstance(word, str)],
        organization=get("organization", dict),
        withdrawn=get("withdrawnAt"),
    )
    for name in _EXTRA:
        value = paper.get(name, item.get(name))
        if value is not None:
            result.extra[name] = value
    result.links = _links(paper, item)
    add_printed_links(result.links, result.abstract, SOURCE)
    result.listings = [_listing(result, get("submittedOnDailyAt"), nested, batch)]
    return result


def saved_page(page: SavedPage, batch: Batch, whole: bool = True) -> Iterator[Record | Rejection]:
    """The papers of ``page`` in its order, without the last where the page is not ``whole``."""
    day = batch.day or day_of(page, batch.today) or batch.today
    for paper in page.papers if whole else page.papers[:-1]:
        listing = Listing(SAVED_PAGE, day, batch.place(SAVED_PAGE, day), f"{SAVED_PAGE}:{batch.digest}")
        found = Record(paper.title, SAVED_PAGE, f"{batch.name} line {paper.line}", abstract=paper.abstract)
        found.listings = [listing]
        add_printed_links(found.links, paper.abstract, SAVED_PAGE)
        yield found
    for number, line in page.left_over:
        why = f"{line[:80]!r} stands there like a title without an abstract; add one or delete the line"
        yield Rejection(f"{batch.name} line {number}", why)
    if not page.papers and not page.left_over:
        yield Rejection(batch.name, "the Daily Papers page has no papers; save a page that shows some")


def _identifier(text: str | None) -> Identifier:
    identifier = find_identifier(text) if text else None
    if not identifier:
        raise ItemError(f'"id" is {str(text)[:60]!r}, which is no arXiv id')
    return identifier


def _authors(values: list[Any]) -> list[Author]:
    authors = []
    for value in values:
        if isinstance(value, str):
            authors.append(Author(value))
        elif isinstance(value, dict) and isinstance(value.get("name"), str):
            account = {name: part for name, part in value.items() if name != "name"}
            authors.append(Author(value["name"], account or None))
    return authors


def _account(*tellings: Any) -> dict[str, Any] | None:
    """What the item and the paper say of the submitter, together where they mean the same person."""
    first, second = (telling if isinstance(telling, dict) else {} for telling in tellings)
    if first and second and first.get("_id") != second.get("_id"):
        return first
    return {**second, **first} or None


def _links(paper: dict[str, Any], item: dict[str, Any]) -> list[Link]:
    links = []
    for name, kind in (("githubRepo", "code"), ("projectPage", "project")):
        url = paper.get(name) or item.get(name)
        if isinstance(url, str):
            links.append(Link(kind, url, SOURCE, name))
    for name, kind, section in _LINKED:
        repositories = paper.get(name)
        for repository in repositories if isinstance(repositories, list) else []:
            if isinstance(repository, dict) and isinstance(repository.get("id"), str):
                url = f"https://huggingface.co/{section}{repository['id']}"
                links.append(Link(kind, url, SOURCE, name, repository))
    return links


def _listing(record: Record, listed_at: str | None, has_place: bool, batch: Batch) -> Listing:
    """The listing on the day on which the paper was submitted; without one, where it was added."""
    if not listed_at and not (batch.day and has_place):
        listing = batch.added()
    else:
        try:
            day = dates.timestamp(listed_at)[:10] if listed_at else batch.day
        except dates.DateError as error:
            raise ItemError(f'"submittedOnDailyAt": {error}') from error
        place = batch.place(SOURCE, day) if has_place else UNKNOWN_PLACE
        listing = Listing(SOURCE, day, place, SOURCE if has_place else f"{SOURCE}:paper")
    listing.upvotes, listing.num_comments = record.upvotes, record.num_comments
    listing.submitter, listing.submitter_account = record.submitter, record.submitter_account
    return listing
