"""What the handlers of all pages share: routes for reading, page numbers."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import Response

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


def page_number(text: str) -> int:
    """The page, from 0, that the parameter ``p`` names. Raises `PageError` where it names none."""
    if not text:
        return 0
    if text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= _MAX_PAGE:
        return int(text)
    raise PageError(400, f"p={text[:40]} is no page; pages are numbered 0, 1, 2 and so on.")
