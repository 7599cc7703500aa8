"""A rendered edition as a message by RFC 5322: headers that programs act on, both parts, and a signature.

Sources: RFC 2369 and 8058 (leaving by one click), RFC 2919 (List-Id), RFC 6376 (DKIM), RFC 3834
(automatic messages).
"""

from __future__ import annotations

import binascii
import contextlib
import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, getaddresses
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, urlsplit

import dkim
from email_validator import EmailNotValidError, validate_email

from ...model.subscriptions import SubscriptionError
from ..channels import Outgoing
from .render import Rendered, opening

# RFC 8058 wants both headers of leaving signed.
_SIGNED = (
    b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type", b"reply-to",
    b"list-id", b"list-unsubscribe", b"list-unsubscribe-post",
)  # fmt: skip


class SenderError(ValueError):
    """The settings of mail cannot be used; the message names the setting and the remedy."""


@dataclass(frozen=True, slots=True)
class Sender:
    """From whom mails are: ``address`` with an optional ``name``, and how what comes back finds its mail.

    ``bounces`` may hold a ``+`` before the ``@``: each mail then has an envelope sender of its own.
    ``key`` is a private key (PEM) that signs with DKIM, or empty.
    """

    address: str
    name: str = ""
    reply_to: str = ""
    bounces: str = ""
    key: bytes = b""
    selector: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower()

    @classmethod
    def of(
        cls, sender: str, reply_to: str = "", bounces: str = "", key: str = "", selector: str = ""
    ) -> Sender:
        """The sender that settings describe.

        Raises:
            SenderError: if an address is none, or the key cannot be read.
        """
        name, address = _address("mail_from", sender)
        answers = _address("mail_reply_to", reply_to)[1] if reply_to else ""
        returned = _address("mail_bounces", bounces)[1] if bounces else ""
        return cls(address, name, answers, returned, _key(key), selector)


def _address(setting: str, value: str) -> tuple[str, str]:
    found = getaddresses([value.strip()])
    name, address = found[0] if len(found) == 1 else ("", "")
    with contextlib.suppress(SubscriptionError):
        address = with_ascii_domain(address)
    if (
        not re.fullmatch(r"[!-~]+@[!-~]+", address)
        or re.search(r'[<>",]|@.*@', address)
        or not value.isprintable()
    ):
        raise SenderError(
            f"BROADSHEET_{setting.upper()} is {value[:80]!r}, which is no sender; write it as "
            "papers@example.org or The Daily <papers@example.org>"
        )
    return name, address


def _key(path: str) -> bytes:
    if not path:
        return b""
    try:
        key = Path(path).read_bytes()
    except OSError as error:
        raise SenderError(
            f"the DKIM key {path} (BROADSHEET_DKIM_KEY) cannot be read: {error.strerror}"
        ) from error
    if b"PRIVATE KEY" not in key:
        raise SenderError(
            f"{path} (BROADSHEET_DKIM_KEY) is no private key in PEM form; make one with openssl"
        )
    return key


def message_id(item: Outgoing, sender: Sender) -> str:
    """The same at every try, so that programs can tell a second copy from a second mail."""
    told = f"{item.id}:{item.subscription.id}:{item.edition.id}:{sender.address}"
    return f"<{item.id}.{hashlib.sha256(told.encode()).hexdigest()[:16]}@{sender.domain}>"


def envelope_sender(item: Outgoing, sender: Sender) -> str:
    """Where bounces of this mail go."""
    bounces = sender.bounces or sender.address
    local, _, domain = bounces.rpartition("@")
    return f"{local}{item.id}@{domain}" if local.endswith("+") else bounces


def needs_utf8(address: str) -> bool:
    """Whether the server must take SMTPUTF8 for ``address``: a name before the @ that is not ASCII."""
    return not address.rpartition("@")[0].isascii()


