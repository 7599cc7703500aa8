"""Feeds and sheets kept in memory until anything changes, each with the moment at which its content did."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from fastapi import Request
from fastapi.responses import Response

from .render import conditional

# A feed of a hundred papers has about 200 KB, a printed sheet as much.
_MOST = 64


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file as bytes; ``modified`` is since when (seconds since 1970) it has had this content."""

    body: bytes
    modified: int


class KeptFiles:
    """The files last asked for, by address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: OrderedDict[str, tuple[tuple[int, str], KeptFile]] = OrderedDict()

    def file(self, address: str, state: tuple[int, str], make: Callable[[], bytes]) -> KeptFile:
        """The file of ``address`` as it is in ``state``: the one that is kept, else what ``make`` makes.

        The same content again keeps its moment. Another one gets a later moment even within the same
        second: who asks for what changed since the former must not be told that nothing did.
        """
        with self._lock:
            known = self._files.get(address)
            if known is not None and known[0] == state:
                self._files.move_to_end(address)
                return known[1]
        body = make()
        with self._lock:
            known = self._files.get(address)
            if known is not None and known[1].body == body:
                kept = known[1]
            else:
                kept = KeptFile(body, max(int(time.time()), known[1].modified + 1 if known else 0))
            self._files[address] = (state, kept)
            self._files.move_to_end(address)
            while len(self._files) > _MOST:
                self._files.popitem(last=False)
            return kept


def kept_files(request: Request) -> KeptFiles:
    """The files that the application of ``request`` keeps."""
    state = request.app.state
    if not hasattr(state, "kept_files"):
        state.kept_files = KeptFiles()
    return state.kept_files


def file_answer(
    request: Request, file: KeptFile, media_type: str, headers: Mapping[str, str] | None = None
) -> Response:
    """``file`` with its tag and date; 304 without it where the reader has it already, by either."""
    moment = datetime.fromtimestamp(file.modified, UTC)
    headers = {"Last-Modified": format_datetime(moment, usegmt=True), "Vary": "Accept-Encoding"} | dict(
        headers or {}
    )
    answer = conditional(request, file.body, media_type, headers)
    # The tag goes before the date (RFC 9110, 13.1.3).
    if "if-none-match" in request.headers or not _known_since(request, moment):
        return answer
    kept = {name: answer.headers[name] for name in ("ETag", "Cache-Control", *headers)}
    return Response(status_code=304, headers=kept)


def _known_since(request: Request, modified: datetime) -> bool:
    """Whether a reader that tells only a date has what was last changed at ``modified``."""
    try:
        return parsedate_to_datetime(request.headers.get("if-modified-since", "")) >= modified
    except (ValueError, TypeError):
        return False
