"""The JSON API of the Daily Papers, for programs: its reading half, without any login.

Every answer, errors too, is JSON. Parameters that are not known are ignored; one that is known
and wrong is refused with what is allowed.
"""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode, urlsplit

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from ..editions import front_page, newest, trending
from ..model.dates import DateError
from ..model.papers import Paper
from ..search.engine import MAX_QUERY, MAX_TOTAL, Answer, Hit
from ..workspace import Workspace
from . import shapes, wire
from .highlight import Wanted, wanted
from .searching import searched
from .variants import Variants, facets_json

log = logging.getLogger(__name__)

MAX_DAILY = 100
MAX_PAPERS = 100
MAX_FOUND = 120
MAX_SIMILAR = 100
# Papers that "similar to several" takes.
MAX_IDS = 20
# Beyond any archive; a larger number could not be counted by every database.
MAX_PAGE = 1_000_000

# Parameter -> kind of period.
_PERIODS = {"date": "day", "week": "week", "month": "month"}

# Reading is for everybody, so pages of any site may do it from a browser.
_OPEN_TO_ALL = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Link, X-Error-Message, X-Request-Id",
}
_PREFLIGHT = {
    **_OPEN_TO_ALL,
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}


class ApiError(Exception):
    """A request that cannot be answered: HTTP ``status`` and a message for who sent it."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


def json_response(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """``content`` as the answer of the API."""
    return Response(
        orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS),
        status,
        headers={**_OPEN_TO_ALL, **(headers or {})},
        media_type="application/json",
    )


def error_response(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """An error in the form that clients of the Hub understand."""
    # A header holds printable ASCII only; the body has the message as it is.
    line = "".join(c if " " <= c <= "~" else "?" for c in message)[:500]
    return json_response({"error": message}, status, {"X-Error-Message": line, **(headers or {})})


def _request_id(request: Request) -> str:
    """The id that this request has in logs and answers."""
    known = getattr(request.state, "request_id", None)
    return known if isinstance(known, str) else secrets.token_hex(8)


class Route(APIRoute):
    """A route whose errors of every kind are answers of the API, for all routers under ``/api``."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            request_id = _request_id(request)
            try:
                response = await handle(request)
            except ApiError as error:
                response = error_response(error.status, error.message, error.headers)
            except RequestValidationError as error:
                response = error_response(400, _wrong_parameters(error.errors()))
            except DateError as error:
                response = error_response(400, str(error))
            except HTTPException as error:
                response = error_response(error.status_code, str(error.detail), dict(error.headers or {}))
            except Exception:
                log.exception("request %s to %s failed", request_id, request.scope["route"].path)
                response = error_response(
                    500, f"Something went wrong here; the log tells more of request {request_id}"
                )
            response.headers["X-Request-Id"] = request_id
            return response

        return answer


def _wrong_parameters(errors: Iterable[Any]) -> str:
    """What is wrong with which parameter, what it may be, and the remedy."""
    return "; ".join(dict.fromkeys(_wrong_parameter(error) for error in errors))


def _wrong_parameter(error: dict[str, Any]) -> str:
    name, given = str(error["loc"][-1]), str(error.get("input"))
    shown = given if len(given) <= 40 else f"{given[:40]}..."
    context = error.get("ctx") or {}
    match error["type"]:
        case "greater_than_equal":
            return f"{name}={shown} is too small; the smallest is {context['ge']}"
        case "less_than_equal":
            remedy = ", then follow the Link header for more" if name == "limit" else ""
            return f"{name}={shown} is too large; ask for at most {context['le']}{remedy}"
        case "literal_error":
            return f"{name}={shown} is not known; give {context['expected'].replace(chr(39), '')}"
        case "string_too_long":
            return f"{name} has {len(given):,} characters; give at most {context['max_length']:,}"
        case "int_parsing" | "int_from_float" | "int_parsing_size":
            return f"{name}={shown} is no number; give a whole number"
    return f"{name}={shown}: {error['msg']}"


router = APIRouter(prefix="/api", route_class=Route, tags=["Papers"])

