"""What a channel is: mail, chat and webhooks all take an edition and say what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ..model.editions import ComposedEdition
from ..model.papers import Paper
from ..model.subscriptions import Subscription


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses that go with an edition: of the site, and signed ones for this subscription."""

    site: str = ""
    settings: str = ""
    unsubscribe: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One edition on its way to one subscription.

    ``edition`` holds only the entries for this subscription, ``papers`` their papers in the same order.
    ``id`` is the same at every try, so that who gets a copy twice can tell; ``attempts`` counts the tries
    before this one. ``slot`` is the local day (``YYYY-MM-DD``) that the edition is for.
    """

    id: int
    subscription: Subscription
    edition: ComposedEdition
    papers: list[Paper]
    links: Links = field(default_factory=Links)
    slot: str = ""
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """The other side took it; ``message_id`` is what it is called there, for bounces."""

    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """It was not taken now, and may be later.

    ``reason`` is a sentence without the address. ``after`` is how many seconds the other side asked to
    wait. ``away`` says that nothing at all can be sent there for now (the SMTP server does not answer):
    the other editions of the channel wait too, and it does not count as a try.
    """

    reason: str
    after: float | None = None
    away: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never be taken, for ``reason``; ``suppress``: nothing more may be sent to this address."""

    reason: str
    suppress: bool = False


class Channel(Protocol):
    """A way to bring editions to people. One object serves all subscriptions of its ``name``.

    Where making a message takes long, a channel also has ``prepare(item) -> None``, which keeps it ready for
    ``send``. It is called in a thread while nothing is on its way: whoever is busy when an answer comes
    may be killed before it is noted.
    """

    name: str

    async def send(self, item: Outgoing) -> Sent | Retry | Refused:
        """Hands over ``item``; what goes wrong is told, not raised.

        Many calls run at the same time in one event loop. May be cancelled.
        """
        ...

    async def close(self) -> None:
        """Gives back connections; the channel may be used again afterwards."""
        ...
