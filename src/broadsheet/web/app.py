"""The site of one workspace as an ASGI application."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from .. import __version__
from ..workspace import Workspace
from . import api, coverage_api, errors, metrics, pages, static_files, suggest
from .coverage import Accounts
from .kept_pages import KeptPages
from .pages.routing import in_order
from .render import environment
from .security import SecurityHeaders
from .turns import Turns, searches_at_once

_SEARCHES = ("/search", "/api/search", "/api/papers/search")


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
    app.state.accounts = Accounts(workspace.store, workspace.settings)
    app.state.metrics = metrics.Metrics(workspace, app.state.accounts)
    # The API answers for every other address under /api, the pages' papers take whatever is left.
    parts = (static_files, coverage_api, api, metrics, suggest, pages)
    app.router.routes += in_order([part.router for part in parts])
    errors.register(app)
    # The first that is added stands nearest to the pages.
    app.add_middleware(Turns, paths=_SEARCHES, most=searches_at_once())
    # A fifth of the time of level 6 for a tenth more bytes.
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=3)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(metrics.Measured, metrics=app.state.metrics)
    environment()
    return app
