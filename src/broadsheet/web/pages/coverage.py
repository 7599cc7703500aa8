"""The account of gathering as pages: the last year of every source, one source, one day."""

from __future__ import annotations

from datetime import date, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from ...model.periods import Period, day_period
from ..coverage import (
    TROUBLE,
    Account,
    Accounts,
    Line,
    SourceAccount,
    identifier_link,
    missing_of,
    moment,
    not_read,
    row_words,
    sentence,
)
from ..coverage_picture import Picture, picture
from ..errors import PageError
from ..render import kept, page, with_query, workspace_of
from ..stories import counted
from .routing import reading

router = APIRouter()

# Troubled days that are named under the picture of a source; its own page has them all.
_NAMED = 6
# Lists of one source with a picture of their own; a source may have hundreds, of a day each.
_MOST_LISTS = 24
# Missing papers of one list and day that are linked.
_MOST_MISSING = 1_000


def account_of(request: Request) -> Account:
    accounts: Accounts = request.app.state.accounts
    return accounts.current()


def day_path(day: str) -> str:
    return f"/coverage/{day}"


def source_path(name: str) -> str:
    return with_query("/coverage", {"source": name})


@reading(router, "/coverage")
def coverage(request: Request, source: str = "", day: str = "") -> Response:
    """The last year of all sources, or of one; ``day`` is what the form of the page asks for."""
    if day:
        return RedirectResponse(day_path(day_period(day).name), 302)
    told = account_of(request)
    if source:
        return kept(request, lambda: _source(request, told, source), str(told.stamp))
    return kept(request, lambda: _overview(request, told), str(told.stamp))


def _overview(request: Request, told: Account) -> Response:
    return page(
        request,
        "coverage.html",
        "Coverage",
        path="/coverage",
        description="What each source announced, what of it is here, and what is missing and why.",
        section="coverage",
        told=told,
        sources=[(one, _drawn(one, told)) for one in told.sources],
        recent=_recent(told),
        named=_NAMED,
        moment=moment,
        source_path=source_path,
        day_path=day_path,
        alternates=(("application/json", "/api/coverage"),),
    )


def _drawn(source: SourceAccount, told: Account) -> Picture | None:
    return picture(source.days, told.first, told.last, day_path) if source.days else None


def _recent(told: Account) -> Line:
    """The last seven days in a sentence."""
    first = (date.fromisoformat(told.last) - timedelta(days=6)).isoformat()
    parts, known = [], False
    for source in told.sources:
        days = [day for day in source.days.values() if day.day >= first]
        known = known or bool(days)
        unread = sum(day.state in TROUBLE and day.state != "incomplete" for day in days)
        missing = sum(day.missing for day in days)
        lacks = [f"lacks {counted(missing, 'paper')}"] * bool(missing)
        if source.gathered.failures:
            parts.append(not_read(source))
        elif unread:
            lacks.append(f"was not read on {counted(unread, 'day')}")
        if lacks:
            parts.append(f"{source.title} {' and '.join(lacks)}")
    if parts:
        return Line(f"In the last seven days: {'; '.join(parts)}.", True, "")
    said = "All that was announced in the last seven days is here."
    return Line(said if known else "Nothing was announced in the last seven days.", False, "")


def _source(request: Request, told: Account, name: str) -> Response:
    source = told.source(name)
    if source is None:
        links = (("All sources", "/coverage"),)
        raise PageError(404, f"There is no source {name[:80]} here.", title="No such source", links=links)
    lists = source.lists
    drawn = []
    if len(lists) > 1:
        drawn = [(one, source.of_list(one)) for one in lists[:_MOST_LISTS]]
    return page(
        request,
        "coverage_source.html",
        f"Coverage: {source.title}",
        path=source_path(name),
        description=f"What {source.title} announced, what of it is here, and what is missing and why.",
        section="coverage",
        told=told,
        source=source,
        whole=picture(source.days, told.first, told.last, day_path, all_days=True),
        lists=[(one, days, picture(days, told.first, told.last, day_path)) for one, days in drawn],
        more_lists=len(lists) - len(drawn) if drawn else 0,
        moment=moment,
        day_path=day_path,
        alternates=(("application/json", with_query("/api/coverage", {"source": name})),),
    )


@reading(router, "/coverage/{name}")
def day(request: Request, name: str) -> Response:
    """Every list of every source on one day, with what is missing."""
    period, told = day_period(name), account_of(request)
    return kept(request, lambda: _day(request, told, period), str(told.stamp))


def _day(request: Request, told: Account, period: Period) -> Response:
    known = sorted({day for source in told.sources for day in source.days})
    before = [day for day in known if day < period.name]
    after = [day for day in known if day > period.name]
    return page(
        request,
        "coverage_day.html",
        f"Coverage of {period.title}",
        path=day_path(period.name),
        description=f"What was announced for {period.title}, what of it is here, and what is missing.",
        section="coverage",
        period=period,
        # What broke comes first.
        found=sorted(told.on(period.name), key=lambda pair: pair[1].state not in TROUBLE),
        heading=period.title,
        outside=not told.first <= period.name <= told.last,
        before=before[-1] if before else "",
        after=after[0] if after else "",
        papers=sum(workspace_of(request).store.lists_between(period.name, period.name).values()),
        identifier_link=identifier_link,
        missing_of=missing_of,
        row_words=row_words,
        sentence=sentence,
        moment=moment,
        most=_MOST_MISSING,
        source_path=source_path,
        day_path=day_path,
        alternates=(("application/json", f"/api/coverage?first={period.name}&last={period.name}"),),
    )
