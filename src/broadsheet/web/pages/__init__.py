"""The pages of the site, one module a kind."""

from __future__ import annotations

from fastapi import APIRouter

from . import (
    about,
    coverage,
    delivery,
    editions,
    feeds,
    hooks,
    papers,
    plumbing,
    print,
    search,
    subscriptions,
    trending,
)

router = APIRouter(include_in_schema=False)
# Papers come last: their addresses take whatever the others leave.
for part in (
    plumbing, about, coverage, delivery, feeds, hooks, print, search, trending, subscriptions,
    editions, papers,
):  # fmt: skip
    router.routes += part.router.routes
