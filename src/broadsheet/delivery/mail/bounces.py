"""What comes back of mails: delivery status notifications, complaints, and what they say of an address.

Sources: RFC 3464 (DSN), RFC 3463 (status codes), RFC 5965 (ARF: abuse reports of mailbox providers), RFC 6533
(addresses beyond ASCII in notifications); X-Failed-Recipients as Exim and Gmail write it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message

from .smtp import without_addresses

# So much of a notification is read: it may carry the whole mail back.
MOST_BYTES = 300_000
# A notification has three parts; what is nested deeper is made to keep its reader busy.
_MOST_BOUNDARIES = 40
_BOUNDARY = re.compile(rb"boundary", re.IGNORECASE)
_WRAPPERS = ("multipart/mixed", "multipart/signed", "multipart/related")
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_TAGGED = re.compile(r"\+(\d{1,18})@")
_MESSAGE_ID = re.compile(r"^Message-ID:\s*(<[^>\s]{1,250}>)", re.IGNORECASE | re.MULTILINE)
# These say that there is no such address or domain, or that it takes no mail any more (RFC 3463). What is
# refused by a rule (5.7) or because a mailbox is full (5.2.2) says nothing of the address.
_GONE = {("1", "0"), ("1", "1"), ("1", "2"), ("1", "3"), ("1", "6"), ("1", "10"), ("2", "1"), ("4", "4")}
# Where a server gives no code but 5.0.0 or none at all.
_GONE_WORDS = re.compile(
    r"\b(user|recipient|mailbox|address|account)\b.{0,40}\b(unknown|not found|does ?n[o']t exist|disabled)\b"
    r"|\b(no such|unknown|invalid) (user|recipient|mailbox|address)\b",
    re.IGNORECASE,
)
_NO_COMPLAINTS = ("not-spam", "auth-failure", "virus", "dmarc")


@dataclass(frozen=True, slots=True)
class Bounce:
    """One mail that came back.

    ``kind`` is ``hard`` (the address takes no mail: nothing more may be sent there), ``soft`` (this mail did
    not arrive), or ``complaint`` (the reader called it unwanted). ``item`` is the number of the outbox row,
    where the envelope says it (0: unknown), ``message_id`` that of the mail, ``address`` whom it was for.
    """

    kind: str
    address: str
    reason: str
    item: int = 0
    message_id: str = ""


def bounces(data: bytes) -> list[Bounce]:
    """What the notification ``data``, a message as it arrived, says; empty where it is none.

    Nothing raises. A delay that is still being worked on is no bounce, nor is an answer by a person.
    """
    data = data[:MOST_BYTES]
    if len(_BOUNDARY.findall(data)) > _MOST_BOUNDARIES:
        return []
    try:
        mail = message_from_bytes(data)
        item, report = _item_of(mail), _report(mail)
        if report is None:
            return list(_named_as_failed(mail, item))
        parts = [part for part in report.get_payload() if isinstance(part, Message)]
        message_id = _message_id_of(parts)
        found = [*_undelivered(parts, item, message_id), *_complaints(parts, item, message_id)]
        return found[:100]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # The library trips over some of what arrives in a mailbox; that tells nothing of an address.
        return []


def kind_of(status: str, said: str) -> str:
    """``hard`` or ``soft``, by the status code and what the server said.

    >>> kind_of("5.0.0", "550 5.1.1 no such user"), kind_of("5.2.2", "mailbox full")
    ('hard', 'soft')
    """
    codes = [found.groups() for text in (status, said) if (found := _STATUS.search(text))]
    told = [code for code in codes if code[1] != "0"]
    if told:
        kind, subject, detail = told[0]
        return "hard" if kind == "5" and (subject, detail) in _GONE else "soft"
    permanent = codes[0][0] == "5" if codes else bool(re.search(r"\b55[0134]\b", said))
    return "hard" if permanent and _GONE_WORDS.search(said) else "soft"


def reason_of(status: str, said: str) -> str:
    """The reason as it is kept and shown: without addresses and control characters."""
    told = "".join(sign if sign.isprintable() else " " for sign in f"{status} {said}"[:2_000])
    return f"came back: {without_addresses(told)}"[:300].strip()


def _report(mail: Message) -> Message | None:
    """The part with the notification: the mail itself, or inside of what a relay put around it."""
    for _ in range(3):
        if mail.get_content_type() == "multipart/report":
            return mail if isinstance(mail.get_payload(), list) else None
        parts = mail.get_payload() if mail.get_content_type() in _WRAPPERS else None
        if not isinstance(parts, list):
            return None
        inner = [part for part in parts[:10] if isinstance(part, Message) and part.is_multipart()]
        if not inner:
            return None
        mail = inner[0]
    return None


def _undelivered(parts: list[Message], item: int, message_id: str) -> Iterator[Bounce]:
    for part in parts:
        if part.get_content_type() not in ("message/delivery-status", "message/global-delivery-status"):
            continue
        for fields in _groups(part)[:200]:
            if _field(fields, "Action").lower() != "failed":
                continue
            address = _address(_field(fields, "Final-Recipient") or _field(fields, "Original-Recipient"))
            said = _field(fields, "Diagnostic-Code").partition(";")[2].strip()
            status = _field(fields, "Status").split(" ")[0]
            yield Bounce(kind_of(status, said), address, reason_of(status, said), item, message_id)


def _complaints(parts: list[Message], item: int, message_id: str) -> Iterator[Bounce]:
    for part in parts:
        if part.get_content_type() != "message/feedback-report":
            continue
        for fields in _groups(part)[:1]:
            kind = _field(fields, "Feedback-Type").lower() or "abuse"
            if kind in _NO_COMPLAINTS:
                continue
            address = _address(_field(fields, "Original-Rcpt-To") or _field(fields, "Removal-Recipient"))
            yield Bounce("complaint", address, complaint_reason(kind), item, message_id)


def complaint_reason(kind: str) -> str:
    return f"the reader complained ({re.sub(r'[^a-z-]', '', kind.lower())[:40] or 'abuse'})"


def _named_as_failed(mail: Message, item: int) -> Iterator[Bounce]:
    """Notifications without a report, which name whom they could not reach in a header."""
    failed = str(mail.get("X-Failed-Recipients", ""))
    if not failed.strip():
        return
    text = _text(mail)
    found = _STATUS.search(text)
    line = next((line for line in text.splitlines() if re.search(r"\b[45]\d\d[ -]", line)), "")
    status, message_id = found[0] if found else "", _MESSAGE_ID.search(text)
    for address in failed.split(",")[:20]:
        yield Bounce(
            kind_of(status, line or text[:2_000]),
            _address(address),
            reason_of("", line or status),
            item,
            message_id[1] if message_id else "",
        )


def _groups(part: Message) -> list[Message]:
    """The groups of fields of a status part; the library reads them as messages, or leaves them as text."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [group for group in payload if isinstance(group, Message)]
    groups = re.split(r"\r?\n\r?\n", _text(part))
    return [message_from_bytes(group.encode("utf-8", "replace")) for group in groups if group.strip()]


