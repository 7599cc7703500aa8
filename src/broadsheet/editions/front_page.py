"""The front page of a day, week or month, and the trending page."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from ..config import Settings
from ..model import dates
from ..model.editions import Edition, Entry
from ..model.papers import Listing, Paper
from ..model.periods import day_period, month_period, period_around, week_period
from ..ranking.trending import STAR_DAYS, WINDOW_DAYS, trend
from ..store import Store

_PERIODS = {"day": day_period, "week": week_period, "month": month_period}

# Trending is computed for the papers with most votes of the window; a paper below these with none
# of their votes cannot reach the first pages.
_CANDIDATES = 400


def front_page(
    store: Store,
    settings: Settings,
    kind: str = "day",
    name: str | None = None,
    list_name: str | None = None,
    submitter: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> Edition:
    """One page of the front page of a period, most upvoted papers first, then by place.

    Args:
        kind: ``day``, ``week`` or ``month``.
        name: the period as in addresses (``2026-05-29``, ``2026-W22``, ``2026-05``); None means the
            latest that has papers.
        list_name: only this list. Otherwise the lists of the setting ``front_lists`` that have
            papers in the period, or all lists where none of them has.
        submitter: only what this person submitted.
        limit: papers on the page; None means the setting ``page_size``.
        offset: papers before this page.

    Raises:
        DateError: if ``name`` is no period of that kind.
    """
    limit = settings.page_size if limit is None else limit
    only = [list_name] if list_name else None
    if name is None:
        latest = store.latest_day(only)
        if latest is None:
            return Edition([], 0, offset)
        period = period_around(kind, latest)
    else:
        period = _PERIODS[kind](name)
    present = store.lists_between(period.first, period.last)
    chosen = only or front_lists(settings, present)
    total, listed = store.listed(period.first, period.last, chosen, submitter, limit, offset)
    entries = [
        Entry(paper, offset + position, listing, float(paper.upvotes or 0), [front_reason(paper, listing)])
        for position, (paper, listing) in enumerate(listed, start=1)
    ]
    before, after = store.day_before(period.first, only), store.day_after(period.last, only)
    return Edition(
        entries,
        total,
        offset,
        period,
        previous=period_around(kind, before) if before else None,
        following=period_around(kind, after) if after else None,
        lists=chosen,
        other_lists={name: number for name, number in present.items() if name not in chosen},
    )


def front_lists(settings: Settings, present: Collection[str]) -> list[str]:
    """The lists that make the front page where those ``present`` have papers."""
    return [name for name in settings.front_list_names if name in present] or list(present)


def front_reason(paper: Paper, listing: Listing) -> str:
    """Why a paper stands where it stands on a front page."""
    place = f"place {listing.rank} in {listing.list} on {listing.day}"
    return f"{paper.upvotes} upvotes, then {place}" if paper.upvotes else place.capitalize()


def newest(
    store: Store,
    settings: Settings,
    submitter: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> Edition:
    """The listed papers of all days, latest day first, within a day as on its front page.

    A paper that was listed on several days stands at each of them; of one ``submitter`` only at the last.
    """
    limit = settings.page_size if limit is None else limit
    lists = settings.front_list_names if store.latest_day(settings.front_list_names) else None
    if submitter is not None:
        total, listed = store.listed(None, None, None, submitter, limit, offset, latest_first=True)
    else:
        total, listed = _through_days(store, lists, limit, offset)
    entries = [
        Entry(paper, offset + position, listing, float(paper.upvotes or 0), [front_reason(paper, listing)])
        for position, (paper, listing) in enumerate(listed, start=1)
    ]
    return Edition(entries, total, offset, lists=lists or [])


def _through_days(
    store: Store, lists: list[str] | None, limit: int, offset: int
) -> tuple[int, list[tuple[Paper, Listing]]]:
    """One page of the days of ``lists``, latest first, asking only for the days on the page."""
    days = store.papers_by_day(lists)
    listed: list[tuple[Paper, Listing]] = []
    before = 0
    for day, number in days:
        if before >= offset + limit:
            break
        if before + number > offset:
            skipped = max(0, offset - before)
            listed += store.listed(day, day, lists, None, limit - len(listed), skipped)[1]
        before += number
    return sum(number for _, number in days), listed


def trending(
    store: Store, settings: Settings, limit: int | None = None, offset: int = 0, today: str | None = None
) -> Edition:
    """One page of the trending papers; the score of each is explained in its reasons.

    Ages count from ``today``; by default from the latest day with listings, so that an archive
    trends as it did on its last day.
    """
    limit = settings.page_size if limit is None else limit
    latest = store.latest_day()
    if latest is None:
        return Edition([], 0, offset)
    today = today or min(latest, dates.today())
    last = date.fromisoformat(today)
    first, starred = ((last - timedelta(days=days)).isoformat() for days in (WINDOW_DAYS, STAR_DAYS))
    scored = []
    for one in store.standings_since(first, _CANDIDATES, starred, settings.front_list_names):
        age = (last - date.fromisoformat(one.first_listed)).days
        further = max(one.lists - 1, 0)
        scored.append((trend(one.upvotes, one.num_comments, age, one.stars_gained, further), one.key))
    scored.sort(key=lambda pair: (-pair[0].score, pair[1]))
    page = scored[offset : offset + limit]
    papers = {paper.key: paper for paper in store.papers([key for _, key in page])}
    entries = [
        Entry(papers[key], place, None, trended.score, [trended.explanation()])
        for place, (trended, key) in enumerate(page, start=offset + 1)
        if key in papers
    ]
    return Edition(entries, len(scored), offset)
