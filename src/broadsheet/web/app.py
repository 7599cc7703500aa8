"""The site of one workspace as an ASGI application."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from .. import __version__
from ..workspace import Workspace
from . import api, coverage_api, errors, metrics, pages, static_files, suggest
from .coverage import Accounts
from .kept_pages import KeptPages
from .render import environment
from .security import SecurityHeaders


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
    app.include_router(static_files.router)
    # Before the API, which answers for every other address under /api.
    app.include_router(coverage_api.router)
    app.include_router(api.router)
    app.include_router(metrics.router)
    # Before the pages, whose papers take whatever address is left.
    app.include_router(suggest.router)
    app.include_router(pages.router)
    errors.register(app)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(metrics.Measured, metrics=app.state.metrics)
    environment()
    return app
