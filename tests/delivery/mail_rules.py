"""Strict rules for a mail as it goes over the wire: RFC 5322, 2045 to 2047, 2369, 2919, 8058.

`broken(data)` names every rule that the message breaks; nothing means that it keeps them all.
"""

from __future__ import annotations

import quopri
import re
from email import message_from_bytes, policy
from email.message import EmailMessage

# A header field: a name, a colon, and lines that go on after white space.
_FIELD = re.compile(rb"[!-9;-~]+:[ \t]?[^\r\n]*(?:\r\n[ \t][^\r\n]*)*")
_ENCODED = re.compile(rb"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=")
_ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "List-Id")
_ONE_CLICK = "List-Unsubscribe=One-Click"


def broken(data: bytes) -> list[str]:
    """The rules that the message ``data`` breaks, each as a sentence."""
    found = list(_lines(data))
    head, _, body = data.partition(b"\r\n\r\n")
    found += _fields(head)
    mail = message_from_bytes(data, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    found += _headers(mail)
    found += _parts(mail, body)
    return found


def _lines(data: bytes):
    if re.search(rb"(?<!\r)\n|\r(?!\n)", data):
        yield "line ends are not CR LF"
    if b"\x00" in data:
        yield "a NUL byte"
    if max(map(len, data.split(b"\r\n"))) > 998:
        yield "a line of more than 998 bytes"
    if not data.isascii():
        yield "bytes beyond ASCII"


def _fields(head: bytes):
    fields = _FIELD.findall(head)
    if b"\r\n".join(fields) != head:
        yield "the head is not made of fields"
    for field in fields:
        name = field.partition(b":")[0].decode()
        lines = field.split(b"\r\n")
        if any(not line.strip() for line in lines):
            yield f"{name} has an empty line"
        if name in ("Subject", "From", "To") and max(map(len, lines)) > 78:
            yield f"{name} has a line of more than 78 characters"
        for word in _ENCODED.findall(field):
            if len(word) > 75:
                yield f"{name} has an encoded word of more than 75 characters"
        # RFC 2047: what is a structure of addresses is not encoded as a whole.
        if name.startswith("List-") and name != "List-Id" and _ENCODED.search(field):
            yield f"{name} is encoded"


def _headers(mail: EmailMessage):
    for name in _ONCE:
        if len(mail.get_all(name, [])) != 1:
            yield f"{name} is there {len(mail.get_all(name, []))} times"
    for name, value in mail.items():
        for defect in getattr(value, "defects", ()):
            yield f"{name}: {defect!r}"
    if len(mail["From"].addresses) != 1 or len(mail["To"].addresses) != 1:
        yield "it has not one sender and one reader"
    if not mail["Date"] or mail["Date"].datetime is None:
        yield "Date is none"
    if not re.fullmatch(r"<[!-;=?-~]+@[A-Za-z0-9.-]+>", mail["Message-ID"]):
        yield "Message-ID is none"
    if not re.search(r"<[a-z0-9.-]+\.[a-z0-9-]+>$", mail["List-Id"] or ""):
        yield "List-Id is none"
    if not re.fullmatch(r"<https?://[!-~]+>", mail["List-Unsubscribe"] or ""):
        yield "List-Unsubscribe is none"
    if mail["List-Unsubscribe-Post"] != _ONE_CLICK:
        yield "List-Unsubscribe-Post is none"


def _parts(mail: EmailMessage, body: bytes):
    if mail.defects:
        yield f"defects: {mail.defects!r}"
    if mail.get_content_type() != "multipart/alternative":
        yield "it has not two forms"
        return
    parts = list(mail.iter_parts())
    if [part.get_content_type() for part in parts] != ["text/plain", "text/html"]:
        yield "its parts are not plain text and HTML, in that order"
        return
    for part in parts:
        kind = part.get_content_type()
        if part.defects:
            yield f"{kind}: {part.defects!r}"
        if part["Content-Transfer-Encoding"] != "quoted-printable" or part.get_content_charset() != "utf-8":
            yield f"{kind} is not quoted-printable UTF-8"
        raw = part.get_payload().replace("\r\n", "\n")
        if max(map(len, raw.split("\n"))) > 76:
            yield f"{kind}: a line of more than 76 characters (RFC 2045, 6.7)"
        if re.search(r"=(?![0-9A-F]{2}|\n)", raw) or re.search(r"[ \t]$", raw, re.MULTILINE):
            yield f"{kind}: not quoted-printable"
        try:
            quopri.decodestring(raw.encode()).decode()
        except UnicodeDecodeError:
            yield f"{kind}: not UTF-8"
    boundary = mail.get_boundary() or ""
    if not 1 <= len(boundary) <= 70 or body.count(f"--{boundary}".encode()) != 3:
        yield "its boundary does not hold"
    if any(
        len(line) > 76 for line in mail.get_body(("plain",)).get_content().splitlines() if "://" not in line
    ):
        yield "its text has lines of more than 76 characters"
    if len(mail.get_body(("html",)).get_content().encode()) > 102_000:
        yield "mailboxes cut it off (102 KB)"
