"""A rendered edition as a message by RFC 5322: headers that programs act on, both parts, and a signature.

Sources: RFC 2369 and 8058 (leaving by one click), RFC 2919 (List-Id), RFC 6376 (DKIM), RFC 3834
(automatic messages).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, getaddresses
from functools import lru_cache
from pathlib import Path

import dkim

from ..channels import Outgoing
from .render import Rendered

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
        for setting, value in (("mail_reply_to", reply_to), ("mail_bounces", bounces)):
            if value:
                _address(setting, value)
        return cls(address, name, reply_to, bounces, _key(key), selector)


def _address(setting: str, value: str) -> tuple[str, str]:
    found = getaddresses([value.strip()])
    name, address = found[0] if len(found) == 1 else ("", "")
    if not re.fullmatch(r"[^\s@<>\",]+@[^\s@<>\",]+", address) or not value.isprintable():
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
    to = item.subscription.address
    made = EmailMessage(policy=SMTPUTF8 if needs_utf8(to) else SMTP)
    made["From"] = _written(sender.name, sender.address)
    made["To"] = _written("", to)
    made["Subject"] = _one_line(rendered.subject)
    made["Date"] = format_datetime(now or datetime.now(UTC))
    made["Message-ID"] = message_id(item, sender)
    if sender.reply_to:
        made["Reply-To"] = sender.reply_to
    made["List-Id"] = f"{_phrase(item.edition.audience.title)} <{_list_name(item)}.{sender.domain}>"
    if item.links.unsubscribe:
        made["List-Unsubscribe"] = f"<{item.links.unsubscribe}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if item.links.site:
        made["List-Archive"] = f"<{item.links.site}/>"
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    return _whole(made, rendered, sender)


def note(to: str, rendered: Rendered, sender: Sender, now: datetime | None = None) -> bytes:
    """A message that is no edition, such as the one that asks for confirmation.

    Raises:
        SenderError: if the key cannot sign.
    """
    made = EmailMessage(policy=SMTPUTF8 if needs_utf8(to) else SMTP)
    made["From"] = _written(sender.name, sender.address)
    made["To"] = _written("", to)
    made["Subject"] = _one_line(rendered.subject)
    made["Date"] = format_datetime(now or datetime.now(UTC))
    made["Message-ID"] = f"<{secrets.token_hex(16)}@{sender.domain}>"
    made["Auto-Submitted"] = "auto-replied"
    return _whole(made, rendered, sender)


def _whole(made: EmailMessage, rendered: Rendered, sender: Sender) -> bytes:
    # Quoted-printable: every server takes it, and a person can read its source.
    made.set_content(rendered.text, cte="quoted-printable")
    if rendered.html:
        made.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
        # The boundary is the same at every try, as all else is.
        made.set_boundary("=_" + hashlib.sha256(made["Message-ID"].encode()).hexdigest()[:32])
    return _signed(made.as_bytes(), sender)


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


@lru_cache(maxsize=1_000)
def _written(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        domain = domain.encode("idna").decode()
    return Address(_one_line(name), local, domain)


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _phrase(text: str) -> str:
    """``text`` as the words before the name of a list: ASCII, without what ends a phrase."""
    plain = _one_line(text).encode("ascii", "ignore").decode()
    return '"' + re.sub(r'[\\"<>]', "", plain)[:80] + '"'


def _list_name(item: Outgoing) -> str:
    audience = item.edition.audience
    if not audience.value:
        return audience.kind
    return f"{audience.kind}-{hashlib.sha256(audience.value.encode()).hexdigest()[:10]}"
