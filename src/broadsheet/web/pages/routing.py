"""What the handlers of all pages share: routes for reading, finding a route, page numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from fastapi import APIRouter
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from ..errors import PageError

Handler = Callable[..., Response]
# Beyond any archive; a larger number could not be counted by every database.
_MAX_PAGE = 1_000_000


def reading(router: APIRouter, path: str) -> Callable[[Handler], Handler]:
    """Answers GET and HEAD at ``path`` with the decorated handler."""

    def register(handler: Handler) -> Handler:
        router.add_api_route(
            path, handler, methods=["GET", "HEAD"], response_model=None, include_in_schema=False
        )
        return handler

    return register


class _Fixed(BaseRoute):
    """Finds those of ``routes`` whose address has no parameters by their address."""

    def __init__(self, routes: Iterable[BaseRoute]):
        self._routes: dict[str, list[APIRoute]] = {}
        for route in routes:
            if isinstance(route, APIRoute) and not route.param_convertors:
                self._routes.setdefault(route.path, []).append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        for route in self._routes.get(scope["path"], ()):
            match, found = route.matches(scope)
            if match == Match.FULL:
                return match, found
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope["route"].handle(scope, receive, send)


def in_order(routers: Iterable[APIRouter]) -> list[BaseRoute]:
    """The routes of ``routers``, which are asked in this order; those with a fixed address are found at once.

    A site has dozens of routes, and `FastAPI.include_router` asks each of them several times a request.
    """
    routes = [route for router in routers for route in router.routes]
    return [_Fixed(routes), *routes]


def page_number(text: str) -> int:
    """The page, from 0, that the parameter ``p`` names. Raises `PageError` where it names none."""
    if not text:
        return 0
    if text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= _MAX_PAGE:
        return int(text)
    raise PageError(400, f"p={text[:40]} is no page; pages are numbered 0, 1, 2 and so on.")


def page_size(text: str, sizes: Sequence[int]) -> int:
    """The size of a page that the parameter ``n`` names, one of ``sizes``; the first where it names none.

    Raises `PageError` where it names another.
    """
    if not text:
        return sizes[0]
    named = {str(size): size for size in sizes}
    if text not in named:
        shown = ", ".join(map(str, sizes[:-1])) + f" or {sizes[-1]}"
        raise PageError(400, f"n={text[:40]} is no size of a page; a page has {shown} results.")
    return named[text]
