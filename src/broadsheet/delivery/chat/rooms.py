"""Chat rooms of Slack, Discord, Mattermost, Matrix and Telegram, each by its address as Apprise writes it."""

from __future__ import annotations

import asyncio
import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ...model.subscriptions import SubscriptionError
from ..channels import Outgoing, Refused, Retry, Sent
from .text import bare, escaped, markdown

if TYPE_CHECKING:
    import apprise

log = logging.getLogger(__name__)

# What Apprise calls their plugins, and an address of each to show.
ROOMS = {
    "slack": ("NotifySlack", "https://hooks.slack.com/services/T000/B000/XXXX"),
    "discord": ("NotifyDiscord", "https://discord.com/api/webhooks/ID/TOKEN"),
    "mattermost": ("NotifyMattermost", "mmosts://chat.example.org/TOKEN"),
    "matrix": ("NotifyMatrix", "matrixs://TOKEN@matrix.example.org/#room"),
    "telegram": ("NotifyTelegram", "tgram://BOT_TOKEN/CHAT_ID"),
}
# These take Markdown as it is; for the others the library turns it into what they take.
_NATIVE = {"discord", "mattermost"}
# Of these the library does not know how to leave an escaped sign alone.
_BARE = {"slack", "telegram"}
# Below what any of them but Discord takes, with room for what the library makes of it.
_LONGEST = 3_000


class ChatChannel:
    """Sends editions to rooms of one service; see `channels.Channel`."""

    def __init__(self, name: str, site_name: str):
        self.name = name
        self._site_name = site_name

    async def send(self, item: Outgoing) -> Sent | Retry | Refused:
        try:
            room = _room(self.name, item.subscription.address)
        except SubscriptionError as error:
            return Refused(str(error))
        told = bare if self.name in _BARE else escaped
        text = markdown(item, self._site_name, min(room.body_maxlen or _LONGEST, _LONGEST), told)
        taken = await asyncio.to_thread(_notified, room, text, self.name not in _NATIVE)
        # The library tells whether, not why; its own log has the answer of the service.
        return Sent() if taken else Retry(f"{self.name} did not take it")

    async def close(self) -> None:
        pass


def checked_room(name: str, address: str) -> str:
    """The ``address`` of a room of the service ``name``.

    Raises:
        SubscriptionError: if it is none; with an example of one.
    """
    _room(name, address.strip())
    return address.strip()


def _notified(room: Any, text: str, convert: bool) -> bool:
    import apprise

    sender = apprise.Apprise()
    sender.add(room)
    return bool(sender.notify(body=text, body_format=apprise.NotifyFormat.MARKDOWN if convert else None))


@lru_cache(maxsize=1_000)
def _room(name: str, address: str) -> apprise.NotifyBase:
    # It takes a quarter of a second to import, which those without rooms need not wait.
    import apprise

    # What the library says of addresses holds their tokens.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    plugin, example = ROOMS[name]
    # Messages bear this program's name, and no pictures from elsewhere.
    names = {"app_id": "Broadsheet", "app_desc": "Broadsheet", "app_url": "", "image_url_mask": ""}
    asset = apprise.AppriseAsset(**names, image_url_logo="")
    room = apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    if room is None or type(room).__name__ != plugin:
        # The address holds a token: it is not shown.
        raise SubscriptionError(f"that is no address of a {name} room; write one like {example}")
    return room