def message(item: Outgoing, rendered: Rendered, sender: Sender, now: datetime | None = None) -> bytes:
    """The message with CR LF line ends, signed if the sender has a key.

    Raises:
        SenderError: if the key cannot sign.
    """
    number = message_id(item, sender)
    headers = _common(item.subscription.address, rendered, sender, number, now)
    if sender.reply_to:
        headers["Reply-To"] = sender.reply_to
    # Mail programs act on these as they stand: they are neither folded nor encoded.
    headers["List-Id"] = f"{_phrase(item.edition.audience.title)} <{_list_name(item)}.{sender.domain}>"
    if item.links.unsubscribe:
        headers["List-Unsubscribe"] = f"<{_ascii_url(item.links.unsubscribe)}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if item.links.site:
        headers["List-Archive"] = f"<{_ascii_url(item.links.site)}/>"
    headers["Auto-Submitted"] = "auto-generated"
    headers["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    return _whole(headers, rendered, sender)


def note(to: str, rendered: Rendered, sender: Sender, now: datetime | None = None) -> bytes:
    """A message that is no edition, such as the one that asks for confirmation.

    Raises:
        SenderError: if the key cannot sign.
    """
    headers = _common(to, rendered, sender, f"<{secrets.token_hex(16)}@{sender.domain}>", now)
    headers["Auto-Submitted"] = "auto-replied"
    return _whole(headers, rendered, sender)


def _common(to: str, rendered: Rendered, sender: Sender, number: str, now: datetime | None) -> dict[str, str]:
    """The headers that every message has, as they are written."""
    name = _words("From", sender.name, quoted=True)
    return {
        "From": f"{name} <{sender.address}>" if name else sender.address,
        "To": with_ascii_domain(to),
        "Subject": _words("Subject", rendered.subject),
        "Date": format_datetime(now or datetime.now(UTC)),
        "Message-ID": number,
    }


def _whole(headers: dict[str, str], rendered: Rendered, sender: Sender) -> bytes:
    headers["MIME-Version"] = "1.0"
    if not rendered.html:
        return _signed(_head(headers) + _part("plain", rendered.text), sender)
    # The boundary is the same at every try, as all else is; no quoted-printable text holds "=_".
    boundary = "=_" + hashlib.sha256(headers["Message-ID"].encode()).hexdigest()[:32]
    headers["Content-Type"] = f'multipart/alternative;\r\n boundary="{boundary}"'
    limit = f"--{boundary}\r\n".encode()
    parts = (_part("plain", rendered.text), _part("html", rendered.html))
    body = b"".join(limit + part for part in parts) + f"--{boundary}--\r\n".encode()
    return _signed(_head(headers) + b"\r\n" + body, sender)


def _head(headers: dict[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()


def _part(kind: str, text: str) -> bytes:
    """``text`` as a part; quoted-printable: every server takes it, and a person can read its source."""
    lines = "\r\n".join(text.splitlines()).encode()
    head = (
        f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    )
    return head.encode() + binascii.b2a_qp(lines, istext=True) + b"\r\n"


def _signed(data: bytes, sender: Sender) -> bytes:
    if not sender.key:
        return data
    try:
        signature = dkim.sign(
            data,
            sender.selector.encode(),
            sender.domain.encode("idna"),
            sender.key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=list(_SIGNED),
        )
    except (dkim.DKIMException, ValueError) as error:
        raise SenderError(f"the DKIM key (BROADSHEET_DKIM_KEY) cannot sign: {error}") from error
    return signature + data


@lru_cache(maxsize=4_000)
def _ascii_domain(domain: str) -> str:
    """``domain`` as the DNS knows it. Raises `SubscriptionError` where it can be none."""
    if domain.isascii():
        return domain
    try:
        return validate_email(f"x@{domain}", check_deliverability=False).ascii_domain
    except EmailNotValidError as error:
        raise SubscriptionError(f"{domain[:80]!r} is no mail domain: {error}") from error


def with_ascii_domain(address: str) -> str:
    """``address`` with its domain as the DNS knows it; the name before the @ stays as it is.

    Raises:
        SubscriptionError: if there can be no such domain.
    """
    local, _, domain = address.rpartition("@")
    return f"{local}@{_ascii_domain(domain)}"


def _ascii_url(url: str) -> str:
    if url.isascii():
        return url
    parts = urlsplit(url)
    host = parts.netloc.encode("idna").decode()
    return parts._replace(netloc=host, path=quote(parts.path, safe="/%:;@")).geturl()


@lru_cache(maxsize=4_000)
def _words(header: str, text: str, *, quoted: bool = False) -> str:
    """``text`` as ``header`` holds it: encoded where it is not ASCII (RFC 2047), and folded."""
    text = _one_line(text)
    if not text.isascii():
        # An encoded word has 75 characters at most, to which the library adds the space before it.
        return Header(text, "utf-8", maxlinelen=75, header_name=header).encode(linesep="\r\n")
    if quoted and not re.fullmatch(r"[\w !#$%&'*+/=?^`{|}~-]*", text):
        return '"' + re.sub(r'([\\"])', r"\\\1", text) + '"'
    return Header(text, "us-ascii", header_name=header).encode(linesep="\r\n")


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _phrase(text: str) -> str:
    """``text`` as the words before the name of a list."""
    return _words("List-Id", opening(re.sub(r'[\\"<>]', "", text), 80), quoted=True)


def _list_name(item: Outgoing) -> str:
    audience = item.edition.audience
    if not audience.value:
        return audience.kind
    return f"{audience.kind}-{hashlib.sha256(audience.value.encode()).hexdigest()[:10]}"
