"""Handing mails to the mail server: a few connections, each used for many mails, and what its answers mean.

Source: RFC 5321, section 4.2.1 (4xx: try again, 5xx: never), RFC 3463 (enhanced codes).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import ssl
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from ...model.subscriptions import SubscriptionError
from ..channels import Outgoing, Refused, Retry, Sent
from .message import (
    Sender,
    SenderError,
    envelope_sender,
    message,
    message_id,
    needs_utf8,
    note,
    with_ascii_domain,
)
from .render import Rendered, Renderer

log = logging.getLogger(__name__)

# A server that hangs is left after so long; RFC 5321 allows minutes, a queue of thousands does not.
_TIMEOUT_SECONDS = 30.0
# Mails over one connection: servers close those that last too long.
_MAILS_A_CONNECTION = 100
# These say that the address does not exist or takes no mail (RFC 3463), not that this mail was refused.
_GONE = re.compile(r"\b5\.(?:1\.[1236]|1\.10|2\.1)\b")
_DEFAULT_PORTS = {"smtp": 25, "smtps": 465}


class ServerError(ValueError):
    """The setting smtp_url cannot be used; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server: ``tls`` from the start, or STARTTLS: demanded, taken where offered, or never."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: bool = False
    starttls: bool | None = None

    @classmethod
    def of(cls, url: str) -> Server:
        """The server at ``smtp://user:password@host:port`` or ``smtps://...``.

        Raises:
            ServerError: if ``url`` is none.
        """
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            # The URL may hold a password: it is not shown.
            raise ServerError(
                "BROADSHEET_SMTP_URL is no address of a mail server; write smtp://user:password@host:587 "
                "(a user name or password with @, : or / is written with %40, %3A, %2F)"
            )
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        without = parse_qs(parts.query).get("tls", [""])[0] in ("no", "off", "false", "0")
        # A password never goes over the wire in the clear, unless that is said.
        starttls = False if without else True if password and parts.scheme == "smtp" else None
        return cls(
            parts.hostname,
            port or _DEFAULT_PORTS[parts.scheme],
            user,
            password,
            tls=parts.scheme == "smtps",
            starttls=None if parts.scheme == "smtps" else starttls,
        )

    def client(self, timeout: float) -> aiosmtplib.SMTP:
        """A client for it that is not connected yet; ``timeout`` of each answer, in seconds."""
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.user or None,
            password=self.password or None,
            use_tls=self.tls,
            start_tls=self.starttls,
            timeout=timeout,
        )


class _Connection:
    """One connection to the server and how many mails went over it."""

    def __init__(self, client: aiosmtplib.SMTP):
        self.client = client
        self.mails = 0


