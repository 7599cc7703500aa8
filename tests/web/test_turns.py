"""How many searches run at a time, and that nothing else waits for them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from broadsheet.web.turns import Turns


class Site:
    """Answers when it is told to; counts what it is asked, and what runs at a time."""

    def __init__(self, fails: bool = False):
        self.asked: list[str] = []
        self.running = self.most = 0
        self.may_answer = asyncio.Event()
        self._fails = fails

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        self.running += 1
        self.most = max(self.most, self.running)
        await self.may_answer.wait()
        self.running -= 1
        if self._fails:
            raise RuntimeError("a page that fails")
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})


async def _ask(app: Turns, path: str, send: Any = None) -> None:
    async def sent(message: Any) -> None:
        await asyncio.sleep(0)

    await app({"type": "http", "path": path}, None, send or sent)  # type: ignore[arg-type]


def test_two_searches_run_and_the_others_wait_while_other_pages_do_not() -> None:
    async def scene() -> None:
        site = Site()
        app = Turns(site, ["/search"], 2)
        searches = [asyncio.create_task(_ask(app, "/search")) for _ in range(6)]
        page = asyncio.create_task(_ask(app, "/papers/month/2026-05"))
        await asyncio.sleep(0.01)
        assert sorted(site.asked) == ["/papers/month/2026-05", "/search", "/search"]
        site.may_answer.set()
        await asyncio.gather(*searches, page)
        assert len(site.asked) == 7
        assert site.most == 3

    asyncio.run(scene())


def test_a_client_who_reads_slowly_keeps_no_search_waiting() -> None:
    async def scene() -> None:
        site = Site()
        app = Turns(site, ["/search"], 1)
        reads = asyncio.Event()

        async def slow(message: Any) -> None:
            await reads.wait()

        site.may_answer.set()
        sluggish = asyncio.create_task(_ask(app, "/search", slow))
        await asyncio.wait_for(_ask(app, "/search"), 5)
        assert not sluggish.done()
        reads.set()
        await sluggish

    asyncio.run(scene())


def test_a_search_that_fails_gives_its_turn_back() -> None:
    async def scene() -> None:
        site = Site(fails=True)
        app = Turns(site, ["/search"], 1)
        site.may_answer.set()
        for _ in range(3):
            with pytest.raises(RuntimeError):
                await asyncio.wait_for(_ask(app, "/search"), 5)

    asyncio.run(scene())
