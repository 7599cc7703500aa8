"""Composes editions: audience and period in, an ordered choice of papers with reasons out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from ..config import Settings
from ..model import dates
from ..model.audiences import Audience
from ..model.editions import ComposedEdition, ComposedEntry
from ..search import Engine
from ..store import Store
from .front_page import front_lists, front_reason, trending
from .matching import PeriodIndex
from .news import News, read_news
from .query_vectors import QueryVectors

# Entries of an edition; what lies beyond is on the site, and is not news tomorrow.
MOST_ENTRIES = 200
UNANSWERED = "What this edition is about could not be searched for; the log of the site says why."
# Versions of known papers behind the new ones.
MOST_VERSIONS = 20


class Composer:
    """Composes the editions of one period for any number of audiences. Close it, or use it in a ``with``.

    The news are read once. Without ``engine`` searches are matched by words alone.
    """

    def __init__(self, store: Store, settings: Settings, engine: Engine | None, first: str, last: str):
        self._settings = settings
        self._meaning = engine.meaning if engine else None
        self._index: PeriodIndex | None = None
        self._by_category: dict[str, list[int]] | None = None
        self.news: News = read_news(store, first, last)

    def __enter__(self) -> Composer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._index:
            self._index.close()

    def compose(self, audiences: Iterable[Audience], kind: str = "day") -> Iterator[ComposedEdition]:
        """The edition of each of ``audiences``, in that order, one after the other."""
        wanted = list(audiences)
        asked = [audience for audience in wanted if audience.kind in ("search", "topic")]
        found = self._searched(asked)
        for audience in wanted:
            if audience.kind in ("search", "topic"):
                entries = next(found)
            else:
                entries = _CHOSEN[audience.kind](self, audience)
            edition = self._edition(audience, kind, entries or [])
            yield edition if entries is not None else replace(edition, incomplete=UNANSWERED)

    def _edition(
        self, audience: Audience, kind: str, ranked: Sequence[tuple[int, float, tuple[str, ...]]]
    ) -> ComposedEdition:
        """The edition of papers ``ranked`` with scores and reasons: new ones first, then versions."""
        news = self.news
        new = [told for told in ranked if told[0] in news.listed]
        versions = [told for told in ranked if told[0] in news.versions][:MOST_VERSIONS]
        entries = [
            ComposedEntry(key, place, "new", score, reasons)
            for place, (key, score, reasons) in enumerate(new[:MOST_ENTRIES], 1)
        ]
        for place, (key, score, reasons) in enumerate(versions, len(entries) + 1):
            data = news.versions[key].data
            number = int(data.get("number") or 0)
            told = (
                f"Version {number} came out{_on(data.get('date'))}." if number else "A new version came out."
            )
            entries.append(ComposedEntry(key, place, "version", score, (told, *reasons), max(number, 1)))
        return ComposedEdition(
            0,
            audience,
            kind,
            news.first,
            news.last,
            dates.now(),
            tuple(entries),
            tuple(key for key, _, _ in new),
            news.incomplete(self._lists(audience)),
        )

    # -- what concerns an audience

    def _lists(self, audience: Audience) -> set[str] | None:
        """The lists whose gaps matter to ``audience``; None: all."""
        told = {told.list for told in self.news.coverage}
        if audience.kind == "everybody":
            return set(front_lists(self._settings, self.news.lists | told))
        if audience.kind == "category":
            wanted = audience.value.casefold()
            return {name for name in told if ":" not in name or _is_in(name.rpartition(":")[2], wanted)}
        return None

    def _everybody(self, _: Audience) -> list[tuple[int, float, tuple[str, ...]]]:
        lists = set(front_lists(self._settings, self.news.lists))
        front = set(self._settings.front_list_names)
        found = []
        for key, paper in self.news.papers.items():
            votes = float(paper.upvotes or 0)
            listing = self.news.listing(key, lists)
            if listing:
                found.append((votes, listing.rank, key, (front_reason(paper, listing),)))
            elif key in self.news.versions and any(one.list in front for one in paper.listings):
                found.append((votes, 0, key, ()))
        found.sort(key=lambda told: (-told[0], *told[1:3]))
        return [(key, votes, reasons) for votes, _, key, reasons in found]

    def _category(self, audience: Audience) -> list[tuple[int, float, tuple[str, ...]]]:
        wanted = audience.value.casefold()
        found = []
        for key in self._categories().get(wanted, ()):
            paper = self.news.papers[key]
            votes = float(paper.upvotes or 0)
            first = bool(paper.categories) and _is_in(paper.categories[0], wanted)
            listing = self.news.listing(key)
            place = f", place {listing.rank} in {listing.list} on {listing.day}" if listing else ""
            told = f"{paper.upvotes} upvotes; " if paper.upvotes else ""
            where = "its first category" if first else "one of its categories"
            reason = f"{told}{audience.value} is {where}{place}."
            found.append(
                (votes, not first, listing.rank if listing else 0, key, (reason[0].upper() + reason[1:],))
            )
        found.sort(key=lambda told: (-told[0], *told[1:4]))
        return [(key, votes, reasons) for votes, _, _, key, reasons in found]

    def _categories(self) -> dict[str, list[int]]:
        """The papers of each category and each archive (``cs``), in lower case."""
        if self._by_category is None:
            found: dict[str, set[int]] = {}
            for key, paper in self.news.papers.items():
                for name in paper.categories:
                    for part in {name.casefold(), name.casefold().partition(".")[0]}:
                        found.setdefault(part, set()).add(key)
            self._by_category = {name: sorted(keys) for name, keys in found.items()}
        return self._by_category

    def _searched(
        self, audiences: Sequence[Audience]
    ) -> Iterator[list[tuple[int, float, tuple[str, ...]]] | None]:
        if not audiences:
            return
        if not self.news.papers:
            for _ in audiences:
                yield []
            return
        if self._index is None:
            queries = None
            if self._meaning:
                folder, threads = self._settings.home / "index", self._settings.encoder_threads
                queries = QueryVectors(folder, self._meaning.encoder, threads)
            self._index = PeriodIndex(list(self.news.papers.values()), self._meaning, queries)
        today = date.fromisoformat(self.news.last)
        for matches in self._index.matches(audiences, today):
            yield None if matches is None else [(one.key, one.score, (one.reason,)) for one in matches]


# How the papers of an audience are chosen, by its kind. Readers and groups will have a function here.
_CHOSEN: dict[str, Callable[[Composer, Audience], list[tuple[int, float, tuple[str, ...]]]]] = {
    "everybody": Composer._everybody,
    "category": Composer._category,
}


def _is_in(category: str, wanted: str) -> bool:
    """Whether ``category`` is ``wanted`` (in lower case) or one of that archive."""
    name = category.casefold()
    return name == wanted or name.startswith(f"{wanted}.")


def _on(moment: str | None) -> str:
    return f" on {moment[:10]}" if moment else ""


def compose(
    store: Store,
    settings: Settings,
    engine: Engine | None,
    audience: Audience,
    first: str,
    last: str,
    kind: str = "day",
) -> ComposedEdition:
    """The edition for one audience of the days ``first`` to ``last``; it is not stored."""
    with Composer(store, settings, engine, first, last) as composer:
        return next(composer.compose([audience], kind))


def compose_trending(
    store: Store, settings: Settings, limit: int = 50, today: str | None = None
) -> ComposedEdition:
    """The papers that trend now, as an edition for everybody."""
    page = trending(store, settings, limit=limit, today=today)
    day = today or store.latest_day() or dates.today()
    entries = tuple(
        ComposedEntry(entry.paper.key, entry.place, "new", entry.score or 0.0, tuple(entry.reasons))
        for entry in page.entries
    )
    keys = tuple(entry.paper for entry in entries)
    return ComposedEdition(0, Audience(), "trending", day, day, dates.now(), entries, keys)