_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": shapes.Failure, "description": "A parameter is wrong"},
    "default": {"model": shapes.Failure, "description": "Any other error"},
}
_NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": shapes.Failure, "description": "The paper is not known here"}
}


def _get(path: str, **documented: Any) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Answers GET, which is documented, and HEAD at ``path``."""

    def register(handler: Callable[..., Response]) -> Callable[..., Response]:
        router.add_api_route(path, handler, methods=["GET"], operation_id=handler.__name__, **documented)
        router.add_api_route(path, handler, methods=["HEAD"], include_in_schema=False)
        return handler

    return register


def _workspace(request: Request) -> Workspace:
    return request.app.state.workspace


def _given(text: str) -> str | None:
    """``text``, or None for a parameter that is left out or empty. No stored text holds a NUL."""
    return text.replace("\x00", "").strip() or None


def _next_link(request: Request, **parameters: Any) -> dict[str, str]:
    """The Link header to the next page: this address with ``parameters`` (None is left out)."""
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    # Where a proxy serves the site under a path, clients have to ask with it.
    prefix = urlsplit(_workspace(request).settings.base_url).path.rstrip("/")
    return {"Link": f'<{prefix}{request.url.path}?{query}>; rel="next"'}


@_get(
    "/daily_papers",
    response_model=list[shapes.Item],
    responses=_ERRORS,
    summary="Papers of a day, a week, a month, or the latest",
)
def daily_papers(
    request: Request,
    date: Annotated[str, Query(description="A day, YYYY-MM-DD.", examples=["2026-05-29"])] = "",
    week: Annotated[str, Query(description="An ISO week, YYYY-Www.", examples=["2026-W22"])] = "",
    month: Annotated[str, Query(description="A month, YYYY-MM.", examples=["2026-05"])] = "",
    submitter: Annotated[str, Query(description="Only what this account submitted.", max_length=200)] = "",
    sort: Annotated[
        Literal["publishedAt", "trending"],
        Query(description="`trending`: by votes and comments against age, where nothing else narrows."),
    ] = "publishedAt",
    p: Annotated[int, Query(ge=0, le=MAX_PAGE, description="The page, from 0.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_DAILY, description="Papers on a page.")] = 50,
) -> Response:
    """Without `date`, `week` and `month`: the papers of all days, latest day first.

    Within a period, most upvoted first, then by place in the list. A period without papers gives `[]`.
    The header `Link` with `rel="next"` leads to the next page, where there is one.
    """
    workspace = _workspace(request)
    narrowed = {
        "date": _given(date),
        "week": _given(week),
        "month": _given(month),
        "submitter": _given(submitter),
    }
    submitter = narrowed["submitter"]
    periods = [(kind, narrowed[name]) for name, kind in _PERIODS.items() if narrowed[name]]
    if len(periods) > 1:
        raise ApiError(400, "date, week and month exclude each other; give one of them")
    offset = p * limit
    if periods:
        kind, name = periods[0]
        edition = front_page(
            workspace.store, workspace.settings, kind, name, submitter=submitter, limit=limit, offset=offset
        )
    elif sort == "trending" and not submitter:
        edition = trending(workspace.store, workspace.settings, limit=limit, offset=offset)
    else:
        edition = newest(workspace.store, workspace.settings, submitter, limit=limit, offset=offset)
    headers = {}
    if offset + limit < edition.total:
        chosen_sort = sort if "sort" in request.query_params else None
        headers = _next_link(request, p=p + 1, limit=limit, **narrowed, sort=chosen_sort)
    return json_response(
        [wire.item(entry.paper, entry.listing) for entry in edition.entries], headers=headers
    )


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"after:{offset}".encode()).decode().rstrip("=")


def _offset(cursor: str) -> int:
    """The number of papers before the page that ``cursor`` leads to."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        name, _, number = text.partition(":")
        if name == "after" and len(number) < 12 and number.isdecimal():
            return int(number)
    except ValueError:
        pass
    raise ApiError(400, "cursor is none of this API; take it from the Link header of an answer")


