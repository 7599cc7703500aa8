"""The shapes of the JSON API, as its OpenAPI describes them and `wire` fills them.

Field names are those of the Hugging Face Hub API ("Paper pages" in its OpenAPI), and a few of our
own. Times are ``YYYY-MM-DDTHH:MM:SS.000Z``, the only form that the published client parses.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict


class User(TypedDict):
    """An account. ``user`` and ``name`` are both its name: clients differ in which they read."""

    _id: str
    user: str
    name: str
    fullname: str
    avatarUrl: str
    type: str
    isPro: bool
    isHf: NotRequired[bool]
    isHfAdmin: NotRequired[bool]
    isMod: NotRequired[bool]
    isUserFollowing: NotRequired[bool]
    followerCount: NotRequired[int]


class Author(TypedDict):
    """An author in the paper's order; ``user`` and ``status`` where an account claimed the name."""

    _id: str
    name: str
    hidden: bool
    user: NotRequired[User | None]
    status: NotRequired[str]
    statusLastChangedAt: NotRequired[str]


class Organization(TypedDict):
    """Who stands behind a paper. ``avatar`` and ``avatarUrl`` are the same address."""

    _id: str
    name: str
    fullname: str
    avatar: NotRequired[str]
    avatarUrl: NotRequired[str]


class Repository(TypedDict):
    """A model, data set or space that is linked with a paper; more fields as its source told them."""

    id: str


class Piece(TypedDict):
    """A piece of a text that a search matched."""

    type: Literal["text", "highlight"]
    text: str


class Link(TypedDict):
    """A link of a paper; ``provenance`` names the field of the source that held it."""

    kind: str
    url: str
    source: str
    provenance: str


class Listing(TypedDict):
    """That the paper stood at place ``rank`` of ``list`` on ``day`` (YYYY-MM-DD)."""

    list: str
    day: str
    rank: int
    source: str
    upvotes: int | None
    numComments: int | None
    submitter: str | None


class Version(TypedDict):
    """A version of the paper."""

    number: int
    date: str | None


class Paper(TypedDict):
    """A paper. Times are ``YYYY-MM-DDTHH:MM:SS.000Z``; ``publishedAt`` is null where no source gave it."""

    id: str
    authors: list[Author]
    publishedAt: str | None
    title: str
    summary: str
    upvotes: int
    discussionId: str
    source: str
    submittedOnDailyAt: NotRequired[str]
    submittedOnDailyBy: NotRequired[User]
    mediaUrls: NotRequired[list[str]]
    projectPage: NotRequired[str]
    githubRepo: NotRequired[str]
    githubRepoAddedBy: NotRequired[str]
    githubStars: NotRequired[int]
    ai_summary: NotRequired[str]
    ai_keywords: NotRequired[list[str]]
    ai_summary_model: NotRequired[str]
    organization: NotRequired[Organization]
    withdrawnAt: NotRequired[str]
    categories: NotRequired[list[str]]
    venue: NotRequired[str]
    doi: NotRequired[str]


class WholePaper(Paper):
    """The answer for one paper: the paper itself, with all that is linked with it."""

    linkedModels: list[Repository]
    numTotalModels: int
    linkedDatasets: list[Repository]
    numTotalDatasets: int
    linkedSpaces: list[Repository]
    numTotalSpaces: int
    numComments: int
    thumbnail: str
    submittedBy: NotRequired[User]
    updatedAt: NotRequired[str]
    authorsComment: NotRequired[str]
    identifiers: list[str]
    links: list[Link]
    versions: list[Version]
    listings: list[Listing]


class Item(TypedDict):
    """One entry of a list. Everything under ``paper`` that the client reads at the top stands there too.

    ``publishedAt`` is the day of the listing (midnight UTC), which clients show as "submitted at";
    the time of publication is ``paper.publishedAt``.
    """

    paper: Paper
    publishedAt: str | None
    title: str
    summary: str
    thumbnail: str
    numComments: int
    submittedBy: User | None
    isAuthorParticipating: bool
    upvotes: int
    discussionId: str
    source: str
    submittedOnDailyAt: NotRequired[str]
    organization: NotRequired[Organization]
    mediaUrls: NotRequired[list[str]]
    projectPage: NotRequired[str]
    githubRepo: NotRequired[str]
    githubStars: NotRequired[int]
    ai_summary: NotRequired[str]
    ai_keywords: NotRequired[list[str]]


class Sentence(TypedDict):
    """A sentence of the summary, from the character ``start`` to before ``end`` of it."""

    text: str
    start: int
    end: int


class SearchItem(Item):
    """One result of a search: the words that matched are marked.

    ``score`` (0 to 1) is the sum of ``words`` and ``meaning``, which are null where that side was not
    asked. ``reason`` says why the paper is there. ``nearestSentence`` is the sentence of the summary nearest
    to the query; null where that is not known, or where it is the title. ``folded`` are ids of papers that
    say nearly the same and stand behind this one. Without a query none of these is there.
    """

    upvoted: bool
    highlightedTitle: list[Piece]
    highlightedSummary: list[Piece]
    score: NotRequired[float]
    words: NotRequired[float | None]
    meaning: NotRequired[float | None]
    reason: NotRequired[Literal["id", "title", "words", "meaning", "words and meaning", "filters"]]
    nearestSentence: NotRequired[Sentence | None]
    folded: NotRequired[list[str]]


class SimilarItem(Item):
    """A paper that is like others; ``score`` (to 1) says how much."""

    score: float


class FacetValue(TypedDict):
    """``count`` papers found have ``value``. ``query`` narrows to it, or widens where it is ``chosen``."""

    value: str
    count: int
    chosen: bool
    query: str


class Facet(TypedDict):
    """What a search can be narrowed by."""

    name: Literal["year", "category", "venue", "list", "has"]
    values: list[FacetValue]


class Found(TypedDict):
    """One page of what a search found, of ``total`` papers that paging reaches.

    ``written`` is the query as it was understood; ``notes`` tell a person what was left out of
    consideration; ``didYouMean`` is a better spelling, or null.
    """

    query: str
    written: str
    total: int
    notes: list[str]
    didYouMean: str | None
    facets: list[Facet]
    results: list[SearchItem]


class Repositories(TypedDict):
    """What is linked with a paper."""

    models: list[Repository]
    datasets: list[Repository]
    spaces: list[Repository]


class Failure(TypedDict):
    """What went wrong and what to do. The header `X-Error-Message` says the same."""

    error: str


class Harnesses(TypedDict):
    """What the `hf` command asks for when it starts; there is nothing to say."""

    standardEnvVars: list[str]
    harnesses: dict[str, Any]
