"""What comes back of mails: delivery status notifications, complaints, and what they say of an address.

Sources: RFC 3464 (DSN), RFC 3463 (status codes), RFC 5965 (ARF: abuse reports of mailbox providers).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message

from .smtp import without_addresses

# So much of a notification is read: it may carry the whole mail back.
_MOST_BYTES = 1_000_000
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_TAGGED = re.compile(r"\+(\d{1,18})@")
_MESSAGE_ID = re.compile(r"^Message-ID:\s*(<[^>\s]+>)", re.IGNORECASE | re.MULTILINE)
# A full mailbox and a server that is overloaded are no reason to give up, though told as permanent.
_PASSING = {("2", "2"), ("3", "1"), ("3", "2"), ("4", "1"), ("4", "7")}


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
    try:
        mail = message_from_bytes(data[:_MOST_BYTES], policy=policy.default)
        kind = mail.get_content_type()
        report = str(mail.get_param("report-type", "") or "").lower()
        if kind != "multipart/report" or report not in ("delivery-status", "feedback-report"):
            return []
        item, message_id = _item_of(mail), _message_id_of(mail)
        if report == "feedback-report":
            return list(_complaints(mail, item, message_id))
        return list(_undelivered(mail, item, message_id))
    except (ValueError, LookupError, TypeError, AttributeError, UnicodeError, RecursionError):
        # The library trips over some of what arrives in a mailbox; that tells nothing of an address.
        return []


def _undelivered(mail: EmailMessage, item: int, message_id: str) -> Iterator[Bounce]:
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for fields in _groups(part):
            if str(fields.get("Action", "")).strip().lower() != "failed":
                continue
            address = _address(fields.get("Final-Recipient") or fields.get("Original-Recipient"))
            said = str(fields.get("Diagnostic-Code", "")).partition(";")[2].strip()
            status = str(fields.get("Status", ""))
            reason = f"came back: {status} {without_addresses(said)}".strip()[:300]
            yield Bounce(_kind(status, said), address, reason, item, message_id)


def _kind(status: str, said: str) -> str:
    found = _STATUS.search(status) or _STATUS.search(said)
    if not found:
        return "soft"
    permanent = found[1] == "5" and (found[2], found[3]) not in _PASSING
    # 5.7: refused by a rule, which says nothing of the address; 5.1 and 5.2: the address.
    return "hard" if permanent and found[2] in ("1", "2") else "soft"


def _complaints(mail: EmailMessage, item: int, message_id: str) -> Iterator[Bounce]:
    for part in mail.walk():
        if part.get_content_type() != "message/feedback-report":
            continue
        for fields in _groups(part):
            kind = str(fields.get("Feedback-Type", "abuse")).strip().lower()
            if kind in ("not-spam", "auth-failure", "virus"):
                continue
            address = _address(fields.get("Original-Rcpt-To") or fields.get("Removal-Recipient"))
            yield Bounce(
                "complaint",
                address,
                f"the reader complained ({without_addresses(kind)[:40]})",
                item,
                message_id,
            )


def _groups(part: Message) -> list[Message]:
    """The groups of fields of a status part; the library reads them as messages, or leaves them as text."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return payload
    text = str(payload or "")
    return [
        message_from_bytes(group.encode("utf-8", "replace"))
        for group in re.split(r"\r?\n\r?\n", text)
        if group
    ]


def _address(field: object) -> str:
    """The address in ``rfc822; ada@example.org``, or a bare one."""
    text = str(field or "").strip()
    text = text.partition(";")[2] if re.match(r"^[\w-]+\s*;", text) else text
    return text.strip().strip("<>").strip()[:320]


def _item_of(mail: EmailMessage) -> int:
    """The outbox row that the envelope of the mail named: the notification is addressed to it."""
    for name in ("To", "Delivered-To", "X-Original-To", "Original-Recipient"):
        for value in mail.get_all(name, []):
            if tagged := _TAGGED.search(str(value)):
                return int(tagged[1])
    return 0


def _message_id_of(mail: EmailMessage) -> str:
    """That of the mail which came back with the notification, whole or as its headers."""
    for part in mail.walk():
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers"):
            inner = part.get_payload()
            if isinstance(inner, list) and inner and inner[0].get("Message-ID"):
                return str(inner[0]["Message-ID"]).strip()
            if found := _MESSAGE_ID.search(str(inner if isinstance(inner, str) else part.as_string())):
                return found[1]
    return ""
