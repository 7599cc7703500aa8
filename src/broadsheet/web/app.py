"""The site of one workspace as an ASGI application."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import __version__
from ..workspace import Workspace
from . import api, errors, pages, static_files
from .kept_pages import KeptPages
from .render import environment

# Pages carry no script and no style of their own: whatever is in a title cannot become one.
_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SecurityHeaders:
    """Adds to every answer the headers that keep a browser from running what is not ours."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def create_app(workspace: Workspace) -> FastAPI:
    """The site over ``workspace``, which stays the caller's to close.

    Pages are the routers of `pages`, the JSON API that of `api`; `/api/openapi.json` describes the
    latter only. Handlers reach the workspace as ``request.app.state.workspace``.
    """
    app = FastAPI(
        title=f"{workspace.settings.site_name} API",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.state.workspace = workspace
    app.state.kept_pages = KeptPages(workspace.store)
    app.include_router(static_files.router)
    app.include_router(api.router)
    app.include_router(pages.router)
    errors.register(app)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)
    app.add_middleware(SecurityHeaders)
    environment()
    return app
