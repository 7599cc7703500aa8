"""Errors as pages of the paper, with the remedy; under /api/ they are JSON."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Mapping
from urllib.parse import unquote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from ..model.dates import DateError
from ..model.papers import Paper
from .api import error_response
from .render import page, workspace_of
from .security import SECURITY_HEADERS

log = logging.getLogger(__name__)

_TITLES = {
    400: "That address is not quite right",
    404: "No such page",
    405: "This page is for reading",
    500: "Something went wrong here",
}


class PageError(Exception):
    """A page that cannot be shown: HTTP ``status``, and a sentence on what to do.

    ``near`` are words to look for nearest papers with; ``links`` are (text, path) of ways on.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        title: str = "",
        near: str = "",
        links: tuple[tuple[str, str], ...] = (),
    ):
        super().__init__(message)
        self.status = status
        self.message = message
        self.title = title or _TITLES.get(status, _TITLES[500])
        self.near = near
        self.links = links


def error_page(request: Request, error: PageError, headers: Mapping[str, str] | None = None) -> Response:
    """``error`` with the same masthead as every page, and with papers near to what was asked for."""
    if request.url.path.startswith("/api/"):
        return error_response(error.status, error.message)
    return page(
        request,
        "error.html",
        error.title,
        status=error.status,
        headers=headers,
        code=error.status,
        message=error.message,
        links=error.links,
        nearest=_nearest(request, error.near),
        query=error.near,
    )


def _nearest(request: Request, words: str) -> list[Paper]:
    if not words:
        return []
    workspace = workspace_of(request)
    try:
        return workspace.store.papers([hit.key for hit in workspace.engine.search(words, limit=5).hits])
    except Exception:
        # The page says what went wrong already; suggestions are not worth a second error.
        log.exception("no suggestions for an error page")
        return []


def words_of_path(path: str) -> str:
    """The words in an address, to look for what it may have meant."""
    return " ".join(re.findall(r"[^\W_]{2,}(?:\.\d+)?", unquote(path)))[:200].removeprefix("papers").strip()


def register(app: FastAPI) -> None:
    """Makes every error of ``app`` a page."""

    def page_error(request: Request, error: PageError) -> Response:
        return error_page(request, error)

    def date_error(request: Request, error: DateError) -> Response:
        return error_page(request, PageError(400, f"{error}."))

    def wrong_parameter(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        name, given = str(first["loc"][-1]), str(first.get("input"))[:40]
        return error_page(request, PageError(400, f"{name}={given} cannot be used: {first['msg']}."))

    def http_error(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            near = words_of_path(request.url.path)
            message = "There is nothing at this address."
            return error_page(request, PageError(404, message, near=near))
        return error_page(request, PageError(error.status_code, f"{error.detail}."), error.headers)

    def failure(request: Request, error: Exception) -> Response:
        request_id = secrets.token_hex(8)
        log.error("request %s failed", request_id, exc_info=error)
        message = f"It is not your fault. The log of the server tells more, under {request_id}."
        # This one is made outside of everything that adds to answers.
        return error_page(request, PageError(500, message), SECURITY_HEADERS)

    app.add_exception_handler(PageError, page_error)  # type: ignore[arg-type]
    app.add_exception_handler(DateError, date_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, wrong_parameter)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, http_error)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, failure)
