"""The front pages: of the latest day, of a day, week or month, and the trending papers."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from ...delivery.tex import plain_of
from ...editions import front_page, trending
from ...model.dates import DateError
from ...model.editions import Edition
from ...model.periods import Period, day_period, month_period, period_around, week_period
from ..coverage import Accounts, Line, front_line
from ..errors import PageError
from ..render import TABS, kept, page, with_query, workspace_of
from ..stories import counted, list_title, set_front
from .routing import page_number, reading
from .search import search_page

router = APIRouter()

_PERIODS = {"day": day_period, "week": week_period, "month": month_period}
_PATHS = {"day": "/papers/date/", "week": "/papers/week/", "month": "/papers/month/"}
_JSON = {"day": "date", "week": "week", "month": "month"}


def period_path(period: Period) -> str:
    """The address of the front page of ``period``."""
    return _PATHS[period.kind] + period.name


@reading(router, "/")
@reading(router, "/papers")
def latest(request: Request, q: str | None = None, p: str = "", n: str = "", list: str = "") -> Response:
    """The front page of the latest day; ``/papers?q=`` is the search, as on Daily Papers."""
    if q is not None:
        return search_page(request, q, p, n)
    return kept(request, lambda: _front(request, "day", None, p, list), _gathered(request))


@reading(router, "/papers/date/{name}")
def day(request: Request, name: str, p: str = "", list: str = "") -> Response:
    return kept(request, lambda: _front(request, "day", name, p, list), _gathered(request))


@reading(router, "/papers/week/{name}")
def week(request: Request, name: str, p: str = "", list: str = "") -> Response:
    return kept(request, lambda: _front(request, "week", None if name == "latest" else name, p, list))


@reading(router, "/papers/month/{name}")
def month(request: Request, name: str, p: str = "", list: str = "") -> Response:
    return kept(request, lambda: _front(request, "month", None if name == "latest" else name, p, list))


def _front(request: Request, kind: str, name: str | None, p: str, only: str) -> Response:
    number, workspace = page_number(p), workspace_of(request)
    size = workspace.settings.page_size
    edition = front_page(
        workspace.store,
        workspace.settings,
        kind,
        name,
        list_name=only or None,
        limit=size,
        offset=number * size,
    )
    if edition.period is None:
        if only:
            raise PageError(404, f"There is no list {only[:80]} here.", links=(("The front page", "/"),))
        return page(request, "empty.html", workspace.settings.site_name, path="/", section="day")
    if not edition.total:
        return _nearest(request, edition, only)
    path = period_path(edition.period)
    pages = -(-edition.total // size)
    if number >= pages:
        raise _beyond(pages, with_query(path, {"list": only}))
    titles = "; ".join(plain_of(entry.paper.title) for entry in edition.entries[:3])
    parameters = {"list": only, "p": number}
    site_name = workspace.settings.site_name
    front = kind == "day" and name is None and not number and not only
    return page(
        request,
        "edition.html",
        f"{site_name}: {workspace.settings.tagline}" if front else edition.period.title,
        # The latest day has an address of its own that stays; the front page keeps the short one.
        path=with_query("/" if front else path, parameters),
        description=f"{counted(edition.total, 'paper')}: {titles}"[:300],
        section=kind,
        heading=edition.period.title,
        edition=edition,
        laid_out=set_front(edition.entries, number == 0, days=kind != "day", lists=len(edition.lists) > 1),
        here=path,
        only=only,
        number=number,
        pages=pages,
        shown=(number * size + 1, number * size + len(edition.entries)),
        tabs=_tabs(edition.period),
        before=_neighbour(edition.previous, only),
        after=_neighbour(edition.following, only),
        missed=_missed(request, kind),
        gathered=_line(request, edition, latest=name is None) if kind == "day" else None,
        alternates=(("application/json", f"/api/daily_papers?{_JSON[kind]}={edition.period.name}"),),
    )


@reading(router, "/papers/trending")
def trending_papers(request: Request, p: str = "") -> Response:
    return kept(request, lambda: _trending(request, p))


def _trending(request: Request, p: str) -> Response:
    number, workspace = page_number(p), workspace_of(request)
    size = workspace.settings.page_size
    edition = trending(workspace.store, workspace.settings, limit=size, offset=number * size)
    pages = -(-edition.total // size)
    if not edition.total:
        return page(request, "empty.html", "Trending", path="/papers/trending", section="trending")
    if number >= pages:
        raise _beyond(pages, "/papers/trending")
    return page(
        request,
        "edition.html",
        "Trending papers",
        path=with_query("/papers/trending", {"p": number}),
        description="The papers that readers turn to now, with the arithmetic of each place.",
        section="trending",
        heading="Trending",
        edition=edition,
        laid_out=set_front(edition.entries, number == 0, reasons=True),
        here="/papers/trending",
        only="",
        number=number,
        pages=pages,
        shown=(number * size + 1, number * size + len(edition.entries)),
        before=None,
        after=None,
        missed="",
        gathered=None,
        alternates=(("application/json", "/api/daily_papers?sort=trending"),),
    )


def _nearest(request: Request, edition: Edition, only: str) -> Response:
    """A period without papers leads to the edition before it; before the first, says so."""
    period = edition.period
    assert period is not None
    words = f" of the list {list_title(only)}" if only else ""
    if edition.previous:
        path = with_query(period_path(edition.previous), {"list": only, "instead-of": period.name})
        return RedirectResponse(path, 302)
    if edition.following:
        links = ((f"The first edition: {edition.following.title}", period_path(edition.following)),)
        message = f"The papers{words} begin on {edition.following.title}; nothing is older."
        raise PageError(404, message, title=f"Before the first edition: {period.title}", links=links)
    raise PageError(
        404, f"There are no papers{words} here.", title="No papers", links=(("The front page", "/"),)
    )


def _gathered(request: Request) -> str:
    """What changes when gathering went on, or failed."""
    accounts: Accounts = request.app.state.accounts
    return str(accounts.current().stamp)


def _line(request: Request, edition: Edition, latest: bool) -> Line | None:
    """What gathering has to say of the day that ``edition`` shows."""
    accounts: Accounts = request.app.state.accounts
    lists = [*edition.lists, *workspace_of(request).settings.front_list_names]
    assert edition.period is not None
    return front_line(accounts.current(), edition.period.name, lists, latest)


def _missed(request: Request, kind: str) -> str:
    """The period that was asked for where this one is shown instead of it, in words."""
    try:
        return _PERIODS[kind](request.query_params.get("instead-of", "")).title
    except DateError:
        return ""


def _beyond(pages: int, path: str) -> PageError:
    plural = "s" if pages != 1 else ""
    return PageError(
        404,
        f"This edition has {pages} page{plural}.",
        title="Past the last page",
        links=(("Its first page", path),),
    )


def _neighbour(period: Period | None, only: str) -> tuple[str, str] | None:
    """(title, path) of the edition before or after."""
    return (period.title, with_query(period_path(period), {"list": only})) if period else None


def _tabs(period: Period) -> dict[str, str]:
    """Where the tabs lead from ``period``: to the day, week and month around its last day."""
    return TABS | {kind: period_path(period_around(kind, period.last)) for kind in _PATHS}
