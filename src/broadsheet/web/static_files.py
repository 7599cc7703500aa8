"""The site's own files, held in memory, under addresses that change with their content."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

_FOLDER = Path(__file__).with_name("static")
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@lru_cache
def content(name: str) -> bytes:
    """The static file ``name``. Raises `FileNotFoundError` where there is none."""
    path = _FOLDER / name
    if path.parent != _FOLDER or path.suffix not in _TYPES:
        raise FileNotFoundError(name)
    return path.read_bytes()


@lru_cache
def address(name: str) -> str:
    """The path of the static file ``name`` on the site, with a hash of its content in it."""
    return f"/static/{hashlib.sha256(content(name)).hexdigest()[:12]}/{name}"


@router.api_route("/static/{digest}/{name}", methods=["GET", "HEAD"])
def static_file(digest: str, name: str) -> Response:
    try:
        current = address(name) == f"/static/{digest}/{name}"
        body = content(name)
    except (FileNotFoundError, ValueError):
        return Response("no such file\n", status_code=404, media_type="text/plain")
    # An old address gives today's file, but not for ever.
    caching = _FOR_EVER if current else "no-cache"
    return Response(body, media_type=_TYPES[Path(name).suffix], headers={"Cache-Control": caching})


@router.api_route("/favicon.svg", methods=["GET", "HEAD"])
@router.api_route("/favicon.ico", methods=["GET", "HEAD"])
def favicon(request: Request) -> Response:
    headers = {"Cache-Control": "public, max-age=86400"}
    return Response(content("favicon.svg"), media_type=_TYPES[".svg"], headers=headers)