@_get(
    "/papers",
    response_model=list[shapes.Item],
    responses=_ERRORS,
    summary="All papers, newest publication first",
)
def papers(
    request: Request,
    cursor: Annotated[
        str, Query(description="From the `Link` header of the page before.", max_length=100)
    ] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAPERS, description="Papers on a page.")] = 50,
) -> Response:
    """Papers whose day of publication is not known stand by the day on which they were first listed."""
    offset = _offset(given) if (given := _given(cursor)) else 0
    found = _workspace(request).store.recent(limit + 1, offset)
    headers = _next_link(request, cursor=_cursor(offset + limit), limit=limit) if len(found) > limit else {}
    return json_response([wire.item(paper) for paper in found[:limit]], headers=headers)


@_get(
    "/papers/search",
    response_model=list[shapes.SearchItem],
    responses=_ERRORS,
    summary="Search by words and meaning",
)
def search(
    request: Request,
    q: Annotated[
        str,
        Query(
            description="A question, words, a title, or an id or address of a paper.", max_length=MAX_QUERY
        ),
    ] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_FOUND, description="Results.")] = 20,
) -> Response:
    """Best match first. Without `q`: the newest papers. `/api/search` tells more of the search itself."""
    workspace = _workspace(request)
    query = _given(q)
    if query is None:
        return json_response([wire.search_item(paper) for paper in workspace.store.recent(limit)])
    answer, looked_for = searched(workspace.engine, query, lambda query: wanted(query.text), limit)
    return json_response(_results(workspace, answer, looked_for))


def _results(workspace: Workspace, answer: Answer, looked_for: Wanted) -> list[shapes.SearchItem]:
    """The papers that ``answer`` found, with those folded behind them by their ids."""
    papers = _papers(workspace, [key for hit in answer.hits for key in (hit.key, *hit.folded)])
    return [
        wire.search_item(
            papers[hit.key], hit, looked_for, [papers[key].id for key in hit.folded if key in papers]
        )
        for hit in answer.hits
        if hit.key in papers
    ]


def _papers(workspace: Workspace, keys: Sequence[int]) -> dict[int, Paper]:
    return {paper.key: paper for paper in workspace.store.papers(keys)}


@_get(
    "/search",
    response_model=shapes.Found,
    responses=_ERRORS,
    summary="Search with facets, notes and a better spelling",
)
def find(
    request: Request,
    q: Annotated[
        str,
        Query(
            description="What may be typed on the search page, filters too: `title:`, `author:`, `cat:`, "
            '`venue:`, `listed:`, `has:`, `year:`, `after:`, `before:`, `sort:`, `"a phrase"`, `-without`.',
            examples=["graph networks cat:cs.LG year:2024-2026 has:code"],
            max_length=MAX_QUERY,
        ),
    ] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_FOUND, description="Results.")] = 20,
    offset: Annotated[int, Query(ge=0, le=MAX_TOTAL, description="Results to leave out before them.")] = 0,
) -> Response:
    """Best match first, unless the query says `sort:date` or `sort:votes`. Without `q` nothing is found.

    The header `Link` with `rel="next"` leads to the next page, where there is one.
    """
    workspace = _workspace(request)
    query, today = _given(q) or "", datetime.now(UTC).date()
    answer, (variants, looked_for) = searched(
        workspace.engine,
        query,
        lambda parsed: (Variants(parsed, today), wanted(parsed.text)),
        limit,
        offset,
        extras=True,
    )
    headers = {}
    if answer.hits and offset + limit < answer.total:
        headers = _next_link(request, q=query, limit=limit, offset=offset + limit)
    return json_response(
        {
            "query": query,
            "written": variants.written,
            "total": answer.total,
            "notes": answer.notes,
            "didYouMean": answer.did_you_mean or None,
            "facets": facets_json(answer.facets, variants),
            "results": _results(workspace, answer, looked_for),
        },
        headers=headers,
    )


_SimilarLimit = Annotated[int, Query(ge=1, le=MAX_SIMILAR, description="Papers.")]


