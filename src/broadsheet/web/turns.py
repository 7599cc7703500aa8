"""Searches take turns: more of them at once make each other, and everything else, slower."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Half of a search holds the interpreter's lock, so that beyond a few more processors do not help.
_MOST = 4


def searches_at_once() -> int:
    """How many searches this machine does at a time without loss: one waits while each processor has one."""
    return min(len(os.sched_getaffinity(0)) + 1, _MOST)


class Turns:
    """Lets through ``most`` requests for one of ``paths`` at a time; the others wait in the order they came.

    A turn ends when the answer begins, so that a client who reads slowly keeps nobody waiting; requests
    for other paths never wait.
    """

    def __init__(self, app: ASGIApp, paths: Collection[str], most: int):
        self._app, self._paths = app, frozenset(paths)
        self._free = asyncio.Semaphore(most)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        await self._free.acquire()
        is_held = True

        def give_back() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self._free.release()

        async def send_freed(message: Message) -> None:
            give_back()
            await send(message)

        try:
            await self._app(scope, receive, send_freed)
        finally:
            give_back()
