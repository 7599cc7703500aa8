"""A mail server of our own on loopback that takes, defers, refuses or breaks off, as the recipient is called.

with playing_smtp() as server:
    ... send to server.url ...
assert server.taken[0].recipients == ["ada@example.org"]

A name before the @ that begins with ``defer`` is answered 451, ``full`` 452, ``gone`` 550 5.1.1, ``policy``
550 5.7.1, ``break`` closes the connection in the place of the answer to the message (which is kept).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass(slots=True)
class Taken:
    """One mail as it arrived."""

    sender: str
    recipients: list[str]
    data: bytes
    options: str

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.data, policy=policy.default)


@dataclass(slots=True)
class PlayingSmtp:
    """``taken`` are the mails in order, ``connections`` how many there were, ``logins`` what AUTH sent."""

    url: str = ""
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0
    logins: list[str] = field(default_factory=list)


_ANSWERS = {
    "defer": "451 4.3.0 try later",
    "full": "452 4.2.2 mailbox full",
    "gone": "550 5.1.1 no such user {}",
    "policy": "550 5.7.1 refused by policy",
}


@contextmanager
def playing_smtp(
    *, extensions: tuple[str, ...] = ("8BITMIME", "SMTPUTF8"), sender: str = "250 2.1.0 ok"
) -> Iterator[PlayingSmtp]:
    """Serves on a free port of loopback until the block ends; ``sender`` is what it says to any sender."""
    playing = PlayingSmtp()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        playing.connections += 1
        mailed_by, recipients, options = "", [], ""

        async def say(line: str) -> None:
            writer.write(line.encode() + b"\r\n")
            await writer.drain()

        await say("220 playing ESMTP")
        try:
            while line := await reader.readline():
                text = line.decode("utf-8", "replace").strip()
                word = text[:4].upper()
                if word == "EHLO":
                    lines = ["playing", *extensions]
                    for place, one in enumerate(lines):
                        await say(f"250{' ' if place == len(lines) - 1 else '-'}{one}")
                elif word == "AUTH":
                    playing.logins.append(text)
                    await say("235 2.7.0 welcome")
                elif word == "MAIL":
                    mailed_by, recipients = text[text.index("<") + 1 : text.index(">")], []
                    options = text.partition(">")[2].strip()
                    await say(sender)
                elif word == "RCPT":
                    to = text[text.index("<") + 1 : text.index(">")]
                    refused = next((a for name, a in _ANSWERS.items() if to.startswith(name)), None)
                    if refused:
                        await say(refused.format(to))
                    else:
                        recipients.append(to)
                        await say("250 2.1.5 ok")
                elif word == "DATA":
                    await say("354 go on" if recipients else "554 5.5.1 no recipients")
                    if not recipients:
                        continue
                    data = b""
                    while (part := await reader.readline()) != b".\r\n":
                        if not part:
                            # Whoever sent was killed in the middle of the mail.
                            return
                        data += part[1:] if part.startswith(b".") else part
                    playing.taken.append(Taken(mailed_by, recipients, data, options))
                    if recipients[0].startswith("break"):
                        writer.close()
                        return
                    await say("250 2.0.0 taken")
                elif word == "QUIT":
                    await say("221 bye")
                    return
                else:
                    await say("250 ok")
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    loop = asyncio.new_event_loop()
    ready = threading.Event()

    def run() -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
        playing.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield playing
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
