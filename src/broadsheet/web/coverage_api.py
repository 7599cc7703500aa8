"""The account of gathering as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from typing_extensions import TypedDict

from ..model.dates import day as checked_day
from ..model.gathering import Coverage
from .api import ApiError, Route, json_response
from .coverage import Accounts, SourceAccount, missing_of

router = APIRouter(prefix="/api", route_class=Route, tags=["Coverage"])

# Days in an answer where none are named.
_DAYS = 30


class SourceState(TypedDict):
    """How gathering from one source goes. ``failures`` are runs in a row; times are UTC timestamps."""

    name: str
    title: str
    homePage: str | None
    lastTried: str | None
    lastRead: str | None
    failures: int
    gathering: bool
    missing: int


class DayCoverage(TypedDict):
    """What a source announced in one list on one day, and what of it is stored.

    ``announced`` is null where the source gave no listing. ``missingIds`` are those that it named, as
    ``arxiv:2605.00001``. ``state`` is ``complete``, ``incomplete``, ``holiday`` (nothing was published),
    ``late`` (not published yet), ``failed`` or ``refused``.
    """

    source: str
    list: str
    day: str
    announced: int | None
    stored: int
    missing: int
    missingIds: Sequence[str]
    state: str
    reason: str | None
    tried: str


class CoverageAnswer(TypedDict):
    """The account of gathering from one day to another."""

    first: str
    last: str
    sources: list[SourceState]
    days: list[DayCoverage]


def _coverage(
    request: Request,
    first: Annotated[str, Query(description="First day, YYYY-MM-DD; the last 30 days where left out.")] = "",
    last: Annotated[str, Query(description="Last day, YYYY-MM-DD; today where left out.")] = "",
    source: Annotated[str, Query(description="Only this source.", max_length=300)] = "",
) -> Response:
    """A year back at most. Papers that are stored meanwhile are missing no more."""
    accounts: Accounts = request.app.state.accounts
    told = accounts.current()
    until = checked_day(last) if last else told.last
    begin = checked_day(first) if first else _before(until, _DAYS - 1)
    if begin > until:
        raise ApiError(400, f"first={begin} is after last={until}; exchange them")
    sources = [told.source(source)] if source else list(told.sources)
    if None in sources:
        names = ", ".join(one.name for one in told.sources) or "none"
        raise ApiError(404, f"there is no source {source[:80]}; there are {names}")
    return json_response(
        {
            "first": begin,
            "last": until,
            "sources": [_source(one) for one in sources if one],
            "days": [_row(row, one.private) for one in sources if one for row in _rows(one, begin, until)],
        }
    )


def _before(day: str, days: int) -> str:
    return (date.fromisoformat(day) - timedelta(days=days)).isoformat()


def _rows(source: SourceAccount, first: str, last: str) -> list[Coverage]:
    return [row for day in source.days.values() if first <= day.day <= last for row in day.rows]


def _source(source: SourceAccount) -> SourceState:
    state = source.gathered
    return {
        "name": source.name,
        "title": source.title,
        "homePage": source.home_page or None,
        "lastTried": state.tried or None,
        "lastRead": state.succeeded or None,
        "failures": state.failures,
        "gathering": bool(state.holder),
        "missing": source.missing,
    }


def _row(row: Coverage, private: bool) -> DayCoverage:
    return {
        "source": row.source,
        "list": row.list,
        "day": row.day,
        "announced": row.announced,
        "stored": row.stored,
        "missing": missing_of(row),
        "missingIds": row.missing,
        "state": row.state,
        "reason": (row.reason or None) if not private else None,
        "tried": row.tried,
    }


router.add_api_route(
    "/coverage",
    _coverage,
    methods=["GET"],
    operation_id="coverage",
    response_model=CoverageAnswer,
    summary="What was announced, what of it is stored, and what is missing",
)
router.add_api_route("/coverage", _coverage, methods=["HEAD"], include_in_schema=False)