class MailChannel:
    """Sends editions as mail; see `channels.Channel`."""

    name = "mail"

    def __init__(self, server: Server, sender: Sender, renderer: Renderer, connections: int = 4):
        self._server, self._sender, self._renderer = server, sender, renderer
        self._ready: dict[int, bytes] = {}
        self._free: list[_Connection] = []
        self._most = connections
        self._room: asyncio.Semaphore | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def prepare(self, item: Outgoing) -> None:
        """Makes the message of ``item`` beforehand; see `channels.Channel`."""
        self._ready[item.id] = message(item, self._renderer.rendered(item), self._sender)

    async def send(self, item: Outgoing) -> Sent | Retry | Refused:
        try:
            if item.id not in self._ready:
                await asyncio.to_thread(self.prepare, item)
            data = self._ready.pop(item.id)
        except SubscriptionError as error:
            return Refused(str(error))
        except SenderError as error:
            # Nothing is wrong with the reader: all wait until the setting is right.
            return Retry(str(error), away=True)
        async with self._room_in_this_loop():
            return await self._sent(
                item.subscription.address,
                envelope_sender(item, self._sender),
                data,
                message_id(item, self._sender),
            )

    async def send_note(self, to: str, rendered: Rendered) -> Sent | Retry | Refused:
        """Sends a mail that is no edition, such as the one that asks for confirmation, and waits for it."""
        try:
            data = note(to, rendered, self._sender)
        except SubscriptionError as error:
            return Refused(str(error))
        except SenderError as error:
            return Retry(str(error), away=True)
        async with self._room_in_this_loop():
            return await self._sent(to, self._sender.address, data, "")

    async def close(self) -> None:
        free, self._free = self._free, []
        # What was made ready and not sent is made again when its turn comes.
        self._ready.clear()
        for one in free:
            await _quit(one)

    def _room_in_this_loop(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        if self._room is None or self._loop is not loop:
            # Connections and locks belong to the loop that they were made in.
            self._room, self._loop, self._free = asyncio.Semaphore(self._most), loop, []
        return self._room

    async def _sent(self, to: str, sender: str, data: bytes, name: str) -> Sent | Retry | Refused:
        try:
            connection = await self._connected()
        except aiosmtplib.SMTPAuthenticationError as error:
            return Retry(f"the mail server refuses the user name or password ({error.code})", away=True)
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
            return Retry(f"the mail server {self._server.host} cannot be used: {_said(error)}", away=True)
        whole = False
        try:
            refused = await self._transfer(connection, to, sender, data)
            answer: Sent | Retry | Refused = refused or Sent(name)
            whole = True
        except aiosmtplib.SMTPResponseException as error:
            answer = _meaning(error.code, str(error.message))
            whole = error.code not in (421, -1)
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
            # The server may have taken the mail before the connection broke: it is the same mail again.
            answer = Retry(f"the connection to the mail server broke: {_said(error)}")
        finally:
            self._done_with(connection, whole)
        return answer

    async def _transfer(
        self, connection: _Connection, to: str, sender: str, data: bytes
    ) -> Retry | Refused | None:
        """Hands over one mail; why it was not taken, else None."""
        client = connection.client
        options = []
        if needs_utf8(to):
            if not client.supports_extension("smtputf8"):
                return Refused("the mail server takes no addresses beyond ASCII (SMTPUTF8)")
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        else:
            to = with_ascii_domain(to)
        connection.mails += 1
        try:
            await client.sendmail(sender, [to], data, mail_options=options)
        except aiosmtplib.SMTPRecipientsRefused as error:
            first = error.recipients[0]
            return _meaning(first.code, str(first.message))
        except aiosmtplib.SMTPSenderRefused as error:
            if error.code == 552:
                raise
            # The server does not want this sender, or a password first: nothing is wrong with the reader.
            said = without_addresses(str(error.message))[:200]
            return Retry(f"the mail server does not take the sender: {error.code} {said}", away=True)
        return None

    async def _connected(self) -> _Connection:
        while self._free:
            connection = self._free.pop()
            if connection.mails >= _MAILS_A_CONNECTION:
                await _quit(connection)
            elif connection.client.is_connected:
                return connection
        client = self._server.client(_TIMEOUT_SECONDS)
        await client.connect()
        return _Connection(client)

    def _done_with(self, connection: _Connection, whole: bool) -> None:
        # Nothing is waited for here: that the mail was taken is noted next.
        if whole:
            self._free.append(connection)
        else:
            connection.client.close()


async def _quit(connection: _Connection) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError, RuntimeError):
        await connection.client.quit()


def _meaning(code: int, said: str) -> Retry | Refused:
    """What the server's answer ``code`` means for a mail."""
    reason = f"the mail server answered {code} {without_addresses(said)[:200]}"
    if code == 421:
        return Retry(reason, away=True)
    if 500 <= code <= 599:
        return Refused(reason, suppress=bool(_GONE.search(said)))
    return Retry(reason)


_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")


def without_addresses(text: str) -> str:
    """``text`` without mail addresses: reasons are kept and shown, whom they are about is not."""
    return _ADDRESS.sub("…", " ".join(text.split()))


def _said(error: BaseException) -> str:
    if isinstance(error, aiosmtplib.SMTPTimeoutError | TimeoutError):
        return "it did not answer in time"
    return without_addresses(str(error))[:200] or type(error).__name__
