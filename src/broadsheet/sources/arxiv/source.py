"""arXiv as a source: OAI-PMH keeps the copy, the feeds tell the day, the API fills what both left open."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from ...model.papers import Record, Rejection
from ..http import Service, ServiceError, Unreachable
from ..source import Page, Run, Source
from .adapter import SOURCE, EntryError, record
from .announcing import Announcer, FeedRead
from .calendar import Calendar, days_of
from .fetch import API_URL, ARXIV, BATCH, FEED_URL, OAI_URL, fetch_entries
from .harvest import Harvester
from .taxonomy import configured, set_of

if TYPE_CHECKING:
    from ...config import Settings

# A paper that was announced and that arXiv does not know by its id either.
_MAX_TRIES = 3
# A run that was killed longer ago is begun anew: there may be news.
_TAKEN_UP = timedelta(hours=2)
# More than the papers of two days: then OAI-PMH is behind, and is waited for.
_MAX_BY_ID = 2_000


class ArxivSource:
    """The papers of some categories of arXiv; see `Source`.

    Its cursor is ``{"sets": {SET: see harvest}, "feeds": {CATEGORY: see announcing}, "awaited": {ID:
    [VERSION, DAY, TRIES]}, "under way": {...}}``: ``awaited`` are papers that a feed announced and OAI-PMH
    did not give yet, or whose record came damaged (version 0); ``under way`` is what the run that is not at
    its end has finished, so that after a kill nothing of it is asked for again.

    Args:
        categories: such as ``cs.LG``, ``hep-th``, or a whole archive, ``cs``.
        first_days: how many days back the first run begins; 0 for the whole copy.
        metadata: the format of OAI-PMH: ``arXivRaw`` (versions) or ``arXiv`` (names in parts).
    """

    name = SOURCE
    title = "arXiv"
    home_page = "https://arxiv.org"

    def __init__(
        self,
        categories: Sequence[str],
        *,
        first_days: int = 7,
        metadata: str = "arXivRaw",
        calendar: Calendar | None = None,
        oai_url: str = OAI_URL,
        feed_url: str = FEED_URL,
        api_url: str = API_URL,
        service: Service = ARXIV,
    ):
        self._categories = list(categories)
        self._first_days = first_days
        self._calendar = calendar or Calendar()
        self._harvester = Harvester(oai_url, metadata, service)
        self._announcer = Announcer(self._calendar, feed_url, service)
        self._api_url = api_url
        self._service = service

    def due(self, last_success: datetime | None, now: datetime) -> datetime:
        """When to gather next: after the announcements, when OAI-PMH and when the feeds are ready."""
        return self._calendar.due(last_success, now)

    def pages(self, run: Run) -> Iterator[Page]:
        """What is new; see `Source`. What fails does not hold up the rest, and is raised at the end."""
        cursor = copy.deepcopy(run.cursor)
        problems: list[ServiceError] = []
        _take_up(cursor, run)
        yield from self._harvested(run, cursor, problems)
        behind = bool(problems)
        if run.since is None:
            yield from self._announced(run, cursor, problems)
        yield from self._filled(run, cursor, problems, behind)
        if run.since is None:
            del cursor["under way"]
            yield _page([], cursor)
        if problems:
            raise problems[0]

    # -- OAI-PMH

    def _harvested(self, run: Run, cursor: dict[str, Any], problems: list[ServiceError]) -> Iterator[Page]:
        sets = cursor.setdefault("sets", {})
        first = run.since or ""
        if run.since is None and self._first_days:
            first = (run.now.date() - timedelta(days=self._first_days)).isoformat()
        for category in self._categories:
            name = set_of(category)
            state = sets.setdefault(name, {})
            finished: list[str] = cursor["under way"]["sets"]
            if name in finished:
                continue
            lost: list[str] = []
            try:
                for items in self._harvester.items(run, name, state, first, lost):
                    self._await_lost(cursor, lost, run)
                    if state.keys() == {"from"}:
                        finished.append(name)
                    yield _page(items, cursor)
            except ServiceError as error:
                problems.append(error)
                yield _page([Rejection(f"{self._service.name} {name}", str(error))], cursor)
                if isinstance(error, Unreachable):
                    return

    def _await_lost(self, cursor: dict[str, Any], lost: list[str], run: Run) -> None:
        for oai_id in lost:
            name = oai_id.rpartition("rXiv.org:")[2]
            cursor.setdefault("awaited", {})[name] = [0, run.now.date().isoformat(), 0]
        lost.clear()

    # -- feeds

    def _announced(self, run: Run, cursor: dict[str, Any], problems: list[ServiceError]) -> Iterator[Page]:
        states = cursor.setdefault("feeds", {})
        finished: dict[str, list[Any]] = cursor["under way"]["feeds"]
        feeds: dict[str, FeedRead] = {}
        for category in self._categories:
            state = states.setdefault(category, {})
            if category in finished:
                feeds[category] = FeedRead(*finished[category])
                continue
            feeds[category], page = self._announcer.read(run, category, state)
            if problem := feeds[category].problem:
                problems.append(problem)
                if isinstance(problem, Unreachable):
                    # The others stand on the same host.
                    feeds |= {
                        name: FeedRead(problem=problem) for name in self._categories if name not in feeds
                    }
                    for name in feeds:
                        states.setdefault(name, {})
                    break
            else:
                finished[category] = [feeds[category].day, feeds[category].empty]
            if page is not None:
                items = [self._as_needed(run, cursor, told, feeds[category].day) for told in page.told]
                yield _page([*items, *page.rejections], cursor, page.announced)
        if "accounted" not in cursor["under way"]:
            announced = self._announcer.account(run, feeds, states)
            cursor["under way"]["accounted"] = True
            yield _page([], cursor, announced)

    def _as_needed(self, run: Run, cursor: dict[str, Any], told: Record, day: str) -> Record:
        """``told`` by a feed: whole where OAI-PMH did not give the paper yet, else only what is new."""
        identifier = told.identifiers[0]
        if not _is_given(run, identifier.value, identifier.version or 1):
            cursor.setdefault("awaited", {}).setdefault(identifier.value, [identifier.version or 1, day, 0])
            return told
        return Record(
            title="",
            source=told.source,
            where=told.where,
            identifiers=[identifier],
            licence=told.licence,
            listings=told.listings,
        )

    # -- by id

    def _filled(
        self, run: Run, cursor: dict[str, Any], problems: list[ServiceError], behind: bool
    ) -> Iterator[Page]:
        """What a feed announced and OAI-PMH did not give, by id; ``behind``: OAI-PMH could not be read."""
        awaited = cursor.setdefault("awaited", {})
        for name, (version, _, _) in list(awaited.items()):
            if version and _is_given(run, name, version):
                del awaited[name]
        expected = self._calendar.expected(run.now)
        names = [name for name, (_, day, _) in awaited.items() if not behind or day < expected]
        if len(names) > _MAX_BY_ID:
            names = [name for name in names if awaited[name][1] < expected][:_MAX_BY_ID]
        waiting = iter(names)
        failed = False
        while not failed and (batch := list(islice(waiting, BATCH))):
            items: list[Record | Rejection] = []
            try:
                for entry in fetch_entries(
                    batch, run.client, url=self._api_url, service=self._service, stop=run.stop
                ):
                    where = f"{self._service.name} entry {entry.place}"
                    try:
                        items.append(record(entry, where))
                    except EntryError as error:
                        items.append(Rejection(where, str(error)))
            except ServiceError as error:
                problems.append(error)
                failed = True
            found = {item.identifiers[0].value for item in items if isinstance(item, Record)}
            for name in batch:
                told = awaited[name]
                told[2] += 1
                if name in found:
                    del awaited[name]
                elif told[2] >= _MAX_TRIES and not failed:
                    del awaited[name]
                    items.append(
                        Rejection(
                            f"{self._service.name} {name}",
                            f"it was announced on {told[1]}, but neither OAI-PMH nor the API knows it; "
                            "look at its page on arXiv",
                        )
                    )
            yield _page(items, cursor)


def sources(settings: Settings) -> list[Source]:
    """arXiv, where categories are set.

    Raises:
        ValueError: if a category or a holiday is none.
    """
    categories = configured(settings.arxiv_categories)
    if not categories:
        return []
    return [
        ArxivSource(
            categories,
            first_days=settings.arxiv_first_days,
            metadata=settings.arxiv_oai_format,
            calendar=Calendar(days_of(settings.arxiv_holidays)),
            oai_url=settings.arxiv_oai_url,
            feed_url=settings.arxiv_feed_url.rstrip("/"),
            api_url=settings.arxiv_url,
        )
    ]


def _take_up(cursor: dict[str, Any], run: Run) -> None:
    """Makes ``cursor`` one of a run under way: that which was killed not long ago, or a new one."""
    if under_way := cursor.get("under way"):
        ago = run.now - datetime.fromisoformat(under_way["began"])
        # A backfill has one run, however long that takes.
        if run.since is not None or timedelta() <= ago < _TAKEN_UP:
            return
    cursor["under way"] = {"began": run.now.isoformat(timespec="seconds"), "sets": [], "feeds": {}}


def _is_given(run: Run, name: str, version: int) -> bool:
    """Whether version ``version`` of a paper is stored as OAI-PMH or the API tells it: with its date."""
    paper = run.store.paper(f"arxiv:{name}")
    if paper is None:
        return False
    if version == 1 and paper.published and paper.provenance.get("published") == SOURCE:
        return True
    # The format arXiv tells no numbers of versions, but when there was a later one.
    later = bool(paper.published and paper.updated and paper.updated > paper.published)
    numbers = {told.number for told in paper.versions if told.date}
    return version in numbers or (numbers <= {1} and later)


def _page(items: list[Any], cursor: dict[str, Any], announced: Sequence[Any] = ()) -> Page:
    return Page(items, copy.deepcopy(cursor), list(announced))
