"""Editions in chat rooms, by the notification library Apprise, and to webhooks, as signed JSON."""

from .rooms import ROOMS, ChatChannel, checked_room
from .webhook import WebhookChannel, checked_webhook, secret_of

__all__ = ["ROOMS", "ChatChannel", "WebhookChannel", "checked_room", "checked_webhook", "secret_of"]