@_get(
    "/similar",
    response_model=list[shapes.SimilarItem],
    responses=_ERRORS | _NOT_FOUND,
    summary="Papers like several others together",
)
def similar_to(
    request: Request,
    ids: Annotated[
        str,
        Query(
            description=f"Up to {MAX_IDS} ids of papers, separated by commas.",
            examples=["2407.21783,1706.03762"],
        ),
    ] = "",
    limit: _SimilarLimit = 10,
) -> Response:
    """Nearest in meaning first; none repeats another, and the given ones are left out."""
    workspace = _workspace(request)
    names = list(dict.fromkeys(ids.replace("\x00", "").replace(",", " ").split()))
    if not names:
        raise ApiError(400, "ids is empty; give the ids of one or more papers, separated by commas")
    if len(names) > MAX_IDS:
        raise ApiError(400, f"ids has {len(names):,} ids; give at most {MAX_IDS}")
    keys = {name: workspace.store.resolve(name) if len(name) <= 2_000 else None for name in names}
    if unknown := [name[:100] for name, key in keys.items() if key is None]:
        raise ApiError(404, f"Paper not found: {', '.join(unknown)}")
    return _similar(workspace, workspace.engine.similar_to([key for key in keys.values() if key], limit))


def _similar(workspace: Workspace, hits: Sequence[Hit]) -> Response:
    papers = _papers(workspace, [hit.key for hit in hits])
    return json_response([wire.similar_item(papers[hit.key], hit) for hit in hits if hit.key in papers])


def _paper(request: Request, name: str) -> Paper:
    paper = _workspace(request).store.paper(name) if len(name) <= 2_000 else None
    if paper is None:
        raise ApiError(404, "Paper not found")
    return paper


_ID = Path(
    description="An arXiv id (with or without version), DOI, ACL or OpenReview id, or a paper's address."
)


@_get(
    "/papers/{id:path}/similar",
    response_model=list[shapes.SimilarItem],
    responses=_ERRORS | _NOT_FOUND,
    summary="Papers like one other",
)
def similar(request: Request, id: Annotated[str, _ID], limit: _SimilarLimit = 10) -> Response:
    """Nearest in meaning first; none repeats another, and the paper itself is left out."""
    workspace = _workspace(request)
    return _similar(workspace, workspace.engine.similar(_paper(request, id).key, limit))


@_get(
    "/papers/{id:path}",
    response_model=shapes.WholePaper,
    responses=_ERRORS | _NOT_FOUND,
    summary="One paper with all that is linked with it",
)
def paper(request: Request, id: Annotated[str, _ID]) -> Response:
    """Ids with a slash (`hep-th/9901001`, DOIs) are given as they are or escaped."""
    return json_response(wire.whole_paper(_paper(request, id)))


@_get(
    "/arxiv/{id:path}/repos",
    response_model=shapes.Repositories,
    responses=_ERRORS | _NOT_FOUND,
    summary="Models, data sets and spaces that are linked with a paper",
)
def repositories(request: Request, id: Annotated[str, _ID]) -> Response:
    """The same that the paper itself holds under `linkedModels`, `linkedDatasets` and `linkedSpaces`."""
    return json_response(wire.repositories(_paper(request, id)))


@_get(
    "/agent-harnesses",
    response_model=shapes.Harnesses,
    summary="What the `hf` command asks for when it starts",
)
def agent_harnesses() -> Response:
    """Always empty."""
    return json_response({"standardEnvVars": [], "harnesses": {}})


@router.options("/{rest:path}", include_in_schema=False)
def preflight(rest: str) -> Response:
    """What a browser asks before a page of another site may read."""
    return Response(status_code=204, headers=_PREFLIGHT)


@router.api_route(
    "/{rest:path}", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False
)
def nothing_here(request: Request, rest: str) -> Response:
    """An address that the API does not have, or not for this method."""
    if request.method in ("GET", "HEAD"):
        raise ApiError(404, "The API has nothing at this address; /api/openapi.json lists what there is")
    raise ApiError(
        405, f"{request.method} is not taken here: this API is for reading", {"Allow": "GET, HEAD, OPTIONS"}
    )
