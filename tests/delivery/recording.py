"""A channel that keeps what it is given, and answers as a test asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from broadsheet.delivery.channels import Outgoing, Refused, Retry, Sent

Answer = Sent | Retry | Refused


class Recording:
    """Takes everything, or answers what ``answer`` says to each item; ``items`` are those it was given."""

    def __init__(
        self, answer: Callable[[Outgoing], Answer] | None = None, name: str = "mail", seconds: float = 0.0
    ):
        self.name = name
        self.items: list[Outgoing] = []
        self.closed = 0
        self._answer = answer or (lambda item: Sent(f"<{item.id}@recorded>"))
        self._seconds = seconds

    async def send(self, item: Outgoing) -> Answer:
        self.items.append(item)
        await asyncio.sleep(self._seconds)
        return self._answer(item)

    async def close(self) -> None:
        self.closed += 1
