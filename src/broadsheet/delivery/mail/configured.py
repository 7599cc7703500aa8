"""The mail channel that the settings describe."""

from __future__ import annotations

from urllib.parse import urlsplit

from ...config import Settings
from .message import Sender
from .render import Renderer, Site
from .smtp import MailChannel, Server


def mail_channel(settings: Settings) -> MailChannel | None:
    """The channel; None where no mail server is set.

    Raises:
        ServerError, SenderError: if a setting cannot be used; the message names it.
    """
    if not settings.smtp_url.strip():
        return None
    return MailChannel(
        Server.of(settings.smtp_url),
        sender_of(settings),
        Renderer(site_of(settings)),
        settings.mail_connections,
    )


def sender_of(settings: Settings) -> Sender:
    """From whom mails are; without ``mail_from``, broadsheet@ the host of the site.

    Raises:
        SenderError: if a setting cannot be used.
    """
    host = urlsplit(settings.base_url).hostname or "localhost"
    return Sender.of(
        settings.mail_from or f"{settings.site_name} <broadsheet@{host}>",
        settings.mail_reply_to,
        settings.mail_bounces,
        settings.dkim_key,
        settings.dkim_selector,
    )


def site_of(settings: Settings) -> Site:
    return Site(settings.site_name, settings.tagline, settings.mail_postal_address)