def _text(part: Message) -> str:
    """The text of ``part``, or of its first part that has any."""
    for _ in range(5):
        payload = part.get_payload()
        if not isinstance(payload, list):
            break
        if not payload or not isinstance(payload[0], Message):
            return ""
        part = payload[0]
    decoded = part.get_payload(decode=True)
    return decoded.decode("utf-8", "replace")[:100_000] if isinstance(decoded, bytes) else ""


def _field(fields: Message, name: str) -> str:
    return " ".join(str(fields.get(name, ""))[:5_000].split())


def _address(field: str) -> str:
    """The address in ``rfc822; ada@example.org``, or a bare one."""
    kind, _, rest = field.partition(";")
    address = rest if rest and re.fullmatch(r"[\w-]+", kind.strip()) else field
    if kind.strip().lower() == "utf-8":
        # RFC 6533: what is not ASCII is written as its number.
        address = re.sub(r"\\x\{([0-9A-Fa-f]{1,5})\}", lambda sign: chr(int(sign[1], 16)), address)
    return printable(address).strip().strip("<>").strip()[:320]


def printable(text: str) -> str:
    """``text`` without control characters and halves of characters, which no database takes."""
    return "".join(sign for sign in text if sign.isprintable())


def _item_of(mail: Message) -> int:
    """The outbox row that the envelope of the mail named: the notification is addressed to it."""
    for name in ("To", "Delivered-To", "X-Original-To", "Original-Recipient"):
        for value in mail.get_all(name, [])[:20]:
            if tagged := _TAGGED.search(str(value)[:2_000]):
                return int(tagged[1])
    return 0


def _message_id_of(parts: list[Message]) -> str:
    """That of the mail which came back with the notification, whole or as its headers."""
    for part in parts:
        if part.get_content_type() not in (
            "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers",
            "message/global-headers",
        ):  # fmt: skip
            continue
        inner = part.get_payload()
        mail = inner[0] if isinstance(inner, list) and inner else message_from_bytes(_text(part).encode())
        if isinstance(mail, Message) and mail.get("Message-ID"):
            return printable(str(mail["Message-ID"])).strip()[:300]
    return ""
