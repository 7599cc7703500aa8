"""The mailbox that undelivered mail comes back to, read by IMAP.

Source: RFC 9051 (IMAP); the messages stay in the mailbox, those that were read are marked as seen.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from .bounces import MOST_BYTES

_TIMEOUT_SECONDS = 30.0
# Of a mailbox that is full of other things the rest comes the next time.
_MOST_MAILS = 1_000
_DEFAULT_PORTS = {"imap": 143, "imaps": 993}


class InboxError(ValueError):
    """The mailbox cannot be read; the message says why, without the password."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """A mailbox on an IMAP server: ``tls`` from the start, or else ``starttls``."""

    host: str
    port: int
    user: str
    password: str
    folder: str = "INBOX"
    tls: bool = True
    starttls: bool = False

    @classmethod
    def of(cls, url: str) -> Inbox:
        """The mailbox at ``imaps://user:password@host/INBOX``.

        Raises:
            InboxError: if ``url`` is none.
        """
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in _DEFAULT_PORTS or not (parts.hostname and parts.username):
            # The URL holds a password: it is not shown.
            raise InboxError(
                "BROADSHEET_BOUNCES_URL is no address of a mailbox; write imaps://user:password@host/INBOX "
                "(a user name or password with @, : or / is written with %40, %3A, %2F)"
            )
        without = parse_qs(parts.query).get("tls", [""])[0] in ("no", "off", "false", "0")
        return cls(
            parts.hostname,
            port or _DEFAULT_PORTS[parts.scheme],
            unquote(parts.username),
            unquote(parts.password or ""),
            unquote(parts.path.strip("/")) or "INBOX",
            tls=parts.scheme == "imaps",
            starttls=parts.scheme == "imap" and not without,
        )

    def unread(self) -> Iterator[bytes]:
        """The beginnings of the unread mails; each is marked as read once the next is asked for.

        Raises:
            InboxError: if the server does not answer, refuses the password or breaks off.
        """
        try:
            with self._opened() as mailbox:
                yield from _unread(mailbox)
        except imaplib.IMAP4.error as error:
            raise InboxError(f"the mailbox at {self.host} cannot be read: {_said(error)}") from error
        except (OSError, ssl.SSLError) as error:
            raise InboxError(f"the mailbox at {self.host} cannot be reached: {_said(error)}") from error

    @contextlib.contextmanager
    def _opened(self) -> Iterator[imaplib.IMAP4]:
        context = ssl.create_default_context()
        mailbox: imaplib.IMAP4
        if self.tls:
            mailbox = imaplib.IMAP4_SSL(self.host, self.port, ssl_context=context, timeout=_TIMEOUT_SECONDS)
        else:
            mailbox = imaplib.IMAP4(self.host, self.port, timeout=_TIMEOUT_SECONDS)
        try:
            if self.starttls:
                # A password never goes over the wire in the clear, unless that is said.
                mailbox.starttls(context)
            mailbox.login(self.user, self.password)
            _fine(mailbox.select(f'"{self.folder}"'), f"there is no folder {self.folder}")
            yield mailbox
        finally:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                mailbox.logout()
            # A connection that broke off is closed by nobody else.
            with contextlib.suppress(OSError):
                mailbox.shutdown()


def _unread(mailbox: imaplib.IMAP4) -> Iterator[bytes]:
    found = _fine(mailbox.uid("SEARCH", "UNSEEN"), "it cannot be searched")
    for number in (found[0] or b"").split()[:_MOST_MAILS]:
        told = _fine(
            mailbox.uid("FETCH", number.decode(), f"(BODY.PEEK[]<0.{MOST_BYTES}>)"), "a mail is gone"
        )
        # What another program deleted meanwhile is not there.
        yield from (part[1] for part in told if isinstance(part, tuple))
        _fine(mailbox.uid("STORE", number.decode(), "+FLAGS", r"(\Seen)"), "mails cannot be marked as read")


def _fine(answer: tuple[str, list], problem: str) -> list:
    if answer[0] != "OK":
        raise imaplib.IMAP4.error(problem)
    return answer[1]


def _said(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    told = error.args[0] if error.args and isinstance(error.args[0], bytes) else str(error).encode()
    return re.sub(r"[^ -~]", "", told.decode("utf-8", "replace"))[:200] or type(error).__name__
